"""The JSON schema of suite files, for editors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pytest_modelcompare.methods.registry import METHODS
from pytest_modelcompare.methods.training_rows import TrainedOptions
from pytest_modelcompare.suite.docstrings import descriptions, nested
from pytest_modelcompare.suite.model import SuiteSettings
from pytest_modelcompare.suite.sweeps import OF_TRAIN, sweepable
from pytest_modelcompare.suite.trained import trains

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def suite_schema() -> dict[str, Any]:
    """JSON schema of a suite file; descriptions are the settings' own docstrings."""
    models: list[type[BaseModel]] = [SuiteSettings, TrainedOptions, *(method.settings for method in METHODS.values())]
    refs, whole = models_json_schema([(model, "validation") for model in models], ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = whole["$defs"]
    for model in nested(*models):
        for name, text in descriptions(model).items():
            definitions[model.__name__]["properties"][name]["description"] = text
    suite = definitions.pop("SuiteSettings")
    trained = definitions.pop("TrainedOptions")["properties"]
    sizes = definitions["TrainSettings"]["properties"]
    methods = {method: definitions[METHODS[method].settings.__name__] for method in METHODS}
    properties = {method: options(method, schema["properties"], trained, sizes) for method, schema in methods.items()}
    contestants = [contestant(method, schema, properties[method]) for method, schema in methods.items()]
    for method in METHODS:
        definitions.pop(METHODS[method].settings.__name__)
    suite["properties"]["contestants"] = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": r"^[A-Za-z_]\w*$"},
        "additionalProperties": {"oneOf": contestants},
        "description": descriptions(SuiteSettings)["contestants"],
    }
    suite["properties"]["defaults"] = {
        "type": "object",
        "properties": {method: closed(found) for method, found in properties.items()},
        "additionalProperties": False,
        "description": descriptions(SuiteSettings)["defaults"],
    }
    assert refs
    return {**suite, "$schema": DIALECT, "title": "pytest-modelcompare suite", "$defs": definitions}


def options(method: str, own: dict[str, Any], trained: dict[str, Any], sizes: dict[str, Any]) -> dict[str, Any]:
    """The schema of each option of a method, without its main field.

    Args:
        own: of the method's settings.
        trained: of `train` and `sweep`.
        sizes: of what stands under `train`.
    """
    found = {name: schema for name, schema in own.items() if name != METHODS[method].settings.main}
    if not trains(method):
        return found
    values = {**found, **{option: sizes[size] for option, size in OF_TRAIN.items()}}
    swept = closed({option: values_of(values[option]) for option in sweepable(METHODS[method].settings)})
    sweep = {"anyOf": [{**swept, "minProperties": 1}, {"type": "null"}], "description": trained["sweep"]["description"]}
    return {**found, "train": trained["train"], "sweep": sweep}


def values_of(option: dict[str, Any]) -> dict[str, Any]:
    """A list of an option's values."""
    return {"type": "array", "minItems": 1, "uniqueItems": True, "items": option}


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def contestant(method: str, settings: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The schema of one method's contestant: its main field goes by the method's key."""
    main = METHODS[method].settings.main
    value = settings["properties"][main] if main else {"type": "object", "maxProperties": 0}
    if method == "predictions":
        value = {"anyOf": [{"type": "string"}, value]}
    required = [name for name in settings.get("required", []) if name != main]
    return {
        **closed({method: value, **known}),
        "title": method,
        "description": settings.get("description", ""),
        "required": [method, *required],
    }
