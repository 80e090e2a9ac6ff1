"""`modelcompare completion bash|zsh|tcsh`: what a shell needs to complete this command."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

FILES, FOLDERS = ("SUITE", "FILE"), ("DIR",)
"""What arguments are called whose values are paths."""


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    from pytest_modelcompare.cli import parser

    whole = parser()
    for action in actions(whole):
        if action.metavar in (*FILES, *FOLDERS):
            action.complete = shtab.FILE if action.metavar in FILES else shtab.DIRECTORY  # type: ignore[attr-defined]
    print(shtab.complete(whole, shell=options.shell))
    return 0


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every argument of a parser and of its sub-commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from actions(inner)
