"""Texts to token ids, kept in a folder where there is one, and ids to padded batches of similar length."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import ModelError

if TYPE_CHECKING:
    import torch

LONGEST = 512
"""Texts are cut here unless the suite says otherwise, whatever the model could read."""


CHUNK = 5_000
"""Texts tokenised at once: a tokenizer's own records of a text take a hundred times its tokens' memory."""

Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Ragged(Sequence[Numbers]):
    """Rows of different lengths, one after the other in one array, which may lie in a file."""

    values: Numbers
    """Shape (all tokens,)."""

    starts: NDArray[np.int64]
    """Shape (n + 1,). Row i is `values[starts[i]:starts[i + 1]]`."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: Any) -> Any:
        return self.values[self.starts[row] : self.starts[row + 1]]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Tokenised texts, not padded yet."""

    columns: dict[str, Sequence[Sequence[int] | Numbers]]
    """`input_ids` and, where the model wants them, `token_type_ids`."""

    lengths: NDArray[np.int64]
    """Shape (n,). Tokens per text, special ones included."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """A tokenizer with the length its model can read."""

    tokenizer: Any
    max_length: int
    prefix: str = ""
    """Put before every text, with a space between."""

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Tokens of every text, cut at `max_length`. A literal "[SEP]" in a text stays text."""
        parts = list(self.parts(texts))
        flat = {name: np.concatenate([part[name] for part, _ in parts]) for name in parts[0][0]} if parts else {}
        return join_columns(flat, np.concatenate([np.zeros(0, np.int64), *(lengths for _, lengths in parts)]))

    def parts(self, texts: Sequence[str]) -> Iterator[tuple[dict[str, Numbers], NDArray[np.int64]]]:
        """Some thousand texts after the other: by column, all their tokens in one array; and tokens per text."""
        for at in range(0, len(texts), CHUNK):
            some = texts[at : at + CHUNK]
            found = self.tokenizer(
                [f"{self.prefix} {text}" for text in some] if self.prefix else list(some),
                truncation=True,
                max_length=self.max_length,
                padding=False,
                split_special_tokens=True,
                return_attention_mask=False,
            )
            lengths = np.fromiter(map(len, found["input_ids"]), np.int64, len(some))
            yield {name: np.fromiter(chain.from_iterable(found[name]), np.int32, int(lengths.sum()))
                   for name in ("input_ids", "token_type_ids") if name in found}, lengths  # fmt: skip

    def batch(self, encoded: Encoded, rows: Sequence[int] | NDArray[np.int64], device: str) -> dict[str, torch.Tensor]:
        """The rows as tensors of shape (rows, longest among them), padded on the tokenizer's own side."""
        import torch

        width = int(encoded.lengths[rows].max())
        left = self.tokenizer.padding_side == "left"
        padding = {"input_ids": self.tokenizer.pad_token_id, "token_type_ids": self.tokenizer.pad_token_type_id}
        arrays = {name: np.full((len(rows), width), padding[name], np.int64) for name in encoded.columns}
        arrays["attention_mask"] = np.zeros((len(rows), width), np.int64)
        for at, row in enumerate(rows):
            length = int(encoded.lengths[row])
            place = slice(width - length, width) if left else slice(0, length)
            arrays["attention_mask"][at, place] = 1
            for name, column in encoded.columns.items():
                arrays[name][at, place] = column[row]
        return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}

    def share_cut(self, encoded: Encoded) -> float:
        """The share of texts that fill `max_length`: cut, or exactly as long."""
        return float((encoded.lengths >= self.max_length).mean()) if len(encoded.lengths) else 0.0


def join_columns(flat: dict[str, Numbers], lengths: NDArray[np.int64]) -> Encoded:
    """Texts from all their tokens, column by column, and how many each has."""
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return Encoded({name: Ragged(values, starts) for name, values in flat.items()}, lengths)


TOKENS_AT_ONCE = {"cpu": 768}
"""Padded tokens of a batch, by device: what a layer makes of so many stays in a core's cache (MiniLM, 400 rows of AG
News, two cores, bf16: 1.06 s in batches of 512 to 2,048 tokens, 2.07 s of 8,192)."""

MOST_AT_ONCE = 8192
"""Elsewhere, where one device computes them side by side."""


def tokens_at_once(kind: str) -> int:
    """Padded tokens of a batch on a kind of device."""
    return TOKENS_AT_ONCE.get(kind, MOST_AT_ONCE)


def batches_by_length(lengths: NDArray[np.int64], size: int, tokens: int = MOST_AT_ONCE) -> list[NDArray[np.int64]]:
    """Row numbers in batches of similar length, longest first: at most `size` rows and `tokens` padded tokens."""
    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        stop = start + max(1, min(size, tokens // max(1, int(lengths[order[start]]))))
        batches.append(order[start:stop])
        start = stop
    return batches


def length_limit(tokenizer: Any, config: Any, wanted: int | None, where: str, model_own: int | None = None) -> int:
    """How many tokens a text may have.

    Raises:
        ModelError: `wanted` is more than the model has positions for.
    """
    habit = int(tokenizer.model_max_length)
    positions = getattr(config, "max_position_embeddings", None)
    if not positions or positions < 0:
        # XLNet and T5 have no table of positions: the tokenizer's number is how they were trained, no limit.
        return wanted or min(habit, LONGEST, model_own or LONGEST)
    # RoBERTa and its kin number positions from the padding token's id on.
    from_padding = "roberta" in config.model_type or config.model_type in ("camembert", "mpnet", "longformer")
    offset = (config.pad_token_id or 0) + 1 if from_padding else 0
    limit = min(habit, int(positions) - offset)
    if wanted is None:
        return min(limit, LONGEST, model_own or LONGEST)
    if wanted > limit:
        raise ModelError(f"max_length {wanted} is more than the model can read", where=where, fix=f"at most {limit}")
    return wanted


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
    return join_columns(flat, np.asarray(lengths, np.int64)) if whole else None
