"""`optimise`: instructions and shots searched on training rows, against a service on loopback."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.errors import BudgetError, LLMError, UnavailableError
from pytest_modelcompare.llm.answering import conversation
from pytest_modelcompare.llm.answers import AskPlan, LLMOptions
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompt_trials import Trial, choice_key, next_pair, searchable
from pytest_modelcompare.llm.prompting import prompt_plan, questions
from pytest_modelcompare.llm.proposals import SUMMARY_CALLS
from pytest_modelcompare.llm.recording import records_of, with_recording
from pytest_modelcompare.records import Dataset, Rows
from pytest_modelcompare.store.recordings import write_recording
from tests.llm.anthropic_server import texts_of
from tests.llm.test_answering import LABELS, MODEL, World, key, world

__all__ = ["key"]

pytest.importorskip("dspy", reason="the extra `dspy` is not installed: pip install 'pytest-modelcompare[dspy]'")

OPTIMISE = {"trials": 5, "rows": 10}
RIGHT_WORDS = "An offer of money is spam."


def some_rows(name: str, n: int) -> Rows:
    """ham, spam, ham, …; the texts speak of money or of lunch."""
    texts = tuple(f"{name} {number} about {('lunch', 'money')[number % 2]}" for number in range(n))
    return Rows(texts, np.arange(n) % 2, tuple(map(str, range(n))))


def a_dataset() -> Dataset:
    return Dataset(LABELS, {}, some_rows("training", 40), None, some_rows("test", 12), "d")


def service(there: list[World]) -> Callable[[str, int], Any]:
    """Proposes instructions, of which the second is good; who is not told so calls everything ham."""
    proposals: list[str] = []

    def answer(text: str, _: int) -> Any:
        fields = re.findall(r"\[\[ ## (\w+) ## \]\]", text)
        if not fields:
            knows = RIGHT_WORDS in texts_of(there[0].server.bodies[-1]["system"])
            return LABELS[1] if knows and "money" in text.split("\n")[0] else LABELS[0]
        wanted = fields[-2]
        said = "Short messages."
        if wanted == "proposed_instruction":
            proposals.append(text)
            said = RIGHT_WORDS if len(proposals) == 2 else f"Choose well, {len(proposals)} times."
        return {"text": f"[[ ## {wanted} ## ]]\n{said}\n\n[[ ## completed ## ]]"}

    return answer


class Search:
    """A world whose service knows how to be asked for instructions."""

    def __init__(self, folder: Path) -> None:
        self.known: list[World] = []
        self.context = world(folder, service(self.known))

    def __enter__(self) -> World:
        self.known.append(self.context.__enter__())
        return self.known[0]

    def __exit__(self, *error: Any) -> None:
        self.context.__exit__(*error)


def ask(there: World, **settings: Any) -> Any:
    return there.ask(a_dataset(), **{"optimise": OPTIMISE, "shots": 0, **settings})


def contents(there: World) -> list[str]:
    """Everything that was sent, a text per request."""
    return ["\n".join(texts_of(turn["content"]) for turn in body["messages"]) for body in there.server.bodies]


def test_the_best_instructions_on_training_rows_are_asked_with_on_test_rows(tmp_path: Path):
    with Search(tmp_path) as there:
        answered = ask(there)
    assert answered.predictions.labels.tolist() == [0, 1] * 6
    # the suite's own prompt calls all ham: half of the ten rows held out
    assert "prompt chosen among 5 on 10 training rows: 10 right, 5 with the suite's own" in " ".join(answered.notes)
    assert f"instructions chosen: {RIGHT_WORDS}" in answered.notes


def test_no_test_row_is_sent_before_the_prompt_is_chosen_nor_a_row_held_out_to_the_proposer(tmp_path: Path):
    with Search(tmp_path) as there:
        ask(there, shots=2)
        sent = contents(there)
    first_test = next(at for at, text in enumerate(sent) if "test " in text)
    assert len(sent) - first_test == 12
    held_out = {text.split("<text>\n")[-1] for text in sent[:first_test] if "[[ ## " not in text}
    assert len(held_out) == 10
    to_proposer = " ".join(text for text in sent[:first_test] if "[[ ## " in text)
    assert to_proposer
    assert not any(text.removesuffix("\n</text>") in to_proposer for text in held_out)


def test_a_training_row_that_says_what_a_test_row_says_is_not_searched(tmp_path: Path):
    dataset = a_dataset()
    assert dataset.train is not None
    twin = Rows(("TEST 1  about money", *dataset.train.texts[1:]), dataset.train.labels, dataset.train.ids)
    with Search(tmp_path) as there:
        there.ask(Dataset(LABELS, {}, twin, None, dataset.test, "d"), optimise=OPTIMISE)
        assert not any("TEST 1" in text for text in contents(there))


def test_the_choice_is_replayed_without_dspy_a_key_or_a_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with Search(tmp_path) as there:
        first = ask(there)
        calls = there.server.calls
        monkeypatch.delenv("ANTHROPIC_API_KEY")
        monkeypatch.setattr("pytest_modelcompare.extras.find_spec", lambda _: None)
        again = ask(there, mode="replay", session="s2")
        assert there.server.calls == calls
    assert again.predictions.labels.tolist() == first.predictions.labels.tolist()
    assert [note for note in again.notes if "chosen" in note] == [note for note in first.notes if "chosen" in note]


def test_a_recording_replays_the_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with Search(tmp_path) as there:
        first = ask(there)
        settings = PromptSettings(model=MODEL, base_url=there.server.url, shots=0, optimise=OPTIMISE)  # type: ignore[arg-type]
        journal = with_recording(there.journal, settings, tmp_path)
        asked = questions(settings, a_dataset(), journal, tmp_path)
        write_recording(tmp_path / "answers.jsonl.gz", records_of(asked, a_dataset(), journal, range(12)))
        monkeypatch.delenv("ANTHROPIC_API_KEY")
        fresh = World(there.server, tmp_path / "fresh")
        fresh.folder = tmp_path
        again = ask(fresh, mode="replay", recording="answers.jsonl.gz")
    assert again.predictions.labels.tolist() == first.predictions.labels.tolist()
    assert f"instructions chosen: {RIGHT_WORDS}" in again.notes


def test_every_call_of_the_search_is_counted_priced_and_within_the_plan(tmp_path: Path):
    spent: list[tuple[float, int]] = []
    with Search(tmp_path) as there:
        options = LLMOptions("auto", 1.0, "s1", note=lambda usd, calls: spent.append((usd, calls)))
        settings = PromptSettings(model=MODEL, base_url=there.server.url, shots=0, optimise=OPTIMISE)  # type: ignore[arg-type]
        plan = conversation(settings, a_dataset(), there.journal, tmp_path).plan(options)
        assert there.server.calls == 0
        conversation(settings, a_dataset(), there.journal, tmp_path).run(options)
        assert sum(calls for _, calls in spent) == there.server.calls
        assert sum(usd for usd, _ in spent) == pytest.approx(there.server.bill_usd("anthropic:claude-haiku-5-5"))
        # five prompts on ten rows, four proposals (shots are fixed, so each trial has its own), a summary, twelve test rows
        assert (plan.search, plan.total) == (50 + 4 + SUMMARY_CALLS, 50 + 4 + SUMMARY_CALLS + 12)
        assert there.server.calls <= plan.missing
        assert there.server.bill_usd("anthropic:claude-haiku-5-5") <= plan.usd_estimate
        after = conversation(settings, a_dataset(), there.journal, tmp_path).plan(options)
    assert (after.search, after.missing) == (0, 0)


def test_a_search_that_the_budget_cuts_short_asks_nothing_twice(tmp_path: Path):
    with Search(tmp_path) as there:
        with pytest.raises(BudgetError, match="could exceed the budget"):
            ask(there, budget=0.0012)
        cut = there.server.calls
        assert 0 < cut < 60
        assert there.server.bill_usd("anthropic:claude-haiku-5-5") <= 0.0012
        ask(there)
        assert max(there.server.asked.values()) <= 5  # a row is asked once by each of five prompts
        whole = there.server.calls
    with Search(tmp_path / "other") as there:
        ask(there)
        assert there.server.calls == whole


def a_plan(there: World, **facts: Any) -> AskPlan:
    settings = PromptSettings(model=MODEL, base_url=there.server.url, **{"shots": 0, "optimise": OPTIMISE, **facts})
    options = LLMOptions("auto", 1.0, "plan")
    return conversation(settings, a_dataset(), there.journal, there.folder).plan(options)


@pytest.mark.parametrize("budget", [0.0014, 0.0018], ids=["while it proposes", "while it tries"])
def test_a_search_that_was_cut_short_is_planned_without_what_is_stored(tmp_path: Path, budget: float):
    with Search(tmp_path) as there:
        whole = a_plan(there)
        with pytest.raises(BudgetError):
            ask(there, budget=budget)
        made, cost = there.server.calls, there.server.bill_usd("anthropic:claude-haiku-5-5")
        rest = a_plan(there)
        assert (rest.total - rest.missing, there.server.calls) == (made, made)
        assert rest.usd_estimate < whole.usd_estimate
        ask(there)
        asked = there.server.calls - made
        assert asked <= rest.missing <= whole.missing - made
        assert there.server.bill_usd("anthropic:claude-haiku-5-5") - cost <= rest.usd_estimate
        if budget > 0.0015:  # all instructions are known, so that nothing is left to guess
            assert rest.missing == asked


def test_a_search_killed_before_its_choice_was_stored_costs_nothing_more(tmp_path: Path):
    with Search(tmp_path) as there:
        ask(there)
        lines = there.journal.path.read_text().splitlines(keepends=True)
        there.journal.path.write_text("".join(line for line in lines if '"optimised#' not in line))
        again = World(there.server, tmp_path)
        for index in (tmp_path / "store").glob("*.sqlite*"):
            index.unlink()
        plan, calls = a_plan(again), there.server.calls
        assert (plan.missing, plan.search, plan.usd_estimate) == (0, 0, 0.0)
        ask(again)
        assert there.server.calls == calls


def test_rows_of_one_group_are_held_out_together_and_another_grouping_searches_anew():
    dataset = a_dataset()
    assert dataset.train is not None

    def key(groups: Any) -> str:
        train = replace(dataset.train, groups=None if groups is None else np.array(groups, np.int64))
        settings = PromptSettings(model=MODEL, shots=0, optimise=OPTIMISE)  # type: ignore[arg-type]
        changed = replace(dataset, train=train)
        plan = prompt_plan(settings, changed, Nothing(), Path())
        return choice_key(settings, plan, searchable(changed), Path())

    pairs = [row // 2 for row in range(40)]
    assert len({key(None), key(pairs), key(range(40))}) == 3
    assert key([100 - group for group in pairs]) == key(pairs)


class Nothing:
    """A journal without answers."""

    def get(self, _: str) -> None:
        return None

    def put(self, key: str, record: dict[str, Any]) -> None: ...

    def tokens_of(self, _: str) -> None:
        return None


def test_shots_are_searched_too_and_shown_in_the_order_chosen(tmp_path: Path):
    """The service is right only where a shot speaks of money."""

    def answer(text: str, _: int) -> Any:
        if "[[ ## " in text:
            return {"text": "what?"}  # proposes nothing that DSPy can read
        shown = " ".join(texts_of(turn["content"]) for turn in there.server.bodies[-1]["messages"][:-1])
        return LABELS[1] if "money" in text and "money" in shown else LABELS[0]

    with world(tmp_path, answer) as there:
        answered = there.ask(a_dataset(), optimise=OPTIMISE)
        shown = there.server.bodies[-1]["messages"][:-1]
    assert answered.predictions.labels.tolist() == [0, 1] * 6
    assert len(shown) == 16
    assert "8 training rows as shots" in " ".join(answered.notes)
    assert "the chosen prompt has no instructions of its own" in answered.notes


def test_only_test_rows_go_in_batches(tmp_path: Path):
    with Search(tmp_path) as there:
        answered = ask(there, batch=True)
        [batch] = there.server.batches.values()
    assert len(batch.requests) == 12
    assert f"instructions chosen: {RIGHT_WORDS}" in answered.notes


def test_a_refresh_asks_test_rows_anew_with_the_prompt_that_was_chosen(tmp_path: Path):
    with Search(tmp_path) as there:
        ask(there)
        before = there.server.calls
        again = ask(there, mode="refresh", session="s2")
        assert there.server.calls == before + 12
        ask(there, optimise={**OPTIMISE, "seed": 1}, session="s3")
        assert there.server.calls > before + 24  # another seed searches anew
    assert f"instructions chosen: {RIGHT_WORDS}" in again.notes


def test_the_nearest_stay_the_nearest_and_are_found_for_rows_held_out_among_the_others(tmp_path: Path):
    with Search(tmp_path) as there:
        answered = ask(there, shots=1, shots_by="nearest")
        tried = [body["messages"] for body in there.server.bodies if len(body["messages"]) == 3]
    held_out = {messages[2]["content"] for messages in tried if "test " not in messages[2]["content"]}
    assert len(held_out) == 10
    assert not held_out & {messages[0]["content"] for messages in tried[:50]}
    assert "the 1 nearest training rows by TF-IDF as shots" in " ".join(answered.notes)
    assert f"instructions chosen: {RIGHT_WORDS}" in answered.notes


@pytest.mark.parametrize(
    ("mode", "settings", "error", "said"),
    [
        ("replay", {}, LLMError, "not chosen yet"),
        ("off", {}, UnavailableError, "--modelcompare-llm=off"),
        ("auto", {"optimise": {"trials": 5, "rows": 21}}, LLMError, "at most `rows: 20`"),
    ],
)
def test_what_cannot_be_searched_is_an_error_before_the_first_call(
    tmp_path: Path, mode: str, settings: dict[str, Any], error: type[Exception], said: str
):
    with Search(tmp_path) as there:
        with pytest.raises(error, match=re.escape(said)):
            ask(there, mode=mode, **settings)
        assert there.server.calls == 0


def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pytest_modelcompare.extras.find_spec", lambda _: None)
    with Search(tmp_path) as there, pytest.raises(UnavailableError, match=re.escape("pytest-modelcompare[dspy]")):
        ask(there)


def test_every_instruction_and_set_is_tried_then_pairs_of_the_good_ones():
    trials = [Trial(0, 0, 5)]
    # instruction 1 is worth 1, instruction 2 worth 3, set 1 worth 2
    while len(trials) < 6 and (pair := next_pair(trials, 3, 2)):
        trials.append(Trial(*pair, 5 + (0, 1, 3)[pair[0]] + (0, 2)[pair[1]]))
    assert [(trial.instructions, trial.shots) for trial in trials] == [(0, 0), (1, 1), (2, 0), (2, 1), (1, 0), (0, 1)]
    assert next_pair(trials, 3, 2) is None
