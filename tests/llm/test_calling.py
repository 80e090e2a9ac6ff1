"""One request: what is counted of it, however it ends."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.anthropic_service import AnthropicProvider
from pytest_modelcompare.llm.openai_service import OpenAIProvider
from pytest_modelcompare.llm.provider import Access
from tests.llm.anthropic_server import KEY, serving
from tests.llm.small_world import NAME, asker_at, some_requests
from tests.reports.mlflow_double import closed_port


def silent(_: int) -> None:
    pass


def test_a_request_that_takes_too_long_is_sent_again():
    def answer(_: str, times: int) -> Any:
        return {"wait": 1.0 if times == 0 else 0, "text": json.dumps({"label": "ham"})}

    with serving(answer) as server:
        asker = asker_at(server, timeout_s=0.4)
        [reply] = asker.ask(some_requests(1), silent)
        assert (reply.retries, asker.purse.unheard) == (1, 1)


def test_what_may_have_been_billed_without_our_hearing_of_it_counts_against_the_budget():
    with serving(lambda _, times: {"drop": True} if times == 0 else "ham") as server:
        asker = asker_at(server)
        asker.ask(some_requests(10), silent)
        assert asker.purse.unheard == 10
        assert asker.purse.unheard_usd == pytest.approx(sum(map(asker.purse.worst_price, some_requests(10))))


@pytest.mark.parametrize(
    ("status", "perhaps"), [(408, 1), (502, 1), (504, 1), (524, 1), (429, 0), (500, 0), (503, 0), (529, 0)]
)
def test_a_gateway_that_gave_up_waiting_may_hide_an_answer_and_a_refusal_hides_none(status: int, perhaps: int):
    with serving(lambda _, times: {"status": status} if times == 0 else "ham") as server:
        asker = asker_at(server)
        asker.ask(some_requests(1), silent)
    assert asker.purse.unheard == perhaps
    assert asker.purse.unheard_usd == pytest.approx(perhaps * asker.purse.worst_price(some_requests(1)[0]))


UNKNOWN_HOST = "no-such-host.invalid"
UNREACHED = [
    (lambda: f"http://127.0.0.1:{closed_port()}", "Connection refused"),
    (lambda: f"http://{UNKNOWN_HOST}", "Name or service not known"),
]


@pytest.fixture
def quick_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that knows at once what it does not know; real ones may take many seconds."""
    real = socket.getaddrinfo

    def look_up(host: str | bytes | None, *rest: Any, **options: Any) -> Any:
        if host in (UNKNOWN_HOST, UNKNOWN_HOST.encode()):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize(("address", "why"), UNREACHED)
@pytest.mark.parametrize("provider", [AnthropicProvider, OpenAIProvider])
@pytest.mark.usefixtures("quick_names")
def test_an_address_where_nothing_answers_is_named_after_three_tries_and_nothing_was_called(provider, address, why):
    waits: list[float] = []

    async def no_wait(seconds: float) -> None:
        waits.append(seconds)

    with serving(lambda *_: "ham") as server:
        asker, url = asker_at(server), address()
        asker.retries = replace(asker.retries, sleep=no_wait)
        asker.provider = provider(Access(NAME, KEY, url, Path()))
        with pytest.raises(LLMError, match=f"nothing answers at {url}/?(v1/)? .*({why})") as caught:
            asker.ask(some_requests(40), silent)
    assert "`base_url`" in caught.value.fix
    # 32 at once, three tries each, two waits between them of at most 1 and 2 seconds
    assert max(waits) <= 2
    assert len(waits) <= 2 * 32
    assert (asker.calls, asker.purse.unheard, asker.purse.spent_usd) == (0, 0, 0)


def test_a_service_that_was_heard_of_is_waited_for():
    with serving(lambda *_: "ham") as server:
        asker = asker_at(server)
        asker.ask(some_requests(1), silent)
        asker.provider = AnthropicProvider(Access(NAME, KEY, f"http://127.0.0.1:{closed_port()}", Path()))
        with pytest.raises(LLMError, match="gave up after 8 attempts: no connection: ConnectError, Connection refused"):
            asker.ask(some_requests(1), silent)
    assert (asker.calls, asker.purse.unheard) == (1, 0)


NO_ANSWERS = {
    "nothing": ({}, "no answer"),
    "another's JSON": ({"choices": []}, "no answer"),
    "no usage": ({"content": [{"type": "text", "text": "ham"}]}, "no count of tokens"),
    "words for numbers": ({"content": [], "usage": {"input_tokens": "many", "output_tokens": 1}}, "no count of tokens"),
    "null": (None, "no answer"),
    "a text that is none": ({"content": [{"type": "text", "text": None}]}, "no answer"),
    "words in the cache": (
        {"content": [], "usage": {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": "x"}},
        "no count of tokens",
    ),
    "a list for a reason": (
        {"content": [], "stop_reason": [1], "usage": {"input_tokens": 1, "output_tokens": 1}},
        "no answer",
    ),
    "less than nothing": ({"content": [], "usage": {"input_tokens": -1, "output_tokens": 1}}, "no count of tokens"),
}


@pytest.mark.parametrize(("said", "words"), NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_success_without_a_count_of_tokens_is_refused_and_perhaps_billed(said: Any, words: str):
    with serving(lambda *_: {"page": json.dumps(said).encode()}) as server:
        asker = asker_at(server, in_flight=1)
        with pytest.raises(LLMError, match=f"anthropic replied with {words}"):
            asker.ask(some_requests(3), silent)
        assert (server.calls, asker.purse.unheard) == (1, 1)


def test_requests_given_up_at_a_stop_are_perhaps_billed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pytest_modelcompare.llm.calling.GRACE_S", 0.1)
    asked = threading.Barrier(5)

    def answer(*_: object) -> Any:
        asked.wait(5)
        return {"wait": 1.5, "text": "ham"}

    with serving(answer) as server:
        asker = asker_at(server, in_flight=4)
        threading.Thread(target=lambda: (asked.wait(5), asker.stop.set())).start()
        with pytest.raises(LLMError, match="interrupted after 0 of 20 answers"):
            asker.ask(some_requests(20), silent)
    assert asker.purse.unheard == 4
    assert asker.purse.reserved_usd == pytest.approx(0, abs=1e-12)
