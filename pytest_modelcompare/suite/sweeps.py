"""`train:` and `sweep:` of a trained contestant: from one entry of the suite to a sweep's members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any

from pydantic import ValidationError

from pytest_modelcompare.gates.claims import number_text, quoted_label
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.training_rows import SIZES, TrainSettings
from pytest_modelcompare.settings import NotYet, Settings
from pytest_modelcompare.suite.document import Document, Path
from pytest_modelcompare.suite.validate import note, shown, unknown_key, validated

NOT_AVAILABLE = "is not available in this version"
FORM = "`sweep: {learning_rate: [1e-5, 2e-5]}`"
MOST_MEMBERS = 1000
NO_CHOICE = {
    "seeds": "every member is trained with each of the `seeds`; the best of them is nothing to choose",
    "weights": "the format of the weights' file changes no figure",
}
"""Options that cannot be swept, and why."""

OF_TRAIN = {f"train.{size}": size for size in SIZES}


def sweepable(kind: type[Settings]) -> list[str]:
    """The options of a method that can be swept."""
    return [name for name in kind.model_fields if name != kind.main and name not in NO_CHOICE] + list(OF_TRAIN)


def swept_values(
    sweep: object, kind: type[Settings], method: str, known: Mapping[str, Any], document: Document, path: Path
) -> dict[str, list[Any]] | None:
    """Option → its values, in the order written; None, and problems noted, where something is wrong.

    Args:
        known: the contestant's other options.
        path: where the sweep stands.
    """
    before = len(document.problems)
    if not isinstance(sweep, dict) or not sweep:
        document.add("`sweep` takes options with a list of values each", document.place(path), FORM)
        return None
    for option, values in sweep.items():
        here = (*path, option)
        if not can_be_swept(str(option), kind, method, document, here):
            continue
        if not isinstance(values, list):
            document.add(
                f"expected a list of values, not {shown(values)}", document.place(here), f"write `{option}: [{values}]`"
            )
        elif not values:
            document.add(f"`{option}` has no value to try", document.place(here), FORM)
        else:
            check_values(option, values, kind, known, document, here)
    sizes = [option for option in sweep if option in OF_TRAIN]
    if len(sizes) > 1:
        said = f"`{sizes[0]}` and `{sizes[1]}` are two sizes of one sample"
        document.add(said, document.place((*path, sizes[1]), key=True), "sweep one of them")
    if len(document.problems) > before:
        return None
    if (count := prod(len(values) for values in sweep.values())) > MOST_MEMBERS:
        document.add(f"the sweep has {count:,} members", document.place(path), f"{MOST_MEMBERS:,} at most")
        return None
    return sweep


def can_be_swept(option: str, kind: type[Settings], method: str, document: Document, here: Path) -> bool:
    place = document.place(here, key=True)
    if option in NO_CHOICE and option in kind.model_fields:
        document.add(f"`{option}` cannot be swept", place, NO_CHOICE[option])
    elif option in (method, kind.main):
        document.add(f"`{option}` cannot be swept", place, "give each model a contestant of its own")
    elif option == "train":
        document.add(
            "`train` cannot be swept whole", place, "sweep `train.rows`, `train.fraction` or `train.per_class`"
        )
    elif option == "train.synthetic":
        document.add(f"`train.synthetic` {NOT_AVAILABLE}", place)
    elif option not in sweepable(kind):
        unknown_key(option, here, document, sweepable(kind), owner=method)
    else:
        return True
    return False


def check_values(
    option: str, values: Sequence[Any], kind: type[Settings], known: Mapping[str, Any], document: Document, here: Path
) -> None:
    """Each value must be one that the option takes, and stand there once."""
    seen: set[str] = set()
    model, name = (TrainSettings, OF_TRAIN[option]) if option in OF_TRAIN else (kind, option)
    others = {} if option in OF_TRAIN else known
    field = model.model_fields[name]
    for number, value in enumerate(values):
        place = document.place((*here, number))
        if value_text(value) in seen:
            document.add(f"`{value_text(value)}` stands here twice", place)
        seen.add(value_text(value))
        if any(isinstance(one, NotYet) or one is NotYet for one in field.metadata) and value != field.default:
            document.add(f"`{option}: {value}` {NOT_AVAILABLE}", place)
            continue
        try:
            model.model_validate({**others, name: value})
        except ValidationError as error:
            wrong = [one for one in error.errors(include_url=False) if one["loc"][:1] in ((name,), ())]
            for one in wrong:
                one["loc"] = (number, *one["loc"][1:])
            note(wrong, document, here, model)


def expanded(
    base: ContestantSpec,
    known: Mapping[str, Any],
    train: TrainSettings | None,
    sweep: Mapping[str, Sequence[Any]],
    document: Document,
    path: Path,
) -> dict[str, ContestantSpec]:
    """A contestant, and of a sweep its members after it.

    Args:
        base: as its own options say.
        known: those options.
        path: where the sweep stands: where options that do not go together are noted.
    """
    base = replace(base, subset=train.subset() if train is not None else None)
    if not sweep:
        return {base.name: base}
    members = {}
    for combination in combinations(sweep):
        own = {option: value for option, value in combination.items() if option not in OF_TRAIN}
        settings = validated(type(base.settings), {**known, **own}, document, path) if own else base.settings
        sizes = {OF_TRAIN[option]: value for option, value in combination.items() if option in OF_TRAIN}
        subset = base.subset
        if sizes:
            subset = TrainSettings(**sizes, seed=train.seed if train is not None else 0).subset()
        if settings is not None:
            name = member_name(base.name, combination)
            members[name] = replace(base, name=name, settings=settings, subset=subset, member_of=base.name)
    return {base.name: replace(base, members=tuple(members)), **members}


def combinations(sweep: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Every combination; the last option's values change fastest."""
    for values in product(*sweep.values()):
        yield dict(zip(sweep, values, strict=True))


def member_name(contestant: str, combination: Mapping[str, Any]) -> str:
    """E.g. `bert[learning_rate=1e-05, train.fraction=0.25]`."""
    return f"{contestant}[{', '.join(f'{option}={value_text(value)}' for option, value in combination.items())}]"


def value_text(value: object) -> str:
    """A value as members are named by it; equal values have one text."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list):
        return f"[{', '.join(value_text(one) for one in value)}]"
    return quoted_label(str(value))
