"""A causal language model as a contestant: predicted, stored, timed and priced here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.methods.local import Work
from pytest_modelcompare.methods.local_prompt import LocalPrompt
from pytest_modelcompare.records import Dataset, Rows


def a_work(folder: Path, stories: Path, *, smoke: bool = False) -> tuple[PromptSettings, Work]:
    test = Rows(("The dog ran", "Tom was sad", "dog " * 600), np.array([0, 1, 0]), ("0", "1", "2"))
    train = Rows(("She smiled", "the dog ran"), np.array([0, 1]), ("0", "1"))
    dataset = Dataset(
        ("happy", "sad"), {}, train, replace(test, texts=test.texts[:2], labels=test.labels[:2]), test, "d"
    )
    settings = PromptSettings(model=f"local:{stories}", instructions="Pick one.", shots=2)
    return settings, Work(dataset, 0, "cpu", folder, folder, smoke=smoke)


def test_every_label_has_a_probability_and_what_is_too_long_has_none(tmp_path: Path, stories_folder: Path):
    settings, work = a_work(tmp_path, stories_folder)
    outcome = LocalPrompt().run(settings, work)
    predictions = outcome.predictions
    assert predictions.scores is not None
    assert predictions.scores[:2].sum(axis=1) == pytest.approx(1)
    assert predictions.labels[:2].tolist() == predictions.scores[:2].argmax(axis=1).tolist()
    assert predictions.labels[2] == -1
    assert np.isnan(predictions.scores[2]).all()
    assert predictions.failures == {"too long for the model": 1}
    assert predictions.scores_from == "likelihoods of the labels"
    assert outcome.footprint.parameters == 260_032
    assert outcome.validation is not None
    assert outcome.validation.labels.tolist() == predictions.labels[:2].tolist()
    predictor = LocalPrompt().load(tmp_path, settings, work)
    assert predictor.predict(work.dataset.test.texts) == predictions.labels.tolist()
    assert (predictor.tokens(work.dataset.test.texts[:1]) or 0) > 20


def test_the_twin_of_a_row_is_no_shot_of_it(tmp_path: Path, stories_folder: Path):
    settings, work = a_work(tmp_path, stories_folder)
    requests = LocalPrompt().requests(settings, work.dataset, tmp_path)
    assert [len(request.messages) for request in requests] == [3, 5, 5]


def test_instructions_in_a_file_count_by_their_words(tmp_path: Path, stories_folder: Path):
    (tmp_path / "task.md").write_text("Pick one.")
    settings, _ = a_work(tmp_path, stories_folder)
    of_file = settings.model_copy(update={"instructions": "task.md"})
    before = LocalPrompt().weights_digest(of_file, tmp_path)
    assert before == LocalPrompt().weights_digest(settings, tmp_path)
    (tmp_path / "task.md").write_text("Pick the other.")
    assert LocalPrompt().weights_digest(of_file, tmp_path) != before


def test_a_smoke_run_takes_random_weights(tmp_path: Path, stories_folder: Path):
    settings, work = a_work(tmp_path, stories_folder, smoke=True)
    assert LocalPrompt().run(settings, work).predictions.labels.shape == (3,)
