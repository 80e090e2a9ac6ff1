"""The console script `modelcompare`: one file per sub-command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from typing import TextIO, cast

from pytest_modelcompare.cli import conftests
from pytest_modelcompare.cli.arguments import COMMANDS
from pytest_modelcompare.cli.suite_files import suite_files
from pytest_modelcompare.errors import SuiteError
from pytest_modelcompare.inference.cores import wait_patiently
from pytest_modelcompare.records.printable import ObeyedByNone


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; the exit status says whether all is well."""
    options = parser().parse_args(arguments)
    wait_patiently()
    with redirect_stdout(harmless(sys.stdout)), redirect_stderr(harmless(sys.stderr)):
        try:
            name_suites(options)
        except SuiteError as error:
            print(error, file=sys.stderr)
            return 1
        if not conftests.load(options):
            return 1
        return int(import_module(f"{__name__}.{options.command}").run(options))


def name_suites(options: argparse.Namespace) -> None:
    """Put the files in the place of folders.

    Raises:
        SuiteError: a folder holds no suite.
    """
    if hasattr(options, "suites"):
        options.suites = suite_files(options.suites)
    elif hasattr(options, "suite"):  # of a command that is about one, or about all of a folder's
        options.suites = suite_files([options.suite])


def harmless(stream: TextIO) -> TextIO:
    """A stream without commands to the service that runs a build: names and texts come from data."""
    return cast("TextIO", ObeyedByNone(stream))


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
