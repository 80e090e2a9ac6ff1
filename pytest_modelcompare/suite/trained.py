"""`train:` and `sweep:`, as far as a suite says them of a contestant or in its `defaults:`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_modelcompare.methods.registry import METHODS
from pytest_modelcompare.methods.training_rows import TrainedOptions, TrainSettings
from pytest_modelcompare.settings import Settings
from pytest_modelcompare.suite.document import Document, Path
from pytest_modelcompare.suite.sweeps import NOT_AVAILABLE, OF_TRAIN, swept_values
from pytest_modelcompare.suite.validate import shown, validated

OF_TRAINED = tuple(TrainedOptions.model_fields)
"""Options of every trained contestant."""


def trains(method: str) -> bool:
    return METHODS[method].traits.trains


def option_names(kind: type[Settings]) -> list[str]:
    return [name for name in kind.model_fields if name != kind.main]


def train_settings(value: object, document: Document, path: Path) -> TrainSettings | None:
    """What stands under `train:`; None, and problems noted, where that is nothing of the kind."""
    if value is None:
        return None
    if not isinstance(value, dict):
        document.add(f"expected a mapping, not {shown(value)}", document.place(path), "e.g. `train: {rows: 500}`")
        return None
    if "synthetic" in value:
        document.add(f"`train: {{synthetic: …}}` {NOT_AVAILABLE}", document.place((*path, "synthetic"), key=True))
        return None
    return validated(TrainSettings, value, document, path)


def place_of(option: str, name: str, method: str, options: Mapping[str, Any]) -> Path:
    """Where `train` or `sweep` stands: with the contestant, or in the defaults of its method."""
    return ("contestants", name, option) if option in options else ("defaults", method, option)


def trained_options(
    name: str, method: str, options: Mapping[str, Any], defaults: Mapping[str, Any], document: Document
) -> tuple[TrainSettings | None, dict[str, list[Any]]]:
    """What stands under `train` and `sweep`; problems noted."""
    kind, merged = METHODS[method].settings, {**defaults, **options}
    sweep: dict[str, list[Any]] = {}
    if not trains(method):
        return None, sweep
    train = train_settings(merged.get("train"), document, place_of("train", name, method, options))
    if merged.get("sweep") is not None:
        known = {key: value for key, value in merged.items() if key in option_names(kind)}
        path = place_of("sweep", name, method, options)
        sweep = swept_values(merged["sweep"], kind, method, known, document, path) or {}
    refuse_set_and_swept(name, options, sweep, train, document)
    if train is not None and not train.sizes and not sweep.keys() & OF_TRAIN.keys():
        place = document.place(place_of("train", name, method, options))
        document.add("`train` names no size", place, "write `rows:`, `fraction:` or `per_class:`")
    return train, sweep


def refuse_set_and_swept(
    name: str, options: Mapping[str, Any], sweep: Mapping[str, Any], train: TrainSettings | None, document: Document
) -> None:
    """An option has one value, or is swept; what `defaults:` say of a swept option gives way."""
    hint = "keep one of them" if "sweep" in options else "the sweep stands in `defaults:`"
    for option in sweep:
        path: Path = ("contestants", name, option)
        if option.startswith("train."):
            path = ("contestants", name, "train")
            if "train" not in options or train is None or not train.sizes:
                continue
        elif option not in options:
            continue
        swept = "swept" if path[-1] == option else f"`{option}` is swept"
        document.add(f"`{path[-1]}` is set and {swept}", document.place(path, key=True), hint)
