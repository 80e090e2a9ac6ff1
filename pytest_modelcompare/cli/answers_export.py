"""`modelcompare answers export SUITE CONTESTANT [FILE]`: stored answers as a recording to be committed."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_modelcompare.cli.answers_show import prompted
from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.planning import read_rows
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompting import questions
from pytest_modelcompare.llm.recording import records_of, with_recording
from pytest_modelcompare.methods.local_prompt import LocalPrompt
from pytest_modelcompare.methods.prompt import dataset_to_ask
from pytest_modelcompare.records import Dataset
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.recordings import HELPER, write_recording
from pytest_modelcompare.suite.load import load_suite
from pytest_modelcompare.suite.model import Suite


def run(options: argparse.Namespace) -> int:
    """Write every stored answer that the suite's prompt asks for, and what a replay needs beside them.

    Raises:
        ModelCompareError: the suite, its data or the contestant is not there, or it has no stored answer.
    """
    store, suite = Path(options.store).resolve(), load_suite(Path(options.suite))
    spec, base = prompted(suite, options.contestant), suite.path.parent
    settings = spec.settings
    assert isinstance(settings, PromptSettings)
    if spec.method == LocalPrompt.key:
        raise LLMError(f"`{spec.name}` answers in this process: its runs are stored, and there is nothing to record")
    path = target(options.file, settings, base, spec.name)
    dataset = rows_asked(suite, store)
    journal = with_recording(AnswerJournal(StoreFolders(store)), settings, base)
    asked = questions(settings, dataset, journal, base)
    records = records_of(asked, dataset, journal, range(len(dataset.test)))
    wanted = len({request.key() for request in asked.all()})
    found = sum(HELPER not in key for key in records)
    if not found:
        raise LLMError(
            f"the store holds none of the {wanted:,} answers of `{spec.name}`",
            where=str(store),
            fix="run the suite once with a key, or name its store with --store",
        )
    write_recording(path, records)
    print(f"{path}: {found:,} of {wanted:,} answers" + (f", {wanted - found:,} missing" if found < wanted else ""))
    return 0


def rows_asked(suite: Suite, store: Path) -> Dataset:
    """The data as a run shows them to LLMs.

    Raises:
        ModelCompareError: they cannot be loaded.
    """
    comparison = Comparison(suite, Options(store, ""), Ledger())
    read_rows(comparison)
    if comparison.data_error is not None:
        raise comparison.data_error
    assert comparison.dataset is not None
    return dataset_to_ask(comparison.dataset)


def target(given: str | None, settings: PromptSettings, base: Path, name: str) -> Path:
    """Where the recording goes.

    Raises:
        LLMError: no file is named, or by another ending.
    """
    if given is None and settings.recording is None:
        raise LLMError(
            f"`{name}` names no `recording`", fix="say where to: `modelcompare answers export … FILE.jsonl.gz`"
        )
    path = base / str(settings.recording) if given is None else Path(given)
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        raise LLMError(f"a recording is a .jsonl or .jsonl.gz file, not `{path.name}`")
    return path
