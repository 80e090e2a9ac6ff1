"""From a source as the suite names it to a table. No remote code is ever run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.data.data_settings import FileSettings, kind_of
from pytest_modelcompare.data.download import fetch_file
from pytest_modelcompare.data.files import read_file, require_fitting
from pytest_modelcompare.data.text_table import Table, cell_text
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.extras import require

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict


def source_table(settings: FileSettings, base: Path, downloads: Path) -> Table:
    """Every row of a source; `rows:` is taken later, when labels are known.

    Args:
        base: where relative paths start.
        downloads: where files named by URL and digest are kept.
    """
    kind = kind_of(settings)
    if kind == "hub":
        require_fitting(settings, (), "a hub data set", settings.path)
        return from_hub(settings)
    if kind == "url":
        path = fetch_file(settings.path, settings.sha256, downloads)
        return read_file(path, settings, name=settings.path.partition("?")[0])
    path = (base / settings.path).expanduser()
    if path.is_dir():
        require_fitting(settings, (), "a `datasets` folder", str(path))
        return from_folder(path, settings)
    if not path.exists():
        raise DataError("no such file", where=str(path), fix="paths are relative to the suite file")
    if settings.sha256 is not None:
        require_digest(path, settings.sha256)
    return read_file(path, settings)


def require_digest(path: Path, expected: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected.lower():
        raise DataError(
            "the content has changed", where=str(path), fix=f"its sha256 is {found}, the suite says {expected.lower()}"
        )


def from_folder(path: Path, settings: FileSettings) -> Table:
    """A folder that `Dataset.save_to_disk` or `DatasetDict.save_to_disk` wrote."""
    require("a `datasets` folder", ["datasets"], where=str(path))
    import datasets

    try:
        loaded = datasets.load_from_disk(str(path))
    except FileNotFoundError as error:
        raise DataError(
            "is no `datasets` folder", where=str(path), fix="write one with `dataset.save_to_disk(…)`, or name a file"
        ) from error
    return table_of_dataset(choose_split(loaded, settings.split, str(path)), str(path))


def from_hub(settings: FileSettings) -> Table:
    """`hf://NAME@REVISION:split`; NAME may also be a local folder, as `datasets.load_dataset` takes one."""
    require("a data set of the hub", ["datasets"], where=settings.path)
    import datasets
    from huggingface_hub.errors import HfHubHTTPError

    where = settings.path
    name, revision, split = parse_hub_path(settings)
    try:
        loaded = datasets.load_dataset(name, revision=revision)
    except (
        datasets.exceptions.DatasetNotFoundError,
        FileNotFoundError,
        ConnectionError,
        ValueError,
        HfHubHTTPError,
    ) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"cannot be loaded: {reason}",
            where=where,
            fix="check the name and the network, or name a local `datasets` folder",
        ) from error
    return table_of_dataset(choose_split(loaded, split, where), where)


def parse_hub_path(settings: FileSettings) -> tuple[str, str | None, str | None]:
    """Name, revision and split of a hub reference."""
    rest = settings.path.removeprefix("hf://")
    rest, _, split = rest.partition(":")
    name, _, revision = rest.partition("@")
    if not name:
        raise DataError("names no data set", where=settings.path, fix="write hf://NAME@REVISION:split")
    return name, revision or None, split or settings.split


def choose_split(loaded: Dataset | DatasetDict, split: str | None, where: str) -> Dataset:
    """One split; the only one where none is named."""
    if not hasattr(loaded, "keys"):
        if split is not None:
            raise DataError("holds one data set without splits", where=where, fix="leave `split` out")
        return loaded
    names = list(loaded.keys())
    if split is None and len(names) == 1:
        split = names[0]
    if split not in names:
        said = f"no split `{split}`" if split else "holds several splits"
        raise DataError(
            said, where=where, fix=f"choose one of {', '.join(names)} with `split:` (or `:split` after hf://NAME)"
        )
    return loaded[split]


def table_of_dataset(dataset: Dataset, where: str) -> Table:
    """Columns as text; class labels by their name."""
    if len(dataset) == 0:
        raise DataError("has no rows", where=where)
    columns: dict[str, list[str | None]] = {}
    for name, feature in dataset.features.items():
        names: Any = getattr(feature, "names", None)
        values = dataset[name]
        columns[name] = [
            names[value] if names and value is not None and value >= 0 else cell_text(value) for value in values
        ]
    return Table(columns, where)
