"""The console script `modelcompare`: one file per sub-command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS = {
    "check": "look at suite files without running anything",
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
    if name == "check":
        parser.add_argument("suites", nargs="+", metavar="SUITE", help="a suite file")


if __name__ == "__main__":
    sys.exit(main())
