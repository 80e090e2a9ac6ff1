"""Small random models of the same architecture, for smoke runs: in seconds, and offline."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.model_reference import (
    hub_errors,
    hub_unreachable,
    local_folder,
    model_folder,
    split_hub_id,
)
from pytest_modelcompare.inference.pretrained import (
    drop_generation,
    keep_literals_as_text,
    load_config,
    load_tokenizer,
    model_errors,
    quiet_transformers,
)
from pytest_modelcompare.inference.token_ids import LONGEST, Encoder

TOKENS = 64
"""Texts are cut here in a smoke run, whatever the suite says."""

TIMEOUT_S = 5

LAYERS, WIDTH, HEADS = 2, 32, 2
SMALL = {
    LAYERS: "num_hidden_layers n_layers n_layer num_layers num_decoder_layers encoder_layers decoder_layers "
    "num_attention_heads n_heads n_head num_heads num_key_value_heads encoder_attention_heads decoder_attention_heads",
    WIDTH: "hidden_size dim d_model embedding_size pooler_hidden_size",
    2 * WIDTH: "intermediate_size hidden_dim d_inner d_ff encoder_ffn_dim decoder_ffn_dim",
    WIDTH // HEADS: "d_kv head_dim d_head",
}
"""What the architectures call layers and heads (2 of each), width, feed-forward and width of a head."""

SPECIAL = ["<pad>", "<unk>", "<s>", "</s>", "<mask>"]
KIN = {"deberta-v3": "deberta-v2", "distilroberta": "roberta", "minilm": "bert", "flan-t5": "t5"}
"""Names that do not say their `model_type`."""


def small_config(
    reference: str,
    base: Path,
    auto_class: Any,
    texts: Sequence[str],
    *,
    max_length: int | None = None,
    prefix: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> tuple[Any, Encoder]:
    """The architecture a reference names with few and narrow layers, and its tokenizer.

    Where the hub cannot be reached, both are guessed from the name: see `guess_note`.

    Args:
        auto_class: what the model will be made with.
        texts: what a guessed tokenizer is trained on.
        changes: to the configuration.

    Raises:
        ModelError: there is no such model, or its configuration cannot be used.
    """
    folder = known_folder(reference, base)
    if folder is None:
        tokenizer, config = guess_config(reference, auto_class, texts, changes or {})
        encoder = Encoder(tokenizer, max_length or LONGEST, prefix or "")
    else:
        config = load_config(folder, reference, **(changes or {}))
        encoder = load_tokenizer(folder, config, max_length, reference, prefix)
    with model_errors(reference):
        small = shrink_config(config)
    return small, Encoder(encoder.tokenizer, min(encoder.max_length, TOKENS), encoder.prefix)


def random_weights(auto_class: Any, config: Any, where: str) -> Any:
    """A model that has learnt nothing."""
    with quiet_transformers(), model_errors(where):
        return auto_class.from_config(config)


def guess_note(reference: str, base: Path) -> tuple[str, ...]:
    """Says so when a model's architecture could only be guessed."""
    if known_folder(reference, base) is not None:
        return ()
    return (f"`{reference}` cannot be fetched here: a small random model stands in, its architecture guessed by name",)


@functools.cache
def known_folder(reference: str, base: Path) -> Path | None:
    """The folder with config and tokenizer; None where the hub does not answer."""
    if local_folder(reference, base) is None:
        from huggingface_hub import HfApi, try_to_load_from_cache

        repository, revision = split_hub_id(reference)
        cached = try_to_load_from_cache(repository, "config.json", revision=revision)
        if isinstance(cached, str):
            return Path(cached).parent
        try:
            with hub_errors(reference):  # asks once: a download would go on asking for half a minute
                HfApi().model_info(repository, revision=revision, timeout=TIMEOUT_S)
        except ModelError as error:
            if hub_unreachable(error):
                return None
            raise
    return model_folder(reference, base, weights=None)


def shrink_config(config: Any) -> Any:
    """The same architecture with few and narrow layers; vocabulary, positions and labels as they are."""
    given = config.to_dict()
    sizes = {name: size for size, names in SMALL.items() for name in names.split() if isinstance(given.get(name), int)}
    if isinstance(given.get("layer_types"), list):
        sizes["layer_types"] = given["layer_types"][:LAYERS]
    return drop_generation(type(config).from_dict(given | sizes))


def guess_config(reference: str, auto_class: Any, texts: Sequence[str], changes: Mapping[str, Any]) -> tuple[Any, Any]:
    """A tokenizer trained on the texts, and a configuration of the architecture that the name suggests."""
    from transformers import AutoConfig

    architecture = architecture_of(reference, *buildable_architectures(auto_class))
    tokenizer = train_tokenizer(texts, architecture)
    ids = {"pad_token_id": 0, "bos_token_id": 2, "cls_token_id": 2, "eos_token_id": 3, "sep_token_id": 3}
    config = AutoConfig.for_model(architecture, vocab_size=len(tokenizer), **ids, **changes)
    if "max_position_embeddings" in config.to_dict():
        config.max_position_embeddings = TOKENS + 8
    if config.is_encoder_decoder:
        config.decoder_start_token_id = 0 if "t5" in architecture else 3
    return tokenizer, config


def buildable_architectures(auto_class: Any) -> tuple[Sequence[str], str]:
    """Every `model_type` that an auto class can build, and the one to take where a name tells nothing."""
    from transformers.models.auto import modeling_auto as auto

    known: dict[str, tuple[Mapping[str, Any], str]] = {
        "AutoModel": (auto.MODEL_MAPPING_NAMES, "bert"),
        "AutoModelForSequenceClassification": (auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES, "bert"),
        "AutoModelForSeq2SeqLM": (auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES, "t5"),
        "AutoModelForCausalLM": (auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, "llama"),
    }
    names, default = known[auto_class.__name__]
    return list(names), default


def architecture_of(reference: str, known: Sequence[str], default: str) -> str:
    """The `model_type` that a hub name suggests: the longest that begins a part of it, else the default."""
    name = split_hub_id(reference)[0].lower()
    spoken = {kind.replace("_", "-"): kind for kind in known} | {
        kin: kind for kin, kind in KIN.items() if kind in known
    }
    said = [word for word in spoken if re.search(rf"(?<![a-z0-9]){re.escape(word)}", name)]
    return spoken[max(said, key=len)] if said else default


def train_tokenizer(texts: Sequence[str], architecture: str) -> Any:
    """Byte pairs of the texts, with the special tokens where the architecture reads them."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=1000, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator((text[:1000] for text in texts), trainer)
    reads_last = architecture == "xlnet"
    template = "$A </s> <s>" if reads_last else "$A </s>" if "t5" in architecture else "<s> $A </s>"
    tokenizer.post_processor = processors.TemplateProcessing(template, None, [("<s>", 2), ("</s>", 3)])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",  # noqa: S106
        unk_token="<unk>",  # noqa: S106
        cls_token="<s>",  # noqa: S106
        sep_token="</s>",  # noqa: S106
        eos_token="</s>",  # noqa: S106
        mask_token="<mask>",  # noqa: S106
        padding_side="left" if reads_last else "right",
    )
    keep_literals_as_text(wrapped)
    return wrapped
