"""The JSON schema of suite files, for editors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pytest_modelcompare.contestants.registry import METHODS
from pytest_modelcompare.suite.model import SuiteSettings

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def suite_schema() -> dict[str, Any]:
    """JSON schema of a suite file; descriptions are the settings' own docstrings."""
    models: list[type[BaseModel]] = [SuiteSettings, *METHODS.values()]
    refs, whole = models_json_schema([(model, "validation") for model in models], ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = whole["$defs"]
    suite = definitions.pop("SuiteSettings")
    contestants = [contestant(method, definitions[METHODS[method].__name__]) for method in METHODS]
    for method in METHODS:
        definitions.pop(METHODS[method].__name__)
    suite["properties"]["contestants"] = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": r"^[A-Za-z_]\w*$"},
        "additionalProperties": {"oneOf": contestants},
        "description": SuiteSettings.model_fields["contestants"].description,
    }
    assert refs
    return {**suite, "$schema": DIALECT, "title": "pytest-modelcompare suite", "$defs": definitions}


def contestant(method: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The schema of one method's contestant: its main field goes by the method's key."""
    main = METHODS[method].main
    properties = dict(settings["properties"])
    value = properties.pop(main) if main else {"type": "object", "maxProperties": 0}
    if method == "predictions":
        value = {"anyOf": [{"type": "string"}, value]}
    required = [name for name in settings.get("required", []) if name != main]
    return {
        "type": "object",
        "title": method,
        "description": settings.get("description", ""),
        "properties": {method: value, **properties},
        "required": [method, *required],
        "additionalProperties": False,
    }
