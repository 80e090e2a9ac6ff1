"""What the strings below their fields say of settings: read where docs and schema are made, not at every start.

Pydantic can read them too (`use_attribute_docstrings`), whenever a model is defined: a tenth of a second, or a
quarter of `modelcompare check`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from textwrap import dedent
from typing import Any, get_args

from pydantic import BaseModel


@cache
def docstrings(kind: type) -> dict[str, str]:
    """Field → the string below it, for one class as it is written."""
    (found,) = ast.parse(dedent(inspect.getsource(kind))).body
    assert isinstance(found, ast.ClassDef)
    texts = {}
    for field, after in zip(found.body, found.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            texts[field.target.id] = inspect.cleandoc(ast.literal_eval(after.value))
    return texts


@cache
def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Field → its docstring, of the model or of the one that it takes the field from."""
    own = [docstrings(one) for one in model.__mro__ if issubclass(one, BaseModel) and one is not BaseModel]
    found: dict[str, str] = {}
    for texts in reversed(own):
        found |= texts
    return {name: found[name] for name in model.model_fields if name in found}


def nested(*models: type[BaseModel]) -> set[type[BaseModel]]:
    """These models and all that their fields hold."""
    found: set[type[BaseModel]] = set()
    waiting = list(models)
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            waiting += [part for field in model.model_fields.values() for part in models_in(field.annotation)]
    return found


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)
