"""Every architecture of the comparisons: small, random, with a tokenizer of its family trained on the spot."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.methods.small_models import WORDS, rows

Sizes = dict[str, Any]

SMALL: Sizes = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "initializer_range": 0.15,  # narrow layers learn nothing from weights as small as wide ones begin with
}  # fmt: skip
T5: Sizes = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2}
POSITIONS = 64


def corpus() -> list[str]:
    return [*rows(200, 5).texts, " ".join(WORDS), "< / > [ ] s sep cls pad"]


def wordpiece(tokenizer_class: Any, pad: str = "[PAD]", start: str = "[CLS]", end: str = "[SEP]") -> Any:
    """BERT's kind."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = [pad, "[UNK]", start, end, "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=150, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer_class(vocab=tokenizer.get_vocab())


def byte_pairs(special: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """GPT-2's kind: vocabulary and merges."""
    from tokenizers import ByteLevelBPETokenizer

    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(corpus(), vocab_size=350, special_tokens=special, show_progress=False)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def unigram(tokenizer_class: Any, special: list[str]) -> Any:
    """SentencePiece's kind: as in the published files, the special tokens are pieces like any other."""
    words = Counter(f"▁{word}" for text in corpus() for word in text.split())
    letters = sorted({letter for word in words for letter in word})
    total = math.log(sum(words.values()))
    pieces = [(word, math.log(count) - total) for word, count in words.most_common() if len(word) > 2]
    return tokenizer_class(vocab=[*((token, 0.0) for token in special), *pieces, *((one, -12.0) for one in letters)])


def bert(hf: Any) -> tuple[Any, Any]:
    return wordpiece(hf.BertTokenizer), hf.BertModel(hf.BertConfig(**SMALL, max_position_embeddings=POSITIONS))


def distilbert(hf: Any) -> tuple[Any, Any]:
    sizes = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "initializer_range": 0.15}
    sizes["max_position_embeddings"] = POSITIONS
    return wordpiece(hf.DistilBertTokenizer), hf.DistilBertModel(hf.DistilBertConfig(**sizes))


def electra(hf: Any) -> tuple[Any, Any]:
    config = hf.ElectraConfig(**SMALL, embedding_size=16, max_position_embeddings=POSITIONS)
    return wordpiece(hf.BertTokenizer), hf.ElectraModel(config)


def mpnet(hf: Any) -> tuple[Any, Any]:
    tokenizer = wordpiece(hf.MPNetTokenizer, pad="<pad>", start="<s>", end="</s>")
    config = hf.MPNetConfig(**SMALL, max_position_embeddings=POSITIONS + 2, pad_token_id=tokenizer.pad_token_id)
    return tokenizer, hf.MPNetModel(config)


def roberta(hf: Any) -> tuple[Any, Any]:
    vocabulary, merges = byte_pairs(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    config = hf.RobertaConfig(**SMALL, max_position_embeddings=POSITIONS + 2)
    return hf.RobertaTokenizer(vocab=vocabulary, merges=merges), hf.RobertaModel(config)


def modernbert(hf: Any) -> tuple[Any, Any]:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary, merges = byte_pairs(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    wrapped = hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, mask_token="[MASK]", **names)
    ids = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
    config = hf.ModernBertConfig(**SMALL, **ids, max_position_embeddings=POSITIONS, vocab_size=len(wrapped))
    return wrapped, hf.ModernBertModel(config)


def albert(hf: Any) -> tuple[Any, Any]:
    tokenizer = unigram(hf.AlbertTokenizer, ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"])
    config = hf.AlbertConfig(**SMALL, embedding_size=16, max_position_embeddings=POSITIONS)
    return tokenizer, hf.AlbertModel(config)


def deberta_v2(hf: Any) -> tuple[Any, Any]:
    """With DeBERTa-v3's relative positions."""
    tokenizer = unigram(hf.DebertaV2Tokenizer, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    v3 = {"relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c", "c2p"]}
    more = {"position_buckets": 16, "share_att_key": True, "norm_rel_ebd": "layer_norm"}
    config = hf.DebertaV2Config(**SMALL, **v3, **more, max_position_embeddings=POSITIONS)
    return tokenizer, hf.DebertaV2Model(config)


def xlnet(hf: Any) -> tuple[Any, Any]:
    special = ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>"]
    config = hf.XLNetConfig(d_model=32, n_layer=2, n_head=2, d_inner=64, initializer_range=0.15)
    return unigram(hf.XLNetTokenizer, special), hf.XLNetModel(config)


def t5(hf: Any) -> tuple[Any, Any]:
    return t5_tokenizer(hf), hf.T5ForConditionalGeneration(hf.T5Config(**T5, decoder_start_token_id=0))


def t5_1_1(hf: Any) -> tuple[Any, Any]:
    """Flan-T5's kind: gated, its output not scaled."""
    more = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "decoder_start_token_id": 0}
    return t5_tokenizer(hf), hf.T5ForConditionalGeneration(hf.T5Config(**T5, **more))


def t5_tokenizer(hf: Any) -> Any:
    tokenizer = unigram(hf.T5Tokenizer, ["<pad>", "</s>", "<unk>"])
    tokenizer.model_max_length = 32
    return tokenizer


def bart(hf: Any) -> tuple[Any, Any]:
    vocabulary, merges = byte_pairs(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    layers = {f"{part}_{name}": 2 for part in ("encoder", "decoder") for name in ("layers", "attention_heads")}
    config = hf.BartConfig(d_model=32, **layers, encoder_ffn_dim=64, decoder_ffn_dim=64, init_std=0.15)
    return hf.BartTokenizer(vocab=vocabulary, merges=merges), hf.BartForConditionalGeneration(config)


ARCHITECTURES: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    made.__name__: made
    for made in (
        bert, roberta, distilbert, albert, electra, deberta_v2, xlnet, modernbert, mpnet, t5, t5_1_1, bart,
    )
}  # fmt: skip


def save_small(architecture: str, folder: Path) -> Path:
    """A random model as it would be downloaded: config, safetensors, tokenizer."""
    import torch
    import transformers

    torch.manual_seed(0)
    tokenizer, model = ARCHITECTURES[architecture](transformers)
    model.resize_token_embeddings(len(tokenizer))
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder
