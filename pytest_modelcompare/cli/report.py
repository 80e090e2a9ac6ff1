"""`modelcompare report SUITE|REPORT.json [-o PATH]…`: stored results in any format, nothing run."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from pytest_modelcompare.errors import ModelCompareError, StoreError
from pytest_modelcompare.execution.history import last_report
from pytest_modelcompare.records.report import SessionReport
from pytest_modelcompare.reports.formats import FORMATS, write_report
from pytest_modelcompare.store.history import suite_key

FORMAT = 1


def run(options: argparse.Namespace) -> int:
    """Write every file that was asked for, else print the summary; 1, and the reason, where there is nothing."""
    try:
        report = stored_report(Path(options.suite), Path(options.store).resolve())
        for name in options.output:
            write(report, Path(name))
            print(name)
    except ModelCompareError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.output:
        from pytest_modelcompare.reports.terminal import rendered

        print(rendered(report, width=shutil.get_terminal_size().columns, colour=sys.stdout.isatty()), end="")
    return 0


def write(report: SessionReport, path: Path) -> None:
    """Write one file.

    Raises:
        StoreError: no such format, or it cannot be written.
    """
    if path.suffix not in FORMATS:
        fix = f"one of {', '.join(FORMATS)}"
        raise StoreError("the format is told by the suffix", where=str(path), fix=fix)
    try:
        write_report(report, path)
    except OSError as error:
        raise StoreError(f"the report cannot be written: {error.strerror}", where=str(path)) from error


def is_report(path: Path) -> bool:
    return path.suffix == ".json"


def stored_report(path: Path, store: Path) -> SessionReport:
    """A report.json, or what the last session found of a suite.

    Raises:
        StoreError: there is none, or the file is none.
    """
    if is_report(path):
        return report_of_file(path)
    found = last_report(store, suite_key(path, store))
    if found is None:
        fix = "run `pytest --modelcompare` first, or name its store with --store"
        raise StoreError("no session of this suite is stored", where=str(path), fix=fix)
    return found


def report_of_file(path: Path) -> SessionReport:
    """A report.json.

    Raises:
        StoreError: there is none, it is none, or one of a later format.
    """
    fix = "write one with `pytest --modelcompare --modelcompare-report=report.json`"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"cannot be read: {error.strerror}", where=str(path), fix=fix) from error
    except ValueError as error:
        raise StoreError(f"this is no report, nor any JSON: {error}", where=str(path), fix=fix) from error
    written = data.get("format") if isinstance(data, dict) else None
    if written != FORMAT:
        what = f"this is a report of format {written}; this version reads {FORMAT}" if written else "this is no report"
        raise StoreError(what, where=str(path), fix=fix)
    try:
        return SessionReport.from_json(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"this is no whole report: {error}", where=str(path), fix=fix) from error
