"""A batch is sent once, whatever becomes of the response, or of the process that waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.batches import Batches, BatchSender
from pytest_modelcompare.llm.provider import Transient, service_name
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.retries import Work
from pytest_modelcompare.store.batches import BatchLog
from pytest_modelcompare.store.folders import StoreFolders
from tests.llm.anthropic_server import serving
from tests.llm.small_world import MODEL, asker_at, some_requests
from tests.llm.test_batches import asked_in_batches, sent_batch, silent

SERVICE = service_name(MODEL, None)
KEYS = [request.key() for request in some_requests(20)]


def test_a_batch_whose_response_was_cut_off_is_found_and_not_sent_again():
    with serving(lambda *_: "ham") as server:
        server.cut_off_batches = 1
        asked_in_batches(server)
        assert len(server.batches) == 1
        assert server.calls == 20


def test_a_batch_that_a_gateway_gave_up_on_is_found_and_not_sent_again():
    with serving(lambda *_: "ham") as server:
        server.gateway_timeouts = 1
        asked_in_batches(server)
        assert len(server.batches) == 1
        assert server.calls == 20


def test_a_batch_that_a_killed_session_sent_before_it_heard_its_name_is_found(tmp_path: Path):
    log = BatchLog(StoreFolders(tmp_path))
    with serving(lambda *_: "ham") as server:
        log.sending(SERVICE, KEYS)
        asyncio.run(sent_batch(server, some_requests(20)))
        asked_in_batches(server, book=log)
        assert (len(server.batches), server.calls) == (1, 20)
    assert log.under_way() == []


def test_a_session_killed_before_it_sent_anything_leaves_nothing_to_look_for(tmp_path: Path):
    log = BatchLog(StoreFolders(tmp_path))
    with serving(lambda *_: "ham") as server:
        log.sending(SERVICE, KEYS)
        asked_in_batches(server, book=log)
        assert (len(server.batches), server.calls) == (1, 20)
    assert log.under_way() == []


def test_a_batch_that_the_service_refused_is_not_looked_for(tmp_path: Path):
    log = BatchLog(StoreFolders(tmp_path))
    with serving(lambda *_: "ham") as server:
        asker = asker_at(server)
        asker.provider.client.api_key = "another"  # type: ignore[attr-defined]
        asker.batching = Batches(asker.provider, log, SERVICE)  # type: ignore[arg-type]
        with pytest.raises(LLMError, match="refuses a batch for good"):
            asker.ask(some_requests(20), silent)
    assert log.unheard(SERVICE) == []
    assert asker.purse.unheard == 0


class Silent:
    """Takes batches and never says so."""

    def batch_bytes(self, _: Request) -> int:
        return 100

    async def create_batch(self, _: Sequence[Request]) -> str:
        raise Transient("504: gateway", sent=True)

    async def lost_batch(self, size: int, known: Collection[str], since: datetime) -> str | None:
        raise Transient("504: gateway")


def test_what_was_never_confirmed_is_perhaps_billed_and_looked_for_by_the_next_session(tmp_path: Path):
    log, silent_one = BatchLog(StoreFolders(tmp_path)), Silent()
    with serving(lambda *_: "ham") as server:
        asker = asker_at(server)
        sender = BatchSender(silent_one, log, SERVICE)  # type: ignore[arg-type]

        async def story() -> None:
            asker.work = Work(some_requests(20), silent)
            await sender.create(asker, some_requests(20))

        with pytest.raises(LLMError, match="gave up after 8 attempts"):
            asyncio.run(story())
    worst = sum(asker.purse.worst_price(request, batch=True) for request in some_requests(20))
    assert asker.purse.unheard == 20
    assert asker.purse.unheard_usd == pytest.approx(worst)
    assert [len(one.keys) for one in log.unheard(SERVICE)] == [20]
