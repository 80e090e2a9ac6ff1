"""Answers in batches through the real SDK: limits, unordered results, what errored, and a process that is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.errors import BudgetError, LLMError
from pytest_modelcompare.llm.answering import conversation
from pytest_modelcompare.llm.answers import Answered, AskPlan, LLMOptions
from pytest_modelcompare.llm.batches import Batches
from pytest_modelcompare.llm.calling import Asker
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompting import questions
from pytest_modelcompare.llm.provider import BatchService, NoBook, service_name
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.retries import Retries
from pytest_modelcompare.records import Dataset, Rows
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.batches import BatchLog
from pytest_modelcompare.store.folders import StoreFolders
from tests.llm.anthropic_server import KEY, AnthropicServer, serving
from tests.llm.small_world import LABELS, MODEL, Memory, asker_at, no_wait, some_requests


def silent(_: int) -> None:
    pass


def batching(asker: Asker, book: Any = None, **limits: Any) -> Batches:
    assert isinstance(asker.provider, BatchService)
    return Batches(asker.provider, book or NoBook(), service_name(MODEL, None), **limits)


def asked_in_batches(server: AnthropicServer, count: int = 20, journal: Memory | None = None, **limits: Any) -> Asker:
    asker = asker_at(server, journal, budget_usd=limits.pop("budget_usd", 1.0))
    asker.batching = batching(asker, **limits)
    asker.ask(some_requests(count), silent)
    return asker


def test_answers_of_a_batch_are_matched_by_id_stored_and_cost_half():
    journal = Memory()
    with serving(lambda text, _: f"label {text}") as server:
        asker = asked_in_batches(server, journal=journal)
        assert len(server.batches) == 1
        assert [one["service_tier"] for one in server.bill] == ["batch"] * 20
        assert asker.purse.spent_usd == pytest.approx(server.bill_usd(MODEL), rel=1e-9)
        plain = sum(one["input_tokens"] * 0.1e-6 + one["output_tokens"] * 0.5e-6 for one in server.bill)
        assert asker.purse.spent_usd == pytest.approx(plain / 2)
    for row, request in enumerate(some_requests(20)):
        assert journal.records[request.key()]["text"] == f'{{"label": "label message {row}"}}'


def test_batches_are_split_at_the_services_limits():
    size = 0
    with serving(lambda *_: "ham") as server:
        asked_in_batches(server, 20, most_requests=8)
        assert [len(batch.requests) for batch in server.batches.values()] == [8, 8, 4]
        client = asker_at(server).provider
        assert isinstance(client, BatchService)
        size = max(map(client.batch_bytes, some_requests(20)))
    with serving(lambda *_: "ham") as server:
        asked_in_batches(server, 20, most_bytes=5 * size)
        assert [len(batch.requests) for batch in server.batches.values()] == [5, 5, 5, 5]


def test_what_errored_or_expired_is_asked_singly():
    kinds = {"message 3": "errored", "message 5": "expired"}

    def answer(text: str, times: int) -> Any:
        return {"batch": kinds[text]} if text in kinds and times == 0 else "ham"

    with serving(answer) as server:
        asker = asked_in_batches(server)
        tiers = [one["service_tier"] for one in server.bill]
        assert (tiers.count("batch"), tiers.count("standard")) == (18, 2)
        assert asker.purse.spent_usd == pytest.approx(server.bill_usd(MODEL), rel=1e-9)
        assert asker.purse.reserved_usd == pytest.approx(0, abs=1e-12)


def test_a_batch_that_somebody_cancelled_is_an_error_and_its_other_answers_are_kept():
    journal, book = Memory(), NoBook()
    with serving(lambda text, _: {"batch": "canceled"} if text == "message 1" else "ham") as server:
        with pytest.raises(LLMError, match="1 requests of batch msgbatch_000 were cancelled"):
            asked_in_batches(server, journal=journal, book=book)
        assert len(journal.records) == 19
        assert book.open("") == {}


def test_what_is_under_way_from_another_session_is_held_back_from_the_budget():
    book = NoBook()
    with serving(lambda *_: "ham") as server:
        server.looks = 10**9
        first = some_requests(10)
        book.opened(service_name(MODEL, None), asyncio.run(sent_batch(server, first)), [one.key() for one in first])
        asker = asked_in_batches(server, book=book, submit=False)
        worst = sum(asker.purse.worst_price(request, batch=True) for request in first)
        assert asker.purse.reserved_usd == pytest.approx(worst)


def test_a_batch_is_no_dearer_than_the_budget_and_the_rest_follows_when_it_is_known_what_it_cost():
    with serving(lambda *_: "ham") as server:
        whole = asker_at(server)
        worst = sum(whole.purse.worst_price(request, batch=True) for request in some_requests(20))
        asker = asked_in_batches(server, budget_usd=worst / 2)
        assert len(server.batches) >= 2
        assert asker.purse.spent_usd < worst / 2
        with pytest.raises(BudgetError):
            asked_in_batches(server, budget_usd=worst / 100)


def under_way(server: AnthropicServer, book: NoBook, count: int = 20) -> str:
    """A batch that another session sent, and its id."""
    requests = some_requests(count)
    batch = asyncio.run(sent_batch(server, requests))
    book.opened("", batch, [request.key() for request in requests])
    return batch


def test_results_that_the_service_no_longer_keeps_are_asked_for_anew():
    journal, book = Memory(), NoBook()
    with serving(lambda *_: "ham") as server:
        batch = server.batches[under_way(server, book)]
        batch.results, batch.gone = [], True
        asked_in_batches(server, journal=journal, book=book)
        assert book.open("") == {}
        assert server.calls == len(journal.records) == 20


def test_a_batch_that_the_key_does_not_know_stays_open_and_nothing_is_sent_until_the_right_one_comes():
    journal, book = Memory(), NoBook()
    with serving(lambda *_: "ham") as server:
        name = under_way(server, book)
        of_another_workspace = server.batches.pop(name)
        with pytest.raises(LLMError, match=f"knows no batch {name} for this key, and 20 requests") as caught:
            asked_in_batches(server, 30, journal, book=book)
        assert f"modelcompare answers batches --forget {name}" in str(caught.value)
        assert (server.calls, len(server.batches), list(book.open(""))) == (0, 0, [name])
        server.batches[name] = of_another_workspace
        asked_in_batches(server, 20, journal, book=book)
        assert server.calls == len(journal.records) == 20
        assert {one["service_tier"] for one in server.bill} == {"batch"}


def test_without_batch_one_that_the_key_does_not_know_is_not_waited_for_and_stays_open():
    book = NoBook()
    with serving(lambda *_: "ham") as server:
        name = under_way(server, book)
        del server.batches[name]
        asker = asked_in_batches(server, book=book, submit=False)
        assert asker.calls == 20
        assert list(book.open("")) == [name]


def a_dataset(n: int = 30) -> Dataset:
    texts = tuple(f"message {row}" for row in range(n))
    return Dataset(LABELS, {}, None, None, Rows(texts, np.arange(n) % 2, tuple(map(str, range(n)))), "d")


class World:
    """A store, as a session finds it."""

    def __init__(self, server: AnthropicServer, folder: Path) -> None:
        self.server = server
        self.folders = StoreFolders(folder)
        self.book = BatchLog(self.folders)

    def options(self, session: str) -> LLMOptions:
        return LLMOptions("auto", 1.0, session, retries=Retries(sleep=no_wait), batches=self.book)

    def settings(self, **facts: Any) -> PromptSettings:
        return PromptSettings(model=MODEL, base_url=self.server.url, **{"batch": True, **facts})

    def run(self, session: str = "s1", rows: int = 30, **facts: Any) -> Answered:
        journal = AnswerJournal(self.folders)
        return conversation(self.settings(**facts), a_dataset(rows), journal, Path()).run(self.options(session))

    def plan(self, rows: int = 30, **facts: Any) -> AskPlan:
        journal = AnswerJournal(self.folders)
        return conversation(self.settings(**facts), a_dataset(rows), journal, Path()).plan(self.options("p"))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def test_a_contestant_in_batches_has_a_cost_no_latency_and_says_so(tmp_path: Path):
    with serving(lambda *_: "ham") as server:
        there = World(server, tmp_path)
        answered = there.run()
        again = there.run("s2")
        assert server.calls == 30
    assert answered.predictions.labels.tolist() == [0] * 30
    assert answered.latencies is None
    assert answered.cost is not None
    assert "0.05/0.25 USD per million tokens in/out, in batches" in answered.cost.assumptions
    assert "30 of 30 answers came in batches, at the price of batches" in answered.notes
    assert (again.calls, again.stored) == (0, 30)


STORY = """
import sys
from pathlib import Path
from tests.llm.test_batches import World
from types import SimpleNamespace
there = World(SimpleNamespace(url=sys.argv[1]), Path(sys.argv[2]))
there.run()
"""


def test_a_killed_session_loses_no_batch_and_the_next_one_collects_it(tmp_path: Path):
    with serving(lambda *_: "ham") as server:
        server.looks = 10**9  # under way for as long as the first session lives
        there = World(server, tmp_path)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen([sys.executable, "-c", STORY, server.url, str(tmp_path)], env=environment)
        name = service_name(MODEL, server.url)
        while not there.book.open(name) and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        [keys] = there.book.open(name).values()
        assert len(keys) == 30
        plan = there.plan(rows=31)
        assert (plan.missing, plan.waiting) == (31, 30)
        assert plan.usd_estimate < 0.05 * there.plan(rows=900).usd_estimate  # one row, not thirty-one
        server.batches["msgbatch_000"].looks_left = 1
        answered = there.run("s2")
        assert len(server.batches) == 1
        assert server.calls == 30
        assert answered.usd == pytest.approx(server.bill_usd(MODEL), rel=1e-9)
        assert there.book.open(name) == {}


@pytest.mark.parametrize(("looks", "singly"), [(0, 2), (10**9, 12)])
def test_without_batch_what_has_ended_is_collected_and_nothing_is_waited_for(tmp_path: Path, looks: int, singly: int):
    with serving(lambda *_: "ham") as server:
        there = World(server, tmp_path)
        server.looks = looks
        asked = questions(there.settings(), a_dataset(10), AnswerJournal(there.folders), Path()).plain
        sent = asyncio.run(sent_batch(server, asked))
        there.book.opened(service_name(MODEL, server.url), sent, [request.key() for request in asked])
        assert there.run(rows=12, batch=False).calls == singly


async def sent_batch(server: AnthropicServer, requests: Sequence[Request]) -> str:
    client = asker_at(server).provider
    assert isinstance(client, BatchService)
    return await client.create_batch(requests)


def test_a_provider_without_batches_says_so():
    with pytest.raises(ValueError, match="`openai` has no batches here"):
        PromptSettings(model="openai:gpt-4", batch=True)
