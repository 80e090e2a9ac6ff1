"""The console script `modelcompare`: one file per sub-command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from pytest_modelcompare.cli import conftests
from pytest_modelcompare.cli.arguments import COMMANDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; the exit status says whether all is well."""
    options = parser().parse_args(arguments)
    if not conftests.load(options):
        return 1
    return int(import_module(f"{__name__}.{options.command}").run(options))


def parser() -> argparse.ArgumentParser:
    """Every sub-command with its arguments; nothing of their work is loaded."""
    whole = argparse.ArgumentParser(prog="modelcompare", description="Small models against LLMs, as a regression gate.")
    whole.add_argument("--version", action=ShowVersion, nargs=0, help="print this package's version")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (declare, text) in COMMANDS.items():
        declare(commands.add_parser(name, help=text, description=text))
    return whole


class ShowVersion(argparse.Action):
    """Looks the version up when it is asked for: that alone takes as long as everything else of `--help`."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"modelcompare {version('pytest-modelcompare')}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
