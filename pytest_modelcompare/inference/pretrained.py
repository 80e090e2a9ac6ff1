"""Pretrained models from a folder: weights checked for fit, no remote code, no noise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.tokens import Encoder, length_limit


def load_tokenizer(folder: Path, config: Any, max_length: int | None, where: str) -> Encoder:
    """The model's own tokenizer.

    Raises:
        ModelError: it cannot be loaded, or `max_length` is more than the model can read.
    """
    from transformers import AutoTokenizer

    with quiet(), model_errors(where):
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    sentence = folder / "sentence_bert_config.json"
    own = json.loads(sentence.read_text(encoding="utf-8")).get("max_seq_length") if sentence.is_file() else None
    return Encoder(tokenizer, length_limit(tokenizer, config, max_length, where, own))


def load_config(folder: Path, where: str, **changes: Any) -> Any:
    """The model's configuration; code that a repository carries is never run."""
    from transformers import AutoConfig

    with quiet(), model_errors(where):
        return AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True, **changes)


def load_weights(auto_class: Any, folder: Path, config: Any, weights: str, where: str) -> Any:
    """A model in fp32 with its pretrained weights; only what no checkpoint has (a new head) starts random.

    Args:
        auto_class: AutoModel or AutoModelForSequenceClassification.
        weights: safetensors, or pickle to allow torch's own format, read with weights_only=True.

    Raises:
        ModelError: the weights cannot be read, or do not belong to this architecture.
    """
    import torch

    with quiet(), model_errors(where):
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


def random_weights(auto_class: Any, config: Any, where: str) -> Any:
    """Two layers of the same architecture with random weights, for smoke runs."""
    for name in ("num_hidden_layers", "num_decoder_layers"):
        if isinstance(getattr(config, name, None), int):
            setattr(config, name, min(2, getattr(config, name)))
    if isinstance(getattr(config, "layer_types", None), list):
        config.layer_types = config.layer_types[:2]
    with quiet(), model_errors(where):
        return auto_class.from_config(config)


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
def quiet() -> Iterator[None]:
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
