from __future__ import annotations

import numpy as np

from pytest_modelcompare.methods.zero_shot import ZeroShot, ZeroShotSettings, label_texts
from tests.methods.small_models import small_work


def test_a_label_without_a_description_is_its_name(tmp_path):
    dataset = small_work(tmp_path / "run").dataset
    assert label_texts(dataset) == ["lost card", "money", "refund"]


def test_a_text_equal_to_a_description_gets_its_label(bert_folder, tmp_path):
    work = small_work(tmp_path / "run")
    settings = ZeroShotSettings(model=str(bert_folder), precision="fp32")
    predictor = ZeroShot().load(work.folder, settings, work)
    assert np.array_equal(np.asarray(predictor.predict(["refund", "lost card", "money"])), [2, 0, 1])


def test_nothing_is_trained_or_kept(bert_folder, tmp_path):
    work = small_work(tmp_path / "run")
    outcome = ZeroShot().run(ZeroShotSettings(model=str(bert_folder), precision="fp32"), work)
    assert outcome.footprint.train_seconds == 0
    assert not list(work.folder.iterdir())
    np.testing.assert_allclose(outcome.predictions.scores.sum(axis=1), 1)
