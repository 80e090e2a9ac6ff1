"""What identifies weights: a digest over the files that decide what a model computes."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.reference import hub_commit, local_folder, split_hub_id

RELEVANT = (
    "config.json",
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
    "*.safetensors",
    "*.safetensors.index.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
)
PICKLED = ("pytorch_model*.bin", "pytorch_model*.bin.index.json")


def weights_digest(reference: str, base: Path, weights: str = "safetensors") -> str:
    """sha256 over names and contents of config, tokenizer and weight files; for a hub id, its commit.

    Imports no torch. 90 MB take about a tenth of a second, once per process.

    Raises:
        ModelError: there is no such model.
    """
    folder = local_folder(reference, base)
    if folder is None:
        return f"hub:{split_hub_id(reference)[0]}@{hub_commit(reference)}"
    patterns = RELEVANT + (PICKLED if weights == "pickle" else ())
    files = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
    if not files:
        raise ModelError("the folder holds no model", where=reference, fix="name the folder with config.json")
    whole = hashlib.sha256()
    for path in files:
        stat = path.stat()
        digest = file_digest(path, stat.st_size, stat.st_mtime_ns)
        whole.update(f"{path.relative_to(folder).as_posix()} {digest}\n".encode())
    return whole.hexdigest()


@functools.lru_cache(maxsize=1024)
def file_digest(path: Path, size: int, modified_ns: int) -> str:  # noqa: ARG001
    """sha256 hex of a file; size and time are there to notice that it changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
