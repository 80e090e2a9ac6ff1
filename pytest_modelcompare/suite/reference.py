"""The format's page of the docs, made from the settings' own docstrings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pytest_modelcompare.data.data_settings import DataSettings, SourceSettings, SplitSettings
from pytest_modelcompare.data.recorded_answers import RecordedSource
from pytest_modelcompare.llm.prompt_settings import OptimiseSettings
from pytest_modelcompare.methods.registry import BUILT_IN, METHODS
from pytest_modelcompare.methods.training_rows import TrainedOptions, TrainSettings
from pytest_modelcompare.settings import NotYet
from pytest_modelcompare.suite.docstrings import descriptions
from pytest_modelcompare.suite.model import BudgetSettings, ComputeSettings, GateSettings, PriceSettings, SuiteSettings
from pytest_modelcompare.suite.trained import trains

PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", SuiteSettings),
    ("`data:`", DataSettings),
    ("A source", SourceSettings),
    ("`split:`", SplitSettings),
    ("`compute:`", ComputeSettings),
    ("`budget:`", BudgetSettings),
    ("`prices:`", PriceSettings),
    ("A gate", GateSettings),
    ("`train:` of a trained contestant", TrainSettings),
    ("A recording (`predictions:`)", RecordedSource),
    ("`optimise:` of a prompted contestant", OptimiseSettings),
)


def markdown() -> str:
    """Every key of the format: parts first, then each method's options."""
    sections = [section(title, model) for title, model in PARTS]
    sections += [section(f"`{method.key}:`", method.settings, method.key) for method in BUILT_IN]
    return "\n".join(sections)


def section(title: str, model: type[BaseModel], method: str | None = None) -> str:
    head = [f"## {title}", "", (model.__doc__ or "").strip(), ""]
    if method is not None and not METHODS[method].is_available:
        head += ["*Not available in this version.*", ""]
    return "\n".join([*head, "| key | type | default | meaning |", "|---|---|---|---|", *rows(model, method), ""])


def rows(model: type[BaseModel], method: str | None) -> Iterator[str]:
    main = getattr(model, "main", None) if method else None
    texts = descriptions(model)
    for name, field in model.model_fields.items():
        key = method if name == main else name
        later = " *Not available in this version.*" if any(isinstance(one, NotYet) for one in field.metadata) else ""
        yield f"| `{key}` | {kind(field)} | {default(field)} | {' '.join(texts.get(name, '').split())}{later} |"
    if method is not None and trains(method):
        yield from rows(TrainedOptions, None)


def kind(field: FieldInfo) -> str:
    return "`" + words(field.annotation).replace("|", "\\|") + "`"


def words(annotation: Any) -> str:
    """A type as a user of YAML would say it."""
    if hasattr(annotation, "__metadata__"):
        return words(annotation.__origin__)
    arguments: tuple[Any, ...] = getattr(annotation, "__args__", ())
    origin = getattr(annotation, "__origin__", None)
    name = getattr(origin or annotation, "__name__", str(annotation))
    if name == "Literal":
        return " | ".join(str(one) for one in arguments)
    if name in ("Union", "UnionType") or type(annotation).__name__ == "UnionType":
        return " | ".join(words(one) for one in arguments if one is not type(None))
    if name == "list":
        return f"list of {words(arguments[0])}"
    if name == "dict":
        return f"{words(arguments[0])} → {words(arguments[1])}"
    plain = {"str": "text", "int": "whole number", "float": "number", "bool": "yes or no", "Any": "anything"}
    return plain.get(name, "mapping" if isinstance(annotation, type) and issubclass(annotation, BaseModel) else name)


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "–" if field.default is None else f"`{field.default}`"
