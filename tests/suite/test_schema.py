"""The JSON schema takes what the loader takes, and the references are made from the settings."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from pytest_modelcompare.suite import reference
from pytest_modelcompare.suite.load import load_suite
from pytest_modelcompare.suite.schema import suite_schema
from tests.suite.test_load import GOOD

SUITES = sorted((Path(__file__).parents[2] / "example_suites").rglob("*.modelcompare.yaml"))


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(suite_schema())


def plain(text: str) -> object:
    """As an editor sees it: JSON, where keys are text."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text)))


def test_a_good_suite_fits_and_a_bad_one_does_not():
    validator = jsonschema.Draft202012Validator(suite_schema())
    assert not list(validator.iter_errors(plain(GOOD)))
    assert list(validator.iter_errors(plain(GOOD.replace("epochs: 1", "epchs: 1"))))


@pytest.mark.parametrize("path", SUITES, ids=[path.stem for path in SUITES])
def test_every_example_suite_loads_and_fits_the_schema(path: Path):
    assert load_suite(path).gates
    assert not list(jsonschema.Draft202012Validator(suite_schema()).iter_errors(plain(path.read_text())))


def test_the_reference_holds_every_method_and_says_what_is_not_there_yet():
    text = reference.markdown()
    assert "## `fine_tune:`" in text
    assert "| `learning_rate` | `number` | `5e-05` |" in text
    assert text.count("*Not available in this version.*") >= 1
