"""`modelcompare schema`: the JSON schema of suite files."""

from __future__ import annotations

import argparse
import json

from pytest_modelcompare.suite.schema import suite_schema


def run(_: argparse.Namespace) -> int:
    """Print the schema."""
    print(json.dumps(suite_schema(), indent=1, ensure_ascii=False))
    return 0
