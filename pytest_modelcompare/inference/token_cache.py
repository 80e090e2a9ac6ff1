"""Tokens kept in a folder: a set of texts is tokenised once, and read from the disk as it is needed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.inference.tokens import Encoded, Encoder, Numbers, joined

LENGTHS = "lengths.npy"


def encode_once(encoder: Encoder, texts: Sequence[str], kept: Path | None, scratch: Path) -> Encoded:
    """The texts' tokens, mapped from `kept` where they were tokenised before.

    Safe under several processes: tokens are written to `scratch` and put in place by one
    rename, and whoever comes second takes what is there. Nothing is ever removed.

    Args:
        kept: a folder for tokens; None to keep nothing.
        scratch: a folder on the same disk.

    Raises:
        OSError: the disk is full.
    """
    digest = None if kept is None else tokenizer_digest(encoder)
    if kept is None or digest is None or not texts:
        return encoder.encode(texts)
    target = kept / f"{digest[:32]}-{texts_digest(texts)[:32]}"
    found = read_tokens(target, len(texts))
    if found is None:
        put_in_place(write_tokens(encoder, texts, scratch / "tokens"), target)
        found = read_tokens(target, len(texts))
    return encoder.encode(texts) if found is None else found


def tokenizer_digest(encoder: Encoder) -> str | None:
    """What decides a text's tokens, as sha256 hex; None for a tokenizer that cannot say (one written in Python)."""
    import tokenizers
    import transformers

    tokenizer = encoder.tokenizer
    if not getattr(tokenizer, "is_fast", False):
        return None
    inner = tokenizer.backend_tokenizer
    inner.no_truncation()  # both are set anew with every call, and would make the digest depend on the last one
    inner.no_padding()
    more: tuple[Any, ...] = (
        encoder.max_length,
        encoder.prefix,
        type(tokenizer).__name__,
        tokenizer.truncation_side,
        tokenizer.model_input_names,
        tokenizers.__version__,
        transformers.__version__,
    )
    return hashlib.sha256(f"{more!r}\0{inner.to_str()}".encode("utf-8", "surrogatepass")).hexdigest()


def texts_digest(texts: Sequence[str]) -> str:
    """sha256 hex over texts and where each ends."""
    digest = hashlib.sha256()
    for text in texts:
        written = text.encode("utf-8", "surrogatepass")
        digest.update(len(written).to_bytes(8, "little") + written)
    return digest.hexdigest()


def write_tokens(encoder: Encoder, texts: Sequence[str], folder: Path) -> Path:
    """Tokenise into a folder, a part at a time: the texts' tokens are never in memory all at once."""
    folder.mkdir()
    lengths: list[NDArray[np.int64]] = []
    with ExitStack() as files:
        columns: dict[str, Any] = {}
        for part, part_lengths in encoder.parts(texts):
            lengths.append(part_lengths)
            for name, values in part.items():
                if name not in columns:
                    columns[name] = files.enter_context((folder / f"{name}.int32").open("wb"))
                columns[name].write(values.tobytes())
    np.save(folder / LENGTHS, np.concatenate(lengths))
    return folder


def put_in_place(made: Path, target: Path) -> None:
    """One rename; where another process was faster, its tokens are as good."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        made.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(made)


def read_tokens(folder: Path, n: int) -> Encoded | None:
    """The tokens of `n` texts in a folder, mapped; None where they are not there, or not whole."""
    try:
        lengths = np.load(folder / LENGTHS, allow_pickle=False)
        paths = sorted(folder.glob("*.int32"))
        flat: dict[str, Numbers] = {path.stem: np.asarray(np.memmap(path, np.int32, "r")) for path in paths}
    except (OSError, ValueError, EOFError):
        return None
    whole = len(lengths) == n and "input_ids" in flat and all(len(one) == lengths.sum() for one in flat.values())
    return joined(flat, np.asarray(lengths, np.int64)) if whole else None
