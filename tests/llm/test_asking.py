"""Many requests at once through the real SDK, against a service with faults."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.retries import Retries
from tests.llm.anthropic_server import serving
from tests.llm.service_limits import RequestLimit
from tests.llm.small_world import MODEL, Memory, asker_at, some_requests


def silent(_: int) -> None:
    pass


FAULTS: list[dict[str, Any]] = [
    {"status": 429, "retry_after": 0.05},
    {"status": 529},
    {"status": 500},
    {"status": 503},
    {"drop": True},
    {"page": b"<html>gateway</html>"},
    {"text": "", "stop_reason": "refusal"},
    {"text": '{"label": "ha', "stop_reason": "max_tokens"},
]
"""What comes back in 30 % of all cases; the last two are answers, paid for and final."""


def faulty(text: str, times: int) -> Any:
    dice = random.Random(f"{text} {times}")
    return dice.choice(FAULTS) if dice.random() < 0.3 else "ham"


def test_with_30_percent_faults_every_row_is_answered_or_counted_and_none_is_asked_twice_after_its_answer():
    journal = Memory()
    answered: dict[str, int] = {}

    def answer(text: str, times: int) -> Any:
        assert text not in answered
        found = faulty(text, times)
        if isinstance(found, str) or "stop_reason" in found:
            answered[text] = times
        return found

    with serving(answer) as server:
        asker = asker_at(server, journal)
        replies = asker.ask(some_requests(400), silent)
        assert len(replies) == len(answered) == 400
        failed = sum(reply.stop_reason != "end_turn" for reply in replies)
        assert 0 < failed < 60
        assert set(journal.puts.values()) == {1}
        assert asker.calls == server.calls > 480
        assert [reply.retries for reply in replies] == [answered[f"message {row}"] for row in range(400)]
        assert asker.purse.spent_usd == pytest.approx(server.bill_usd(MODEL), rel=1e-9)
        assert asker.purse.reserved_usd == pytest.approx(0, abs=1e-12)


def test_a_permanent_refusal_also_stops_those_that_wait_to_try_again():
    def answer(text: str, _: int) -> Any:
        if text == "message 7":
            return {"status": 403, "message": "no access", "wait": 0.3}
        return {"status": 529}

    with serving(answer) as server:
        asker = asker_at(server, retries=Retries(first_wait_s=1))
        with pytest.raises(LLMError, match="refuses for good \\(403\\): no access"):
            asker.ask(some_requests(20), silent)
        assert set(server.asked.values()) == {1}


@pytest.mark.parametrize(("status", "words"), [(400, "bad"), (401, "bad key"), (403, "no"), (404, "model: unknown")])
def test_what_no_retry_would_change_is_said_in_the_services_words(status: int, words: str):
    with serving(lambda *_: {"status": status, "message": words}) as server:
        with pytest.raises(LLMError, match=words):
            asker_at(server, in_flight=1).ask(some_requests(5), silent)
        assert server.calls == 1


def test_the_limit_in_the_headers_is_kept():
    with serving(lambda *_: "ham") as server:
        server.limit = RequestLimit(1_200, burst=40)  # 20 a second after the first 40
        asker = asker_at(server, retries=Retries())
        asker.ask(some_requests(80), silent)
        assert server.limit.refused <= 4


def test_answers_come_in_the_order_of_the_requests_whatever_the_order_they_arrive_in():
    def answer(text: str, _: int) -> Any:
        number = int(text.split()[-1])
        return {"wait": 0.002 * (20 - number), "text": json.dumps({"label": f"label {number}"})}

    with serving(answer) as server:
        replies = asker_at(server).ask(some_requests(20), silent)
    assert [json.loads(reply.text)["label"] for reply in replies] == [f"label {number}" for number in range(20)]
