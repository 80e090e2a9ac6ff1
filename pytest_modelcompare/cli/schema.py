"""`modelcompare schema [--report]`: the JSON schema of suite files, or of report.json."""

from __future__ import annotations

import argparse
import json


def run(options: argparse.Namespace) -> int:
    """Print the schema."""
    if options.report:
        from pytest_modelcompare.reports.schema import report_schema

        schema = report_schema()
    else:
        from pytest_modelcompare.suite.schema import suite_schema

        schema = suite_schema()
    print(json.dumps(schema, indent=1, ensure_ascii=False))
    return 0
