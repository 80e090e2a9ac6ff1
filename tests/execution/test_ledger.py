"""What may still be spent in a session."""

from __future__ import annotations

import random
from pathlib import Path

from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.llm.answering import conversation
from pytest_modelcompare.llm.answers import LLMOptions
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.retries import Retries
from tests.llm.test_answering import MODEL, a_dataset, key, no_wait, world

__all__ = ["key"]


def test_what_is_spent_and_what_may_have_been_billed_are_no_longer_there():
    ledger = Ledger(cap_usd=1.0)
    ledger.note_answers(usd=0.25, calls=3, stored=0)
    ledger.note_unheard(0.25, requests=2)
    ledger.note_held(0.25)
    assert ledger.left_usd(9.0, 0.0) == 0.25
    assert (ledger.spend.usd, ledger.spend.perhaps_billed, ledger.spend.perhaps_billed_usd) == (0.25, 2, 0.25)


def test_a_request_that_was_cut_off_is_noted_beyond_its_contestant(tmp_path: Path):
    noted: list[tuple[float, int]] = []

    def note(usd: float, requests: int) -> None:
        noted.append((usd, requests))

    with world(tmp_path, lambda text, times: {"drop": True} if (text, times) == ("message 3", 0) else "ham") as there:
        retries = Retries(attempts=4, sleep=no_wait, dice=random.Random(1))
        options = LLMOptions("auto", 1.0, "s1", retries=retries, note_unheard=note)
        settings = PromptSettings(model=MODEL, base_url=there.server.url)
        answered = conversation(settings, a_dataset(6), there.journal, tmp_path).run(options)
    assert len(answered.predictions.labels) == 6
    # one request at its worst: more than it cost
    [(usd, requests)] = noted
    assert usd > answered.usd / 6
    assert requests == 1
