"""The JSON schema of report.json, made from the records it is written from; field docstrings are its descriptions."""

from __future__ import annotations

import inspect
from dataclasses import is_dataclass
from typing import Any

from pydantic import TypeAdapter

from pytest_modelcompare.metrics.calibration import Calibration, ReliabilityBin
from pytest_modelcompare.metrics.deferral import Deferral
from pytest_modelcompare.records import report
from pytest_modelcompare.records.accepted import Against
from pytest_modelcompare.records.report import SessionReport
from pytest_modelcompare.records.verdict import Figure
from pytest_modelcompare.reports import schema_parts as parts
from pytest_modelcompare.suite.docstrings import docstrings

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

NESTED: dict[tuple[str, str], tuple[type, str]] = {
    ("GateReport", "left"): (Figure, "or null"),
    ("GateReport", "right"): (Figure, "or null"),
    ("GateReport", "difference"): (parts.Bounds, "or null"),
    ("GateReport", "against"): (Against, "or null"),
    ("GateReport", "judged"): (parts.Judged, "or null"),
    ("GateReport", "flipped"): (parts.Flipped, "or null"),
    ("GateReport", "parts"): (parts.Part, "list"),
    ("ContestantReport", "calibration"): (parts.Reliability, "or null"),
    ("ContestantReport", "deferral"): (Deferral, "by name"),
    ("ContestantReport", "per_label"): (parts.ByLabel, "by name"),
    ("SuiteReport", "data"): (parts.Data, ""),
    ("SuiteReport", "history"): (parts.Session, "lists by name"),
    ("SessionReport", "machine"): (parts.Machine, ""),
}
"""Fields that hold plain JSON → what stands in them, and how."""


def report_schema() -> Schema:
    """JSON schema, draft 2020-12. Any number may be null: JSON knows none that is not finite."""
    whole = TypeAdapter(SessionReport).json_schema(mode="serialization")
    definitions: dict[str, Schema] = whole.pop("$defs")
    definitions["SessionReport"] = {key: whole[key] for key in ("properties", "required", "type")}
    for (owner, name), (kind, how) in NESTED.items():
        found = TypeAdapter(kind).json_schema(mode="serialization", ref_template="#/$defs/{model}")
        definitions |= found.pop("$defs", {})
        definitions[kind.__name__] = found
        definitions[owner]["properties"][name] = placed({"$ref": f"#/$defs/{kind.__name__}"}, how)
    known = [kind for kind in vars(report).values() if is_dataclass(kind) and isinstance(kind, type)]
    for kind in {*known, Figure, Against, Deferral, Calibration, ReliabilityBin, *parts.ALL}:
        described(definitions.get(kind.__name__, {}), kind)
    top = definitions.pop("SessionReport")
    return {"$schema": DIALECT, "title": "pytest-modelcompare report", **nullable(top), "$defs": nullable(definitions)}


def placed(one: Schema, how: str) -> Schema:
    """A schema where it stands: once, or null, in a list, or under names."""
    if how == "or null":
        return {"anyOf": [one, {"type": "null"}]}
    if how == "list":
        return {"type": "array", "items": one}
    if how == "by name":
        return {"type": "object", "additionalProperties": one}
    return {"type": "object", "additionalProperties": {"type": "array", "items": one}} if how else one


def described(schema: Schema, kind: type) -> None:
    """Put docstrings in, and refuse fields that there are not."""
    if "properties" not in schema:
        return
    schema["additionalProperties"] = False
    schema["description"] = inspect.cleandoc(kind.__doc__ or "")
    for name, text in docstrings(kind).items():
        if name in schema["properties"]:
            schema["properties"][name]["description"] = " ".join(text.split())


def nullable(schema: Any) -> Any:
    """The same, with null wherever a number is allowed."""
    if isinstance(schema, list):
        return [nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: nullable(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    return {**found, "type": ["number", "null"]} if found.get("type") == "number" else found
