"""OpenAI's protocol through the real SDK, against a server that refuses as the service and its kin do."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("openai", reason="needs the extra `openai`")

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.answering import conversation
from pytest_modelcompare.llm.answers import Answered, AskPlan, LLMOptions
from pytest_modelcompare.llm.openai_service import is_own, usage_of
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.retries import Retries
from pytest_modelcompare.pricing.price_list import Usage
from pytest_modelcompare.pricing.prices import Prices
from pytest_modelcompare.records import Dataset, Rows
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.folders import StoreFolders
from tests.llm.openai_server import KEY, OpenAIServer, serving

MODEL = "openai:gpt-4o-mini"
LABELS = ("ham", "spam")


def a_dataset(n: int = 6, labels: tuple[str, ...] = LABELS) -> Dataset:
    test = Rows(tuple(f"message {row}" for row in range(n)), np.arange(n) % 2, tuple(map(str, range(n))))
    train = Rows(("free prize", "see you"), np.array([1, 0]), ("a", "b"))
    return Dataset(labels, {}, train, None, test, "d")


def by_number(text: str, _: int) -> Any:
    return LABELS[int(text.split()[-1]) % 2]


async def no_wait(_: float) -> None:
    pass


class World:
    """A server, a journal, and a way to ask."""

    def __init__(self, server: OpenAIServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.journal = AnswerJournal(StoreFolders(folder / "store"))

    def plan(self, model: str = MODEL, **settings: Any) -> AskPlan:
        wanted = PromptSettings(model=model, base_url=self.server.url, **settings)
        return conversation(wanted, a_dataset(), self.journal, self.folder).plan(LLMOptions("auto", 1.0, "s1"))

    def ask(
        self, dataset: Dataset | None = None, *, mode: Any = "auto", model: str = MODEL, **settings: Any
    ) -> Answered:
        retries = Retries(attempts=4, sleep=no_wait, dice=random.Random(1))
        options = LLMOptions(mode, 1.0, "s1", {"openai:llama": Prices(0, 0)}, retries)  # type: ignore[arg-type]
        wanted = PromptSettings(model=model, base_url=self.server.url, **settings)
        return conversation(wanted, dataset or a_dataset(), self.journal, self.folder).run(options)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@contextmanager
def world(folder: Path, answer: Callable[[str, int], Any]) -> Iterator[World]:
    with serving(answer) as server:
        yield World(server, folder)


def test_every_row_is_asked_once_within_a_closed_menu(tmp_path: Path):
    with world(tmp_path, by_number) as there:
        answered = there.ask(shots=2, effort="low")
        body = there.server.bodies[0]
        again = there.ask(shots=2, effort="low", mode="replay")
        assert there.server.calls == 6
    assert answered.predictions.labels.tolist() == again.predictions.labels.tolist() == [0, 1] * 3
    assert body["response_format"]["json_schema"]["strict"] is True
    assert body["response_format"]["json_schema"]["schema"]["properties"]["label"]["enum"] == ["ham", "spam"]
    assert [turn["role"] for turn in body["messages"]] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert body["reasoning_effort"] == "low"
    assert "temperature" not in body


def test_a_service_without_closed_menus_is_asked_for_free_text_from_then_on(tmp_path: Path):
    with world(tmp_path, by_number) as there:
        there.server.structured = False
        answered = there.ask()
        assert "response_format" not in there.server.bodies[0]
        refused = there.server.refused
        assert there.ask().calls == 0
        assert there.server.refused == refused
    assert answered.predictions.labels.tolist() == [0, 1] * 3
    assert any("free text" in note and "does not support" in note for note in answered.notes)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_limit_of_an_answer_goes_by_the_name_that_the_service_knows(tmp_path: Path, name: str):
    with world(tmp_path, by_number) as there:
        there.server.limit_names = {name}
        there.ask(max_concurrency=1)
        assert {name in body for body in there.server.bodies} == {True}
        assert there.server.refused <= 1


def test_a_server_of_ones_own_needs_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with world(tmp_path, by_number) as there:
        there.server.key = None
        there.ask(model="openai:llama")
        assert there.server.keys == {"none"}


def test_a_key_that_the_suite_names_must_be_there(tmp_path: Path):
    with world(tmp_path, by_number) as there, pytest.raises(LLMError, match="no API key in MY_KEY"):
        there.ask(api_key_env="MY_KEY")


def test_the_service_itself_needs_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    journal = AnswerJournal(StoreFolders(tmp_path / "store"))
    with pytest.raises(LLMError, match="no API key in OPENAI_API_KEY"):
        conversation(PromptSettings(model=MODEL), a_dataset(), journal, tmp_path).run(LLMOptions("auto", 1.0, "s1"))


PASSING = [
    {"status": 429, "retry_after": 3},
    {"status": 500},
    {"status": 503},
    {"drop": True},
    {"page": "{half", "type": "application/json"},
]


@pytest.mark.parametrize("fault", PASSING, ids=["429", "500", "503", "dropped", "half"])
def test_a_passing_fault_is_tried_again(tmp_path: Path, fault: dict[str, Any]):
    with world(tmp_path, lambda text, times: fault if times == 0 else by_number(text, times)) as there:
        assert there.ask().predictions.labels.tolist() == [0, 1] * 3
        assert set(there.server.asked.values()) == {2}


def test_no_money_left_is_no_passing_fault(tmp_path: Path):
    empty = {"status": 429, "code": "insufficient_quota", "message": "You exceeded your current quota"}
    with world(tmp_path, lambda text, _: empty) as there:
        with pytest.raises(LLMError, match="exceeded your current quota"):
            there.ask(max_concurrency=1)
        assert there.server.calls == 1


@pytest.mark.parametrize(("status", "words"), [(400, "bad"), (403, "no access"), (404, "does not exist")])
def test_a_permanent_refusal_stops_at_once_with_the_services_words(tmp_path: Path, status: int, words: str):
    with world(tmp_path, lambda text, _: {"status": status, "message": words}) as there:
        with pytest.raises(LLMError, match=words):
            there.ask(max_concurrency=1)
        assert there.server.calls == 1


def test_the_key_is_in_no_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-key-9876")
    with world(tmp_path, by_number) as there, pytest.raises(LLMError) as caught:
        there.ask()
    assert "Incorrect API key" in str(caught.value)
    assert "sk-wrong" not in str(caught.value)


def test_what_is_no_answer_is_wrong_and_counted_by_kind(tmp_path: Path):
    kinds = [
        {"text": "", "refusal": "I cannot"},
        {"text": '{"label": "ha', "finish_reason": "length"},
        {"text": "", "finish_reason": "content_filter"},
        {"status": 400, "code": "content_filter", "message": "filtered"},
        {"status": 400, "code": "context_length_exceeded", "message": "too many tokens"},
        {"text": '{"label": "eggs"}'},
    ]
    with world(tmp_path, lambda text, _: kinds[int(text.split()[-1])]) as there:
        answered = there.ask()
    assert answered.predictions.labels.tolist() == [-1] * 6
    assert answered.predictions.failures == {
        "refused": 1,
        "cut short": 1,
        "stopped by the content filter": 2,
        "too long for the model": 1,
        "outside the labels": 1,
    }


def test_answers_without_a_count_of_tokens_are_refused(tmp_path: Path):
    with world(tmp_path, by_number) as there:
        there.server.counts_tokens = False
        with pytest.raises(LLMError, match="no count of tokens"):
            there.ask()


@pytest.fixture
def own_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server on loopback is OpenAI itself."""
    monkeypatch.setattr("pytest_modelcompare.llm.openai_service.OWN_HOST", "127.0.0.1")


PRICES = {
    # USD per million tokens in and out. Source: https://github.com/pydantic/genai-prices, gpt-5.1
    None: (1.25, 10.0),
    "default": (1.25, 10.0),
    "priority": (2.5, 20.0),
    "flex": (0.625, 5.0),
}


@pytest.mark.parametrize("tier", PRICES)
@pytest.mark.usefixtures("own_service")
def test_plan_and_bill_name_one_tier_whatever_the_project_is_set_to(tmp_path: Path, tier: Any):
    with world(tmp_path, by_number) as there:
        there.server.project_tier = "priority"
        facts = {"service_tier": tier} if tier else {}
        plan = there.plan(model="openai:gpt-5.1", **facts)
        answered = there.ask(model="openai:gpt-5.1", **facts)
        assert {body["service_tier"] for body in there.server.bodies} == {tier or "default"}
    into, out = PRICES[tier]
    assert plan.usd_estimate == pytest.approx(
        (plan.input_tokens_estimate * into + plan.output_tokens_estimate * out) / 1e6
    )
    used = there.server.used
    assert answered.usd == pytest.approx((used["prompt_tokens"] * into + used["completion_tokens"] * out) / 1e6)
    assert answered.cost is not None
    assert f"{into:g}/{out:g} USD per million" in answered.cost.assumptions


@pytest.mark.usefixtures("own_service")
def test_answers_of_another_tier_are_other_answers_and_of_the_plain_one_the_same(tmp_path: Path):
    with world(tmp_path, by_number) as there:
        there.server.project_tier = "default"
        assert there.ask(model="openai:gpt-5.1").calls == 6
        assert there.ask(model="openai:gpt-5.1", service_tier="default").calls == 0
        assert there.ask(model="openai:gpt-5.1", service_tier="flex").calls == 6


@pytest.mark.usefixtures("own_service")
@pytest.mark.parametrize("facts", [{}, {"shots": 2}, {"effort": "low"}])
def test_openai_counts_what_asking_would_take(tmp_path: Path, facts: dict[str, Any]):
    with world(tmp_path, by_number) as there:
        there.server.project_tier = "default"
        plan = there.plan(model="openai:gpt-5.1", **facts)
        assert plan.basis == "tokens counted by the service on 6 requests"
        assert (there.server.calls, there.server.refused) == (0, 0)
        there.ask(model="openai:gpt-5.1", **facts)
        assert plan.input_tokens_estimate == pytest.approx(there.server.used["prompt_tokens"], rel=0.02)


def test_a_server_of_ones_own_is_not_asked_to_count(tmp_path: Path):
    with world(tmp_path, by_number) as there:
        assert there.plan().basis == "estimated by characters, on the high side"
        assert there.server.counted == 0


def test_a_server_of_ones_own_is_not_asked_for_a_tier(tmp_path: Path):
    with world(tmp_path, by_number) as there:
        there.ask()
        assert there.server.refused == 0
        assert not any("service_tier" in body for body in there.server.bodies)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        (None, True),
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("http://localhost:11434/v1", False),
        ("https://api.openai.com.example.org/v1", False),
        ("https://proxy.example/api.openai.com/v1", False),
    ],
)
def test_which_addresses_are_openais_own(address: str | None, own: bool):
    assert is_own(address) is own


def test_tiers_belong_to_openai():
    with pytest.raises(ValueError, match="`service_tier` belongs to `openai`"):
        PromptSettings(model="anthropic:claude-haiku-5-5", service_tier="flex")


def test_a_page_of_a_proxy_is_no_answer(tmp_path: Path):
    with (
        world(tmp_path, lambda text, _: {"page": "<html>login</html>"}) as there,
        pytest.raises(LLMError, match="no answer"),
    ):
        there.ask(max_concurrency=1)


GOOD = {"choices": [{"message": {"content": "ham"}}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"choices": ["x"]}, "no answer"),
        ({"choices": {"a": 1}}, "no answer"),
        ({"choices": [{"message": {"content": ["ham"]}}]}, "no answer"),
        ({"usage": {"total_tokens": 2}}, "no count of tokens"),
        ({"usage": {"prompt_tokens": "many", "completion_tokens": 1}}, "no count of tokens"),
    ],
)
def test_what_another_protocol_says_is_an_error_in_words(tmp_path: Path, change: dict[str, Any], words: str):
    page = {"page": json.dumps({**GOOD, **change}), "type": "application/json"}
    with world(tmp_path, lambda *_: page) as there, pytest.raises(LLMError, match=f"openai replied with {words}"):
        there.ask(max_concurrency=1)


def test_cached_and_written_tokens_are_taken_out_of_the_prompts():
    from openai.types.completion_usage import CompletionUsage

    usage = CompletionUsage.model_validate(
        {
            "prompt_tokens": 1000,
            "completion_tokens": 50,
            "total_tokens": 1050,
            "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100},
            "completion_tokens_details": {"reasoning_tokens": 40},
        }
    )
    assert usage_of(usage) == Usage(300, 50, 600, 100, thinking_tokens=40)
