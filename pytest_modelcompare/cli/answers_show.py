"""`modelcompare answers show SUITE CONTESTANT ROW`: the whole prompt of a row, and its stored answer."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pytest_modelcompare.cli.power import loaded
from pytest_modelcompare.errors import DataError, LLMError
from pytest_modelcompare.llm.answers import Journal
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompting import questions
from pytest_modelcompare.llm.recording import with_recording
from pytest_modelcompare.llm.reply import read_reply, reply_from
from pytest_modelcompare.llm.request import Request, first_record
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.local import run_orders
from pytest_modelcompare.methods.local_prompt import LocalPrompt
from pytest_modelcompare.records import NO_ANSWER, Dataset
from pytest_modelcompare.records.addresses import without_user
from pytest_modelcompare.records.printable import printable
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.runs import RunStore
from pytest_modelcompare.suite.load import load_suite
from pytest_modelcompare.suite.model import Suite


def run(options: argparse.Namespace) -> int:
    """Print every request that the row takes, each with its answer where there is one.

    Raises:
        ModelCompareError: the suite, its data, the contestant or the row is not there.
    """
    store = Path(options.store)
    suite = load_suite(Path(options.suite))
    spec = prompted(suite, options.contestant)
    dataset = loaded(suite, store)
    row = row_number(dataset, options.row)
    folders = StoreFolders(store.resolve())
    if spec.method == LocalPrompt.key:
        lines = local_lines(spec, dataset, row, suite.path.parent, RunStore(folders))
    else:
        assert isinstance(spec.settings, PromptSettings)
        journal = with_recording(AnswerJournal(folders), spec.settings, suite.path.parent)
        lines = asked_lines(spec, dataset, row, suite.path.parent, journal)
    print("\n".join(lines))
    return 0


def prompted(suite: Suite, name: str) -> ContestantSpec:
    """The contestant, which must be an LLM.

    Raises:
        LLMError: there is no such contestant, or it is none that is prompted.
    """
    spec = suite.contestants.get(name)
    known = [one.name for one in suite.contestants.values() if isinstance(one.settings, PromptSettings)]
    if spec is None or not isinstance(spec.settings, PromptSettings):
        what = f"there is no contestant `{name}`" if spec is None else f"`{name}` is not prompted ({spec.method})"
        fix = f"prompted are {', '.join(known)}" if known else "the suite has no `prompt:` contestant"
        raise LLMError(what, where=str(suite.path), fix=fix)
    return spec


def row_number(dataset: Dataset, given: str) -> int:
    """The position of the test row with this id; without an `id` column, ids are the positions from 0.

    Raises:
        DataError: there is none.
    """
    if given not in dataset.test.ids:
        ids = dataset.test.ids
        raise DataError(f"no test row has the id `{given}`", fix=f"ids go from `{ids[0]}` to `{ids[-1]}`")
    return dataset.test.ids.index(given)


def asked_lines(spec: ContestantSpec, dataset: Dataset, row: int, base: Path, journal: Journal) -> Iterator[str]:
    """What a service is asked, and what it answered."""
    assert isinstance(spec.settings, PromptSettings)
    asked = questions(spec.settings, dataset, journal, base)
    requests = asked.of_row(row)
    for number, request in enumerate(requests):
        yield heading(f"request {number + 1} of {len(requests)}" + (", for scores alone" if number else ""))
        yield from request_lines(request)
        yield from answer_lines(request, dataset, journal)
    yield from (f"note: {note}" for note in asked.notes)
    yield f"true label: {dataset.labels[dataset.test.labels[row]]}"


def local_lines(spec: ContestantSpec, dataset: Dataset, row: int, base: Path, store: RunStore) -> Iterator[str]:
    """What a model in this process is given, and how likely it found the labels."""
    assert isinstance(spec.settings, PromptSettings)
    method = LocalPrompt()
    yield heading("request 1 of 1")
    yield from request_lines(method.requests(spec.settings, dataset, base)[row])
    order = run_orders(spec, method, dataset, base)[0]
    found = store.find(order.fingerprint, None)
    if found is None:
        yield heading("no stored answer")
    else:
        given = found.outcome.predictions
        label = int(given.labels[row])
        yield heading(f"answer of {found.created[:10]}")
        yield "(none)" if label == NO_ANSWER else dataset.labels[label]
        if given.scores is not None and np.isfinite(given.scores[row]).all():
            best = np.argsort(-given.scores[row], kind="stable")[:5]
            yield "\n".join(f"{given.scores[row, one]:.4f} {dataset.labels[one]}" for one in best)
    yield f"true label: {dataset.labels[dataset.test.labels[row]]}"


def request_lines(request: Request) -> Iterator[str]:
    """A request, whole."""
    effort = f", effort {request.effort}" if request.effort else ""
    where = f", at {without_user(request.base_url)}" if request.base_url else ""
    yield f"{request.provider}:{request.model}, at most {request.max_output_tokens} tokens{effort}{where}"
    yield f"about {request.input_tokens_estimate():,} input tokens; key {request.key()}"
    for role, text in (("system", request.system), *request.messages):
        yield heading(role)
        yield printable(text)
    if request.menu is not None:
        yield heading("the answer is restricted to")
        yield json.dumps(request.schema(), ensure_ascii=False)


def answer_lines(request: Request, dataset: Dataset, journal: Journal) -> Iterator[str]:
    """The stored answer and how it is read."""
    record = first_record(journal, request.possible_keys())
    if record is None:
        yield heading("no stored answer")
        return
    reply = reply_from(record)
    usage = reply.usage
    yield heading(f"answer of {reply.created[:19]}")
    yield printable(reply.text)
    tokens = f"{usage.total:,} tokens, {usage.output_tokens:,} of them output"
    where = f"; asked at {record['address']}" if record.get("address") else ""
    yield f"({reply.stop_reason}; {tokens}; {reply.latency_ms:,.0f} ms{where})"
    if request.form == "label":
        read = read_reply(reply, dataset.label_number())
        yield f"read as: {read.failure or f'{dataset.labels[read.label]} ({read.how})'}"


def heading(text: str) -> str:
    return f"--- {text} ---"
