"""`datasets` folders and hub data sets. No remote code is ever run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.data.settings import FileSettings
from pytest_modelcompare.data.table import Table, cell
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.extras import require

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict


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
    return as_table(chosen_split(loaded, settings.split, str(path)), str(path))


def from_hub(settings: FileSettings) -> Table:
    """`hf://NAME@REVISION:split`; NAME may also be a local folder, as `datasets.load_dataset` takes one."""
    where = settings.path
    require("a data set of the hub", ["datasets"], where=where)
    import datasets
    from huggingface_hub.errors import HfHubHTTPError

    name, revision, split = parsed(settings)
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
    return as_table(chosen_split(loaded, split, where), where)


def parsed(settings: FileSettings) -> tuple[str, str | None, str | None]:
    """Name, revision and split of a hub reference."""
    rest = settings.path.removeprefix("hf://")
    rest, _, split = rest.partition(":")
    name, _, revision = rest.partition("@")
    if not name:
        raise DataError("names no data set", where=settings.path, fix="write hf://NAME@REVISION:split")
    return name, revision or None, split or settings.split


def chosen_split(loaded: Dataset | DatasetDict, split: str | None, where: str) -> Dataset:
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


def as_table(dataset: Dataset, where: str) -> Table:
    """Columns as text; class labels by their name."""
    if len(dataset) == 0:
        raise DataError("has no rows", where=where)
    columns: dict[str, list[str | None]] = {}
    for name, feature in dataset.features.items():
        names: Any = getattr(feature, "names", None)
        values = dataset[name]
        columns[name] = [
            names[value] if names and value is not None and value >= 0 else cell(value) for value in values
        ]
    return Table(columns, where)
