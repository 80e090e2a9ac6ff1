"""Pretrained models from a folder: weights checked for fit, no remote code, no noise."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.token_ids import Encoder, length_limit


def load_tokenizer(folder: Path, config: Any, max_length: int | None, where: str, prefix: str | None = None) -> Encoder:
    """The model's own tokenizer.

    Args:
        prefix: put before every text.

    Raises:
        ModelError: it cannot be loaded, or `max_length` is more than the model can read.
    """
    from transformers import AutoTokenizer

    with quiet_transformers(), model_errors(where):
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    keep_literals_as_text(tokenizer)
    sentence = folder / "sentence_bert_config.json"
    own = json.loads(sentence.read_text(encoding="utf-8")).get("max_seq_length") if sentence.is_file() else None
    return Encoder(tokenizer, length_limit(tokenizer, config, max_length, where, own), prefix or "")


def keep_literals_as_text(tokenizer: Any) -> None:
    """Make a text that spells a special token, "</s>", no longer encode as that token.

    `split_special_tokens` does so for most tokenizers. The vocabularies of Unigram
    ones (T5, XLNet, ALBERT, DeBERTa-v3) hold the special tokens as pieces, found in
    a text like any other: their spelling is split after its first character. A stray
    end token would break T5's classification head, a stray padding token RoBERTa's positions.
    """
    from tokenizers import Regex, pre_tokenizers

    special = {token: tokenizer.convert_tokens_to_ids(token) for token in tokenizer.all_special_tokens}
    special.pop(tokenizer.unk_token, None)  # a text that spells it is unknown either way
    if not special or not tokenizer.is_fast:
        return
    found = tokenizer(list(special), split_special_tokens=True, add_special_tokens=False)["input_ids"]
    heard = [token for token, ids in zip(special, found, strict=True) if special[token] in ids]
    if heard:
        spelling = "|".join(f"{re.escape(token[0])}(?={re.escape(token[1:])})" for token in heard)
        before = tokenizer.backend_tokenizer.pre_tokenizer
        split = pre_tokenizers.Split(Regex(spelling), "isolated")
        tokenizer.backend_tokenizer.pre_tokenizer = (
            split if before is None else pre_tokenizers.Sequence([split, before])
        )


def load_config(folder: Path, where: str, **changes: Any) -> Any:
    """The model's configuration; code that a repository carries is never run."""
    from transformers import AutoConfig

    with quiet_transformers(), model_errors(where):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True, **changes)
    return drop_generation(config)


def drop_generation(config: Any) -> Any:
    """Nothing is kept for a next token or a next segment: it would cost memory and is never read."""
    for name in ("use_cache", "use_mems_eval"):
        if hasattr(config, name):
            setattr(config, name, False)
    if getattr(config, "is_encoder_decoder", False) and getattr(config, "decoder_start_token_id", None) is None:
        config.decoder_start_token_id = config.pad_token_id  # as T5 was trained
    return config


def load_weights(auto_class: Any, folder: Path, config: Any, weights: str, where: str) -> Any:
    """A model in fp32 with its pretrained weights; only what no checkpoint has (a new head) starts random.

    Args:
        auto_class: AutoModel or AutoModelForSequenceClassification.
        weights: safetensors, or pickle to allow torch's own format, read with weights_only=True.

    Raises:
        ModelError: the weights cannot be read, or do not belong to this architecture.
    """
    import torch

    with quiet_transformers(), model_errors(where):
        model, info = auto_class.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            trust_remote_code=False,
            local_files_only=True,
            use_safetensors=True if weights == "safetensors" else None,
            weights_only=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    absent = [*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])]
    prefix = f"{model.base_model_prefix}." if hasattr(model, model.base_model_prefix) else ""
    lost = [key for key in absent if key.startswith(prefix) and "pooler" not in key]
    if lost:
        raise ModelError(
            f"{len(lost)} of the model's weights are not in the checkpoint, `{sorted(lost)[0]}` among them",
            where=where,
            fix="the checkpoint belongs to another architecture than its config.json says",
        )
    return model


@contextmanager
def model_errors(where: str) -> Iterator[None]:
    """What loading can fail with, as ModelError."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError, SafetensorError) as error:
        lines = str(error).strip().splitlines()
        said = lines[0][:300] if lines else type(error).__name__
        raise ModelError(
            f"the model cannot be loaded: {said}", where=where, fix="check that its files are whole and of a known type"
        ) from error


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """transformers without bars and loading reports: what matters of them is checked here."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
