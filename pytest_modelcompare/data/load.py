"""From data settings to a data set that was looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pytest_modelcompare.data.checks import (
    double_labelled,
    leaked,
    require_known,
    require_no_leak,
    require_several,
    warn_alike,
    warn_dropped,
    warn_duplicates,
    warn_imbalance,
)
from pytest_modelcompare.data.raw import Raw, read
from pytest_modelcompare.data.settings import DataSettings, as_source
from pytest_modelcompare.data.split import split_rows
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.records import Dataset, Rows


def load_dataset(settings: DataSettings, base: Path, downloads: Path, *, need_validation: bool = False) -> Dataset:
    """Read, check and encode a suite's data.

    Args:
        base: where relative paths start.
        downloads: where files named by URL are kept.
        need_validation: carve or read the validation rows too.

    Raises:
        DataError: says where, what and what to do.
    """
    train, test, warnings = read_splits(settings, base, downloads)
    validation, whole = None, train
    if need_validation and train is not None:
        train, validation = carved(settings, train, base, downloads)
        if validation.where != train.where:
            warnings += warn_dropped(validation.dropped, len(validation.texts), "validation rows")
    names = label_names(settings, train, test)
    parts = [part for part in (train, validation, test) if part is not None]
    for part in parts:
        require_known(part.labels, settings, names, part.where)
    require_several(names, test.labels if train is None else train.labels, test.where if train is None else train.where)
    leak = leaked(train.texts, test.texts) if train is not None else []
    require_no_leak(leak, len(test.texts), settings.leakage, test.where)
    warnings += warn_alike(names) + leak_warning(leak, len(test.texts)) + warn_duplicates(test.texts)
    warnings += warn_imbalance(test.labels, names) + warn_selection(settings)
    encoded = [encode(part, names) if part is not None else None for part in (train, validation, test)]
    digest = digest_of(names, settings.descriptions, encoded)
    assert encoded[2] is not None
    all_train = encode(whole, names) if whole is not None and whole is not train else None
    return Dataset(
        names,
        settings.descriptions,
        encoded[0],
        encoded[1],
        encoded[2],
        digest,
        len(leak),
        tuple(warnings),
        all_train,
    )


def read_splits(settings: DataSettings, base: Path, downloads: Path) -> tuple[Raw | None, Raw, list[str]]:
    """Training and test rows, from two sources or from one that is split."""
    if settings.split is not None:
        if settings.train is None or settings.test is not None:
            raise DataError("`split` makes the test rows out of `train`", fix="name `train` and leave `test` out")
        whole = read(settings.train, settings, base, downloads)
        warnings = double_labelled(whole.texts, whole.labels) + warn_dropped(whole.dropped, len(whole.texts), "rows")
        rest, test = split_rows(whole.texts, whole.labels, whole.groups, settings.split.test, settings.split.seed)
        return whole.picked(rest), whole.picked(test), warnings
    if settings.test is None:
        raise DataError("no test rows", fix="name `test:`, or `split: {test: 0.2}` to make them out of `train:`")
    test_rows = read(settings.test, settings, base, downloads)
    warnings = warn_dropped(test_rows.dropped, len(test_rows.texts), "test rows")
    if settings.train is None:
        return None, test_rows, warnings
    train = read(settings.train, settings, base, downloads)
    warnings += warn_dropped(train.dropped, len(train.texts), "training rows")
    warnings += double_labelled(train.texts + test_rows.texts, train.labels + test_rows.labels)
    return train, test_rows, warnings


def carved(settings: DataSettings, train: Raw, base: Path, downloads: Path) -> tuple[Raw, Raw]:
    """Training rows without, and with only, the validation rows."""
    wanted = 0.1 if settings.validation is None else settings.validation
    if isinstance(wanted, float):
        rest, some = split_rows(train.texts, train.labels, train.groups, wanted, seed=0)
        return train.picked(rest), train.picked(some)
    return train, read(wanted, settings, base, downloads)


def label_names(settings: DataSettings, train: Raw | None, test: Raw) -> tuple[str, ...]:
    """The suite's labels in its order, else those of the training rows, sorted."""
    if settings.label_names is not None:
        return settings.label_names
    return tuple(sorted(set(test.labels if train is None else train.labels)))


def encode(raw: Raw, names: tuple[str, ...]) -> Rows:
    number = {name: index for index, name in enumerate(names)}
    groups = None
    if raw.groups is not None:
        groups = np.unique(np.array(raw.groups), return_inverse=True)[1].astype(np.int64)
    labels = np.array([number[label] for label in raw.labels], np.int64)
    return Rows(tuple(raw.texts), labels, tuple(raw.ids), groups, raw.columns)


def leak_warning(leak: Sequence[int], n: int) -> list[str]:
    return [f"{len(leak):,} of {n:,} test texts also stand in train"] if leak else []


def warn_selection(settings: DataSettings) -> list[str]:
    """Validation rows that are the test rows."""
    if settings.validation is None or isinstance(settings.validation, float) or settings.test is None:
        return []
    ours, theirs = as_source(settings.validation), as_source(settings.test)
    if (ours.path, ours.split) != (theirs.path, theirs.split):
        return []
    return ["the validation rows are the test rows: what is selected on them looks better on them than it is"]


def digest_of(names: tuple[str, ...], descriptions: dict[str, str], parts: Sequence[Rows | None]) -> str:
    """sha256 over labels, their descriptions, texts and label numbers of every part."""
    digest = hashlib.sha256(repr((names, sorted(descriptions.items()))).encode())
    for part in parts:
        digest.update(b"\0none" if part is None else b"\0rows")
        if part is not None:
            digest.update("\0".join(part.texts).encode("utf-8", "surrogatepass") + part.labels.tobytes())
    return digest.hexdigest()
