"""`modelcompare init`: a suite that runs, out of a file with texts and labels."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from pytest_modelcompare.cli.check import not_installed_warnings
from pytest_modelcompare.data.data_settings import DataSettings, Source, SourceSettings, SplitSettings
from pytest_modelcompare.data.delimited import OtherSeparator
from pytest_modelcompare.data.files import read_file
from pytest_modelcompare.data.rows import load_dataset
from pytest_modelcompare.data.text_table import Table
from pytest_modelcompare.errors import DataError, ModelCompareError, UnavailableError
from pytest_modelcompare.suite.columns import label_column, text_column
from pytest_modelcompare.suite.load import load_suite
from pytest_modelcompare.suite.template import NewSuite, suite_text

Ask = Callable[[str, str], str]
"""(question, what an empty answer means) → the answer."""


def run(options: argparse.Namespace) -> int:
    """Write the suite and say how to run it; 1, and the reason on stderr, where it cannot be written."""
    try:
        path, lines = init(options, ask_on_terminal if sys.stdin.isatty() else None)
    except ModelCompareError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join([*lines, f"wrote {path}", f"run it: pytest --modelcompare {path}"]))
    return 0


def init(options: argparse.Namespace, ask: Ask | None) -> tuple[Path, list[str]]:
    """Look at the data, write a suite beside nothing that is there, and load it as a check.

    Args:
        ask: how to ask for what no option says; None: nobody is there to answer.

    Returns:
        the suite's path, and what was found out about the data.

    Raises:
        ModelCompareError: the data cannot be used, or there is such a file already.
    """
    data = Path(
        answer(options.data, ask, "file with texts and labels (csv, tsv, jsonl, json, parquet, xlsx)", "", "--data")
    )
    columns = options.columns.split(",") if options.columns else None
    read, table = existing_table(data, columns)
    text = answer(options.text, ask, "column with the text", text_column(table), "--text")
    label = options.label or label_column(table, text)
    if label is None and ask is None:
        raise no_label_column(table)
    label = answer(options.label, ask, "column with the label", label, "--label")
    test = options.test or (ask("file with test rows; empty: a fifth of the rows is set aside", "") if ask else "")
    llm = options.llm or (ask("LLM to compare with, e.g. anthropic:claude-haiku-5-5; empty: none", "") if ask else "")
    path = Path(options.output or f"{plain_name(data)}.modelcompare.yaml")
    if path.exists():
        raise UnavailableError("there is such a file already", where=str(path), fix="name another with --output")
    path.parent.mkdir(parents=True, exist_ok=True)
    files = [source(relative(one, path.parent), read) for one in (str(data), test) if one]
    settings = DataSettings(
        train=files[0],
        test=files[1] if test else None,
        text=text,
        label=label,
        split=None if test else SplitSettings(test=0.2),
    )
    dataset = load_dataset(settings, path.parent, path.parent)
    path.write_text(suite_text(NewSuite(settings, dataset, llm)), encoding="utf-8")
    suite = load_suite(path)
    assert dataset.train is not None
    rows = f"{len(dataset.train):,} training rows, {len(dataset.test):,} test rows, {len(dataset.labels)} labels"
    found = [f"text: {text}, label: {label}; {rows}", *(f"data: {warning}" for warning in dataset.warnings)]
    missing = not_installed_warnings(suite.contestants.values(), str(path))
    return path, [*found, f"contestants: {', '.join(suite.contestants)}", *missing]


def existing_table(data: Path, columns: list[str] | None) -> tuple[SourceSettings, Table]:
    """The table in a file, and what a suite has to say of the file for it to be read so.

    Args:
        columns: names, where the file has no header.

    Raises:
        DataError: there is none, or it holds no table.
    """
    if not data.exists():
        raise DataError("there is no such file", where=str(data), fix="the path starts where you are now")
    read = SourceSettings(path=str(data), columns=columns)
    try:
        return read, read_file(data, read)
    except OtherSeparator as error:
        read = read.model_copy(update={"separator": error.separator})
        return read, read_file(data, read)


def source(path: str, read: SourceSettings) -> Source:
    """A path alone, where nothing else is to be said."""
    moved = read.model_copy(update={"path": path})
    return path if moved == SourceSettings(path=path) else moved


def no_label_column(table: Table) -> DataError:
    """What to do where no column looks like a label: what there is."""
    names = ", ".join(f"`{name}`" for name in table.columns)
    what = "no column has some values that return, as a label has"
    headless = "; for a file without a header, name its columns with --columns" if table.hint else ""
    return DataError(what, where=table.where, fix=f"say which one it is with --label; there are {names}{headless}")


def answer(given: str | None, ask: Ask | None, question: str, default: str | None, option: str) -> str:
    """What an option says, else what somebody answers, else what the data suggest.

    Raises:
        DataError: there is none of them.
    """
    if given:
        return given
    said = ask(question, default or "") if ask else default
    if not said:
        raise DataError(f"which {question}?", fix=f"say it with {option}")
    return said


def ask_on_terminal(question: str, default: str) -> str:
    shown = f" [{default}]" if default else ""
    try:
        return input(f"{question}{shown}: ").strip() or default
    except EOFError:
        return default


def plain_name(data: Path) -> str:
    """A file name for the suite, from the data's."""
    return re.sub(r"\W+", "_", data.name.partition(".")[0]).strip("_") or "suite"


def relative(path: str, folder: Path) -> str:
    """A path as the suite's folder sees it; addresses stay."""
    return path if "://" in path else Path(os.path.relpath(path, folder)).as_posix()
