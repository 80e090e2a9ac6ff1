"""The published schema of report.json."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from pytest_modelcompare.cli import main
from pytest_modelcompare.reports.json_report import render_json
from pytest_modelcompare.reports.schema import report_schema
from tests.reports.worlds import large_report


def test_the_command_prints_a_valid_schema(capsys: pytest.CaptureFixture[str]):
    assert main(["schema", "--report"]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == "pytest-modelcompare report"
    assert (
        schema["$defs"]["GateReport"]["properties"]["p_pass"]["description"] == "p-value against the claim being false."
    )


def test_a_large_report_is_valid():
    Draft202012Validator(report_schema()).validate(json.loads(render_json(large_report(n_rows=500))))


def test_unknown_fields_and_wrong_types_are_not():
    report = json.loads(render_json(large_report(2, 3, 50)))
    report["suites"][0]["gates"][0]["flipped"]["rows"][0]["id"] = 3
    report["suites"][0]["data"]["colour"] = "red"
    errors = Draft202012Validator(report_schema()).iter_errors(report)
    found = {one.json_path: one.message for error in errors for one in [error, *(error.context or [])]}
    assert found["$.suites[0].gates[0].flipped.rows[0].id"] == "3 is not of type 'string'"
    assert found["$.suites[0].data"].endswith("('colour' was unexpected)")
