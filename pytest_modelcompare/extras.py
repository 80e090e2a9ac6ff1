"""The extras of this package: which of them provides a library, and what is said where a library is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec

from pytest_modelcompare.errors import UnavailableError

EXTRA_OF: Mapping[str, str] = {
    "anthropic": "anthropic",
    "datasets": "data",
    "dspy": "dspy",
    "huggingface_hub": "train",
    "mlflow": "mlflow",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "openai": "openai",
    "openpyxl": "xlsx",
    "pyarrow": "data",
    "safetensors": "train",
    "sklearn": "train",
    "torch": "train",
    "transformers": "train",
}
"""By the name that a library is imported under. What is not here is installed with the core."""


class NotInstalledError(UnavailableError):
    """A library of an extra is needed and not there."""


def is_installed(library: str) -> bool:
    """Whether a library can be imported; imports nothing."""
    return find_spec(library) is not None


def not_installed(libraries: Iterable[str]) -> list[str]:
    """Those that cannot be imported, in the order given."""
    return [library for library in libraries if not is_installed(library)]


def install_command(libraries: Iterable[str]) -> str:
    """What installs the extras of these libraries."""
    extras = sorted({EXTRA_OF[library] for library in libraries})
    return f'pip install "pytest-modelcompare[{",".join(extras)}]"'


def require(needed_by: str, libraries: Iterable[str], *, where: str | None = None, otherwise: str = "") -> None:
    """Say before the work starts what it cannot do without.

    Args:
        needed_by: what a suite or a command line says, e.g. "`serve: onnx`".
        where: the place of that, where it is known.
        otherwise: what to do instead of installing something.

    Raises:
        NotInstalledError: one of the libraries is not installed; its `fix` is the command that installs it.
    """
    if missing := not_installed(libraries):
        fix = install_command(missing) + (f", or {otherwise}" if otherwise else "")
        what = f"{needed_by} needs {listed(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed"
        raise NotInstalledError(what, where=where, fix=fix)


def listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def installed_versions(packages: Iterable[str]) -> Mapping[str, str]:
    """Package → version, of those that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
