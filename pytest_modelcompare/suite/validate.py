"""pydantic's complaints as problems at their place, in this project's words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pytest_modelcompare.records.hints import did_you_mean
from pytest_modelcompare.suite.document import Document, Path

ModelT = TypeVar("ModelT", bound=BaseModel)

REMOTE_CODE = "remote code is never run, and a suite cannot turn it on"


def validated(model: type[ModelT], data: object, document: Document, path: Path) -> ModelT | None:
    """A part of a suite as its settings; None, and problems noted, where it is none."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        note(error.errors(include_url=False), document, path, model)
        return None


def note(errors: Iterable[ErrorDetails], document: Document, base: Path, model: type[BaseModel]) -> None:
    """Each complaint once, at the deepest place that exists."""
    seen: set[tuple[Path, str]] = set()
    for error in best_of_unions(list(errors), document, base):
        path = (*base, *existing(error["loc"], document, base))
        if error["type"] == "extra_forbidden":
            unknown_key(
                str(error["loc"][-1]),
                (*base, *plain(error["loc"], document, base)),
                document,
                known_keys(model, error["loc"]),
            )
            continue
        message, hint = worded(error)
        if (path, message) not in seen:
            seen.add((path, message))
            document.add(message, document.place(path), hint)


def plain(loc: tuple[str | int, ...], document: Document, base: Path) -> Path:
    """A complaint's location without the tags that unions put into it."""
    found: Path = ()
    for part in loc:
        if (*base, *found, part) in document.keys or (*base, *found, part) in document.values:
            found = (*found, part)
    return found


def existing(loc: tuple[str | int, ...], document: Document, base: Path) -> Path:
    return plain(loc, document, base)


def best_of_unions(errors: list[ErrorDetails], document: Document, base: Path) -> list[ErrorDetails]:
    """Of the complaints of a union's members at and below one place, those of the member that went deepest."""
    depths = [len(plain(error["loc"], document, base)) for error in errors]
    kept = []
    for error, depth in zip(errors, depths, strict=True):
        here = plain(error["loc"], document, base)
        in_union = len(error["loc"]) > depth and error["type"] not in ("missing", "extra_forbidden")
        deeper = any(
            other is not error and plain(other["loc"], document, base)[: len(here)] == here and other_depth > depth
            for other, other_depth in zip(errors, depths, strict=True)
        )
        if not (in_union and deeper):
            kept.append(error)
    return kept


def known_keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The keys that were possible where an unknown one stands."""
    for part in loc[:-1]:
        inner = submodel(model, part)
        if inner is not None:
            model = inner
    return list(model.model_fields)


def submodel(model: type[BaseModel], name: str | int) -> type[BaseModel] | None:
    """The model behind a field, as far as one is among its types; or one of that name in a union."""
    for field_name, field in model.model_fields.items():
        for candidate in models_in(field.annotation):
            if name in (field_name, candidate.__name__):
                return candidate
    return None


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [found for part in getattr(annotation, "__args__", ()) for found in models_in(part)]


def unknown_key(key: str, path: Path, document: Document, known: Collection[str], owner: str = "") -> None:
    """An unknown key, with the nearest known one."""
    place = document.place(path, key=True)
    if key == "trust_remote_code":
        document.add(f"`trust_remote_code`: {REMOTE_CODE}", place, "use a model whose architecture transformers ships")
        return
    near = get_close_matches(key, list(known), 1, 0.6)
    accepts = f"`{owner}` accepts" if owner else "known:"
    if near:
        hint = f"{accepts} `{near[0]}`; did you mean that?" if owner else f"did you mean `{near[0]}`?"
    else:
        hint = f"{accepts} {', '.join(sorted(known))}"
    of_contestant = owner and len(path) > 1 and path[0] == "contestants"
    said = f"contestant `{path[1]}` has no setting `{key}`" if of_contestant else f"unknown key `{key}`"
    document.add(said, place, hint)


def worded(error: ErrorDetails) -> tuple[str, str | None]:
    """Message and hint."""
    kind, context = error["type"], error.get("ctx", {})
    name = f"`{error['loc'][-1]}`" if error["loc"] else "this"
    if kind == "missing":
        return f"{name} is missing", None
    if kind == "literal_error":
        choices = str(context.get("expected", ""))
        given = error.get("input")
        words = [word.strip(" '") for word in choices.replace(" or ", ",").split(",")]
        return f"expected {choices}, not {shown(given)}", did_you_mean(str(given), words)
    if kind == "value_error":
        return str(context.get("error", error["msg"])), None
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{message.replace('input should be', 'should be')}, not {shown(error.get('input'))}", None


def shown(value: object) -> str:
    """A value as YAML would have it, cut short."""
    text = "nothing" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    kind = "a mapping" if isinstance(value, Mapping) else "a list" if isinstance(value, list) else None
    return kind or f"`{text[:40]}{'…' if len(text) > 40 else ''}`"
