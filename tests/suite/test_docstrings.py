"""The strings below settings' fields, which docs and schema are made of."""

from __future__ import annotations

import subprocess
import sys

from pytest_modelcompare.data.data_settings import DataSettings, SourceSettings, SplitSettings
from pytest_modelcompare.methods.fitting import FineTuneSettings
from pytest_modelcompare.methods.registry import METHODS
from pytest_modelcompare.suite.docstrings import descriptions, docstrings, nested
from pytest_modelcompare.suite.model import GateSettings, SuiteSettings


class Below:
    first: int
    """What the first
    is."""

    second: int
    third: int
    """What the third is."""


def test_a_field_has_the_string_right_below_it():
    assert docstrings(Below) == {"first": "What the first\nis.", "third": "What the third is."}


def test_what_fields_hold_is_found_at_any_depth():
    assert nested(SuiteSettings) >= {DataSettings, SourceSettings, SplitSettings, GateSettings}


def test_every_setting_is_described():
    found = {
        f"{model.__name__}.{name}"
        for model in nested(SuiteSettings, *(method.settings for method in METHODS.values()))
        for name in model.model_fields
        if not descriptions(model).get(name)
    }
    assert found == set()


def test_a_field_that_a_model_takes_over_keeps_its_description():
    class Derived(FineTuneSettings):
        pass

    assert descriptions(Derived) == descriptions(FineTuneSettings)


def test_reading_a_suite_reads_no_source():
    code = "import ast; ast.parse = None; import pytest_modelcompare.suite.load"
    subprocess.run([sys.executable, "-c", code], check=True)
