"""Scores of an LLM and its shots, asked for through the real SDK."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.answering import conversation
from pytest_modelcompare.llm.answers import LLMOptions
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.pricing.price_list import Usage, answer_cost_usd
from pytest_modelcompare.records import Dataset, Rows
from tests.llm.anthropic_server import KEY
from tests.llm.test_answering import MODEL, a_dataset, by_number, world


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def stated(ham: float, spam: float) -> dict[str, str]:
    entries = [{"label": "ham", "probability": ham}, {"label": "spam", "probability": spam}]
    return {"text": json.dumps({"probabilities": entries})}


def test_stated_scores_are_asked_apart_and_stay_out_of_the_cost(tmp_path: Path):
    with world(tmp_path, lambda text, _: by_number(text, 0)) as there:
        plain = there.ask(a_dataset(4), max_concurrency=1)
        billed = dict(there.server.billed)
        there.server.answer = lambda text, _: stated(0.7, 0.3)
        answered = there.ask(a_dataset(4), scores="stated", max_concurrency=1)
        for_scores: dict[str, Any] = {name: count - billed[name] for name, count in there.server.billed.items()}
        assert there.server.calls == 4 + 4
    assert answered.predictions.labels.tolist() == [0, 1, 0, 1]
    assert answered.predictions.scores_from == "stated probabilities"
    assert answered.predictions.scores is not None
    assert answered.predictions.scores.tolist() == [[0.7, 0.3]] * 4
    assert plain.cost is not None
    assert answered.cost is not None
    assert answered.scores_cost is not None
    assert answered.cost.usd_per_row.tolist() == plain.cost.usd_per_row.tolist()
    bill = float(answer_cost_usd(MODEL, Usage(**for_scores), datetime.now(UTC)))
    assert answered.scores_cost.usd_per_row.sum() == pytest.approx(bill)
    assert any(f"only the scores cost {250 * bill:.4f} USD per 1,000 rows" in note for note in answered.notes)
    assert len(answered.latencies.milliseconds) == 4


def test_votes_are_shares_of_answers_to_other_orders(tmp_path: Path):
    # the fourth answer of a row says spam, the other three ham
    with world(tmp_path, lambda text, times: "spam" if times == 3 else "ham") as there:
        answered = there.ask(a_dataset(3), scores="votes", votes=4)
        assert there.server.calls == 12
        assert there.ask(a_dataset(3), scores="votes", votes=4, mode="replay").calls == 0
        more = there.ask(a_dataset(3), scores="votes", votes=5)
        assert there.server.calls == 15
    assert answered.predictions.labels.tolist() == more.predictions.labels.tolist()
    assert answered.predictions.scores_from == "votes of 4 answers"
    assert answered.predictions.scores is not None
    assert np.sort(answered.predictions.scores.sum(axis=0)).tolist() == [0.75, 2.25]
    assert answered.cost is not None
    assert answered.scores_cost is not None
    assert answered.cost.usd_per_row.shape == answered.scores_cost.usd_per_row.shape == (3,)


def test_a_menu_refused_for_probabilities_alone_leaves_stored_answers_valid(tmp_path: Path):
    labels = tuple(f"label{number:03d}" for number in range(30))

    def answer(text: str, _: int) -> Any:
        config = there.server.bodies[-1].get("output_config") or {}
        if "probabilities" in json.dumps(config):
            return {"status": 400, "message": "The compiled grammar is too large"}
        return "label007" if config else {"text": '{"probabilities": {"label007": 0.9}}'}

    with world(tmp_path, answer) as there:
        there.ask(a_dataset(2, labels), max_concurrency=1)
        answered = there.ask(a_dataset(2, labels), session="s2", scores="stated", max_concurrency=1)
        assert answered.calls == 2
        assert answered.stored == 2
    assert answered.predictions.scores is not None
    assert answered.predictions.scores[0, 7] == pytest.approx(0.9)
    assert answered.predictions.scores[0, 8] == pytest.approx(0.1 / 29)
    assert not any("free text" in note for note in answered.notes)


def cards() -> Dataset:
    train = Rows(("lost my card", "top up failed", "my card is late"), np.array([0, 1, 0]), ("a", "b", "c"))
    test = Rows(("where is my card", "TOP UP failed"), np.array([0, 1]), ("0", "1"))
    return Dataset(("ham", "spam"), {}, train, None, test, "cards")


def test_the_nearest_rows_are_shown_and_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with world(tmp_path, lambda text, _: "ham") as there:
        answered = there.ask(cards(), shots=1, shots_by="nearest", max_concurrency=1)
        shown = [body["messages"][0]["content"] for body in there.server.bodies]
        assert shown[0] == "<text>\nmy card is late\n</text>"
        assert "top up" not in shown[1]
        monkeypatch.setattr("pytest_modelcompare.inference.ngrams.fit_ngrams", None)
        assert there.ask(cards(), shots=1, shots_by="nearest", mode="replay").calls == 0
    assert "the 1 nearest training rows by TF-IDF as shots" in answered.notes


def test_shots_fill_a_budget_of_tokens(tmp_path: Path):
    with world(tmp_path, lambda text, _: "ham") as there:
        answered = there.ask(cards(), shots_tokens=60, max_concurrency=1)
        assert [len(body["messages"]) for body in there.server.bodies] == [5, 5]
    assert "the first 2 training rows as shots, in at most 60 tokens by estimate" in answered.notes


def test_a_budget_of_shots_above_what_the_model_reads_is_refused_before_anything_is_asked(tmp_path: Path):
    dataset = cards()
    assert dataset.train is not None
    long = replace(dataset, train=replace(dataset.train, texts=tuple(f"{row} " * 200_000 for row in "abc")))
    settings = PromptSettings(model="anthropic:claude-3-haiku-20240307", shots_tokens=900_000)
    with world(tmp_path, by_number) as there:
        with pytest.raises(LLMError, match=r"reads 200,000\n  `shots_tokens: \d+` would fit"):
            conversation(settings, long, there.journal, tmp_path).plan(LLMOptions("auto", 1.0, "s1"))
        assert there.server.calls == 0
