"""Model references: where `hub-id[@revision]`, a path or `package:MODULE/SUBPATH` lies, and what identifies weights."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.extras import require

HUB_ID = re.compile(r"(?P<id>[\w.-]+(/[\w.-]+)?)(@(?P<revision>[\w./-]+))?")
COMMIT = re.compile(r"[0-9a-f]{40}")
SMALL_FILES = ("*.json", "*.txt", "*.model", "1_Pooling/config.json")


def local_folder(reference: str, base: Path) -> Path | None:
    """The folder a reference names; None where it is a hub id. Imports nothing.

    Raises:
        ModelError: the package or folder is not there, or the reference has no known form.
    """
    if reference.startswith("package:"):
        return package_folder(reference)
    path = base / Path(reference).expanduser()
    if path.is_dir():
        return path.resolve()
    looks_like_path = reference.startswith((".", "~", "/")) or reference.count("/") > 1
    if looks_like_path or not HUB_ID.fullmatch(reference):
        raise ModelError(
            "there is no such model folder",
            where=reference,
            fix=f"paths start at {base}; other forms are `org/name@revision` and `package:MODULE/SUBPATH`",
        )
    return None


def package_folder(reference: str) -> Path:
    """The folder inside an installed package, found without importing the package."""
    module, _, rest = reference.removeprefix("package:").partition("/")
    top, *inner = module.split(".")
    spec = importlib.util.find_spec(top) if top.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"the package `{top}` is not installed", where=reference, fix=f"pip install {top.replace('_', '-')}"
        )
    root = Path(next(iter(spec.submodule_search_locations))).joinpath(*inner).resolve()
    folder = (root / rest).resolve()
    if not folder.is_relative_to(root):
        raise ModelError("the path leads out of the package", where=reference, fix="name a folder inside the package")
    if not folder.is_dir():
        raise ModelError(f"the package has no folder `{rest}`", where=reference, fix=f"see what is in {root}")
    return folder


def split_hub_id(reference: str) -> tuple[str, str]:
    """(repository, revision); the revision is "main" where none is named."""
    found = HUB_ID.fullmatch(reference)
    assert found is not None
    return found["id"], found["revision"] or "main"


def hub_commit(reference: str) -> str:
    """The commit a hub reference stands for: from the local cache, else asked of the hub.

    Raises:
        ModelError: it is neither in the cache nor to be had from the hub.
        NotInstalledError: it is not in the cache, and what asks the hub is not there.
    """
    repository, revision = split_hub_id(reference)
    if COMMIT.fullmatch(revision):
        return revision
    ref = hub_cache() / f"models--{repository.replace('/', '--')}" / "refs" / revision
    if ref.is_file():
        return ref.read_text(encoding="ascii").strip()
    require(f"asking for the newest `{reference}`", ["huggingface_hub"], otherwise=f"name its commit: {repository}@…")
    from huggingface_hub import HfApi

    with hub_errors(reference):
        return str(HfApi().model_info(repository, revision=revision).sha)


def hub_cache() -> Path:
    """Where huggingface_hub keeps models, by its own environment variables."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home, "hub")).expanduser()


def model_folder(reference: str, base: Path, *, weights: str | None = "safetensors") -> Path:
    """The folder with the model's files, downloaded first where it is a hub id.

    Args:
        weights: safetensors, pickle (torch's own format too), or None for config and tokenizer alone.

    Raises:
        ModelError: it is not there, or holds no weights in the format allowed.
    """
    folder = local_folder(reference, base) or download_model(reference, weights)
    if not (folder / "config.json").is_file():
        raise ModelError("the folder holds no model: no config.json", where=reference)
    if weights == "safetensors" and not any(folder.glob("*.safetensors")):
        raise ModelError(
            "there are no weights as safetensors",
            where=reference,
            fix="convert them to safetensors, or say `weights: pickle` if you trust their origin",
        )
    return folder


def download_model(reference: str, weights: str | None) -> Path:
    """Fetch (or find in the cache) what is needed of a hub repository."""
    from huggingface_hub import snapshot_download

    repository, _ = split_hub_id(reference)
    formats = {"safetensors": ["*.safetensors"], "pickle": ["*.safetensors", "pytorch_model*.bin"], None: []}[weights]
    with hub_errors(reference):
        return Path(
            snapshot_download(
                repository,
                revision=hub_commit(reference),
                allow_patterns=[*SMALL_FILES, *formats],
                ignore_patterns=["onnx/*", "openvino/*"],
            )
        )


@contextmanager
def hub_errors(reference: str) -> Iterator[None]:
    """The hub's and the network's failures, as ModelError."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # The bases are OSError and HTTPError of the client that this version of the hub library uses.
    expected: tuple[type[BaseException], ...] = (*HfHubHTTPError.__bases__, HFValidationError)
    try:
        yield
    except expected as error:
        first_line = str(error).strip().split("\n")[0] or type(error).__name__
        raise ModelError(
            f"it is no folder here, and the model hub does not give it: {first_line}",
            where=reference,
            fix="check the name and the network, download it first, or use a path or `package:MODULE/SUBPATH`",
        ) from error


def hub_unreachable(error: ModelError) -> bool:
    """Whether the hub did not answer; False where it answered that it has no such model, or gives it not."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    cause = error.__cause__
    if isinstance(cause, HfHubHTTPError):
        return cause.response.status_code >= 500
    client_error = HfHubHTTPError.__bases__[0]
    return isinstance(cause, (client_error, ConnectionError, TimeoutError, LocalEntryNotFoundError))


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
