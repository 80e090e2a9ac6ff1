"""The console script `modelcompare`: one file per sub-command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS = {
    "accept": "accept what `does not regress` gates find, or show what would change",
    "check": "look at suite files without running anything",
    "power": "how likely each gate is to pass if it is true, before anything is trained or asked",
    "schema": "print the JSON schema of suite files, for editors",
}
"""Sub-command → its help; the work is in the module of that name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; the exit status says whether all is well."""
    parser = argparse.ArgumentParser(
        prog="modelcompare", description="Small models against LLMs, as a regression gate."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        add_options(name, commands.add_parser(name, help=text, description=text))
    options = parser.parse_args(arguments)
    return int(import_module(f"{__name__}.{options.command}").run(options))


def add_options(name: str, parser: argparse.ArgumentParser) -> None:
    """Declared here, so that `--help` loads no command."""
    if name in ("check", "power"):
        parser.add_argument("suites", nargs="+", metavar="SUITE", help="a suite file")
    if name == "accept":
        parser.add_argument("suites", nargs="+", metavar="SUITE", help="a suite file")
        parser.add_argument("--diff", action="store_true", help="show what would change, write nothing")
        parser.add_argument("--store", default=None, metavar="DIR", help="the store (default: .modelcompare here)")
    if name == "power":
        text = "share of rows that only one of two contestants gets right (default: 0.15)"
        parser.add_argument("--discordance", type=share, default=0.15, metavar="SHARE", help=text)
        text = "where files named by URL are kept (default: .modelcompare)"
        parser.add_argument("--store", default=".modelcompare", metavar="DIR", help=text)


def share(text: str) -> float:
    """A number above 0, at most 1."""
    value = float(text)
    if not 0 < value <= 1:
        raise ValueError(text)
    return value


if __name__ == "__main__":
    sys.exit(main())
