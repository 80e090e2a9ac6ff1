"""`modelcompare answers …`: what LLMs are asked, and what they answered."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from importlib import import_module

from pytest_modelcompare.errors import ModelCompareError

ACTIONS: Mapping[str, str] = {
    "show": "answers_show",
    "export": "answers_export",
    "import": "answers_import",
    "batches": "answers_batches",
}
"""Sub-command → the module of its work."""


def run(options: argparse.Namespace) -> int:
    """Do what was asked; 1, and the reason on stderr, where it cannot be done."""
    action: Callable[[argparse.Namespace], int] = import_module(f"{__package__}.{ACTIONS[options.action]}").run
    try:
        return action(options)
    except ModelCompareError as error:
        print(error, file=sys.stderr)
        return 1
