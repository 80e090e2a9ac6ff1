"""From the suite's `contestants:` to their specs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.registry import METHODS
from pytest_modelcompare.settings import NotYet, Settings
from pytest_modelcompare.suite.document import Document, Path, Place
from pytest_modelcompare.suite.sweeps import NOT_AVAILABLE, expanded, swept_values
from pytest_modelcompare.suite.trained import (
    OF_TRAINED,
    option_names,
    place_of,
    train_settings,
    trained_options,
    trains,
)
from pytest_modelcompare.suite.validate import note, unknown_key, validated

NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def contestant_specs(
    contestants: Mapping[str, Mapping[str, Any]], defaults: Mapping[str, Mapping[str, Any]], document: Document
) -> dict[str, ContestantSpec]:
    """Every contestant that is in order; what is wrong with the others is noted."""
    for key in defaults:
        if key not in METHODS:
            unknown_key(key, ("defaults", key), document, METHODS)
        elif METHODS[key].is_available:
            refuse_unknown_options(METHODS[key].settings, key, defaults[key], document, ("defaults", key))
            refuse_later_options(METHODS[key].settings, "the suite", defaults[key], document, ("defaults", key))
            check_defaults(key, defaults[key], document)
    specs: dict[str, ContestantSpec] = {}
    for name, options in contestants.items():
        path: Path = ("contestants", name)
        if not NAME.fullmatch(name):
            document.add(
                f"`{name}` is no name for a contestant",
                document.place(path, key=True),
                "letters, digits and _ , not starting with a digit",
            )
        elif (method := method_of(name, options, document)) is not None:
            specs |= specs_of(name, method, options, defaults.get(method, {}), document)
    refuse_unknown_members(specs, contestants, document)
    return specs


def refuse_unknown_members(
    specs: Mapping[str, ContestantSpec], contestants: Mapping[str, Any], document: Document
) -> None:
    """Contestants that build on others name such as there are."""
    for spec in specs.values():
        for other in METHODS[spec.method].builds_on(spec.settings) if spec.method in METHODS else ():
            if other not in contestants and other not in specs:
                place = document.place(("contestants", spec.name, spec.method))
                document.add(f"there is no contestant `{other}`", place, f"the suite has {', '.join(contestants)}")


def check_defaults(method: str, defaults: Mapping[str, Any], document: Document) -> None:
    """Values that no contestant of the method could have, whether or not there is one."""
    kind, path = METHODS[method].settings, ("defaults", method)
    known = {key: value for key, value in defaults.items() if key in option_names(kind)}
    try:
        kind.model_validate(known)
    except ValidationError as error:
        note(
            [one for one in error.errors(include_url=False) if one["loc"][:1] and one["loc"][0] in known],
            document,
            path,
            kind,
        )
    if trains(method):
        train_settings(defaults.get("train"), document, (*path, "train"))
        if defaults.get("sweep") is not None:
            swept_values(defaults["sweep"], kind, method, known, document, (*path, "sweep"))


def specs_of(
    name: str, method: str, options: Mapping[str, Any], defaults: Mapping[str, Any], document: Document
) -> dict[str, ContestantSpec]:
    """A contestant, with its sweep's members; nothing, and problems noted, where something is wrong with it."""
    before = len(document.problems)
    settings = settings_of(name, method, options, defaults, document)
    train, sweep = trained_options(name, method, options, defaults, document)
    if settings is None or len(document.problems) > before:
        return {}
    seeds = tuple(getattr(settings, "seeds", None) or (0,))
    at = document.keys.get(("contestants", name), Place(0, 0))
    spec = ContestantSpec(name, METHODS[method].engine(settings).key, settings, seeds, at.line, at.column)
    known = settings.model_dump(exclude_unset=True)
    place = place_of("sweep", name, method, options)
    return expanded(spec, known, train, sweep, document, place)


def method_of(name: str, options: Mapping[str, Any], document: Document) -> str | None:
    """The one method key of a contestant."""
    path: Path = ("contestants", name)
    found = [key for key in options if key in METHODS]
    if len(found) > 1:
        document.add(
            f"contestant `{name}` has {len(found)} methods: {', '.join(found)}",
            document.place((*path, found[1]), key=True),
            "keep one of them",
        )
        return None
    if found:
        return found[0]
    for key in options:
        near = nearest_method(str(key))
        if near is not None:
            document.add(f"unknown method `{key}`", document.place((*path, key), key=True), f"did you mean `{near}`?")
            return None
    document.add(
        f"contestant `{name}` has no method", document.place(path, key=True), f"give it one of {', '.join(METHODS)}"
    )
    return None


def nearest_method(key: str) -> str | None:
    from difflib import get_close_matches

    known_options = {field for one in METHODS.values() for field in one.settings.model_fields}
    near = get_close_matches(key, list(METHODS), 1, 0.7)
    return near[0] if near and key not in known_options else None


def settings_of(
    name: str, method: str, options: Mapping[str, Any], defaults: Mapping[str, Any], document: Document
) -> Settings | None:
    """A contestant's settings, its method's defaults below its own options."""
    path: Path = ("contestants", name)
    kind = METHODS[method].settings
    before = len(document.problems)
    if not METHODS[method].is_available:
        document.add(f"`{method}` {NOT_AVAILABLE}", document.place((*path, method), key=True))
        return None
    refuse_later_options(kind, name, options, document, path)
    of_trained = OF_TRAINED if trains(method) else ()
    own = {key: value for key, value in options.items() if key != method and key not in of_trained}
    refuse_unknown_options(kind, method, own, document, path)
    known = {key: value for key, value in {**defaults, **own}.items() if key in option_names(kind)}
    if kind.main:
        known[kind.main] = options[method]
        alias_place(document, path, method, kind.main)
    elif options[method] not in ({}, None):
        document.add(
            f"`{method}` takes no value",
            document.place((*path, method)),
            f"write `{method}: {{}}` and its options beside it",
        )
    for key in defaults:
        if key not in own and (*path, key) not in document.values:
            document.values[(*path, key)] = document.place(("defaults", method, key))
    settings = validated(kind, known, document, path)
    return settings if len(document.problems) == before else None


def refuse_unknown_options(
    kind: type[Settings], method: str, options: Mapping[str, Any], document: Document, path: Path
) -> None:
    """Options that the method does not have; its main field goes by the method's key alone."""
    for key in options:
        if path[0] == "defaults" and key in OF_TRAINED and trains(method):
            continue
        if key not in kind.model_fields or (key == kind.main and method != key):
            unknown_key(str(key), (*path, key), document, option_names(kind), owner=method)


def alias_place(document: Document, path: Path, method: str, main: str) -> None:
    """`fine_tune: MODEL` fills `model`: complaints about `model` stand where MODEL stands."""
    length = len(path) + 1
    for place in [known for known in document.values if known[:length] == (*path, method)]:
        document.values[(*path, main, *place[length:])] = document.values[place]
    for place in [known for known in document.keys if known[:length] == (*path, method)]:
        document.keys[(*path, main, *place[length:])] = document.keys[place]


def refuse_later_options(
    kind: type[Settings], name: str, options: Mapping[str, Any], document: Document, path: Path
) -> None:
    """Options that the format knows and this version cannot honour are refused, never ignored."""
    for key, value in options.items():
        place = document.place((*path, key), key=True)
        field = kind.model_fields.get(key)
        if field is not None and any(is_not_yet(one) for one in field.metadata) and value != field.default:
            document.add(
                f"`{key}: {value}` {NOT_AVAILABLE}",
                place,
                f"`{name}` can leave it out" if field.default is None else f"this version has `{key}: {field.default}`",
            )


def is_not_yet(metadata: object) -> bool:
    return isinstance(metadata, NotYet) or metadata is NotYet
