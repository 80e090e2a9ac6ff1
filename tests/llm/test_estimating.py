"""What asking would cost, told beforehand, against what a service bills by a tokenizer of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.llm.answering import conversation
from pytest_modelcompare.llm.answers import AskPlan, LLMOptions
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.records import Dataset, Rows
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.folders import StoreFolders
from tests.llm.anthropic_server import KEY, AnthropicServer, serving
from tests.llm.small_world import MODEL

LABELS = ("card_arrival", "lost_or_stolen_card", "exchange_rate", "top_up_failed")
SENTENCE = "please tell me why my card has not arrived although I ordered it three weeks ago and paid the fee"
WORDS = tuple(SENTENCE.split(" "))
LONG = "Think of the customer's aim, not of the words that the message happens to contain. " * 40


def a_dataset(n: int) -> Dataset:
    """Texts of 3 to 18 words."""
    texts = tuple(f"{' '.join(WORDS[: 3 + row % 16])} {row}" for row in range(n))
    test = Rows(texts, np.arange(n) % 4, tuple(map(str, range(n))))
    train = Rows(tuple(" ".join(WORDS[row:]) for row in range(8)), np.arange(8) % 4, tuple("abcdefgh"))
    return Dataset(LABELS, {}, train, None, test, "d")


class World:
    """A service, and what a session plans and pays there."""

    def __init__(self, server: AnthropicServer, folder: Path) -> None:
        self.server = server
        self.journal = AnswerJournal(StoreFolders(folder))
        self.options = LLMOptions("auto", 1.0, "s")

    def settings(self, **facts: Any) -> PromptSettings:
        return PromptSettings(model=MODEL, base_url=self.server.url, **facts)

    def plan(self, rows: int = 60, **facts: Any) -> AskPlan:
        return conversation(self.settings(**facts), a_dataset(rows), self.journal, Path()).plan(self.options)

    def bill(self, rows: int = 60, **facts: Any) -> float:
        before = self.server.bill_usd(MODEL)
        conversation(self.settings(**facts), a_dataset(rows), self.journal, Path()).run(self.options)
        return self.server.bill_usd(MODEL) - before


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with serving(lambda text, _: LABELS[len(text) % 4]) as server:
        yield World(server, tmp_path)


WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "shots": {"shots": 4},
    "a cached prefix": {"instructions": LONG},
    "shots of each row's own": {"shots": 3, "shots_by": "nearest", "instructions": LONG},
    "batches": {"batch": True},
}


@pytest.mark.parametrize("facts", WAYS.values(), ids=WAYS)
def test_with_counted_tokens_the_plan_is_within_15_percent_of_the_bill(there: World, facts: dict[str, Any]):
    plan = there.plan(**facts)
    assert plan.basis == "tokens counted by the service on 20 requests"
    assert (there.server.calls, plan.missing) == (0, 60)
    assert plan.usd_estimate == pytest.approx(there.bill(**facts), rel=0.15)


def test_votes_are_priced_as_well(there: World):
    plan = there.plan(20, scores="votes", votes=3)
    assert plan.usd_estimate == pytest.approx(there.bill(20, scores="votes", votes=3), rel=0.15)


@pytest.mark.parametrize("facts", WAYS.values(), ids=WAYS)
def test_where_nobody_counts_the_plan_says_so_and_is_no_lower_than_the_bill(there: World, facts: dict[str, Any]):
    there.server.counts = False
    plan = there.plan(**facts)
    assert plan.basis == "estimated by characters, on the high side"
    assert there.bill(**facts) <= plan.usd_estimate * 1.05


@pytest.mark.parametrize("facts", [WAYS["plain"], WAYS["shots"], WAYS["a cached prefix"]])
def test_fifty_stored_answers_tell_within_five_percent_and_how_sure_that_is(there: World, facts: dict[str, Any]):
    there.bill(50, **facts)
    counted = there.server.counted
    plan = there.plan(150, **facts)
    assert (plan.basis, there.server.counted, plan.missing) == ("as its 50 stored answers took", counted, 100)
    there.server.cached.clear()  # as it is after five minutes
    bill = there.bill(150, **facts)
    assert plan.usd_estimate == pytest.approx(bill, rel=0.05)
    assert plan.error is not None
    assert abs(plan.usd_estimate - bill) <= plan.error * plan.usd_estimate + 1e-9
    assert plan.error <= 0.05


def test_answers_of_the_same_model_to_another_prompt_tell_its_tokens_per_character(there: World):
    there.server.counts = False
    there.bill(50)
    other = {"shots": 4, "instructions": "Which of these does the customer mean?"}
    plan = there.plan(100, **other)
    assert plan.basis == "as many tokens per character as in the model's 50 stored answers"
    bill = there.bill(100, **other)
    assert plan.usd_estimate == pytest.approx(bill, rel=0.15)  # 1.3 times the bill by characters alone
    assert plan.error is not None
    assert abs(plan.usd_estimate - bill) <= plan.error * plan.usd_estimate


def test_few_answers_of_a_model_tell_nothing_of_another_prompt(there: World):
    there.server.counts = False
    there.bill(49)
    plan = there.plan(100, shots=4)
    assert (plan.basis, plan.error) == ("estimated by characters, on the high side", None)


def test_a_stored_suite_is_planned_without_a_word_to_the_service(there: World, monkeypatch: pytest.MonkeyPatch):
    there.bill()
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    plan = there.plan()
    assert (plan.missing, plan.usd_estimate, plan.basis, there.server.counted) == (0, 0.0, "", 0)


def test_thinking_may_take_all_that_an_answer_may(there: World):
    plan = there.plan(effort="high", max_output_tokens=1_000)
    assert plan.output_tokens_estimate == 60_000
