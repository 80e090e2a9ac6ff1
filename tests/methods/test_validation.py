"""Every trained method answers the validation rows, and learns nothing from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pytest_modelcompare.methods.fitting import FineTuneSettings
from pytest_modelcompare.methods.linear_probe import LinearProbeSettings
from pytest_modelcompare.methods.local import LocalMethod
from pytest_modelcompare.methods.registry import BUILT_IN
from pytest_modelcompare.methods.tfidf import TfidfSettings
from tests.methods.small_models import rows, small_work

LOCAL = {method.key: method for method in BUILT_IN if isinstance(method, LocalMethod)}


@pytest.mark.parametrize("method", ["tfidf", "linear_probe", "fine_tune"])
@pytest.mark.parametrize("smoke", [False, True])
def test_validation_rows_are_answered_and_change_no_other_answer(method, smoke, bert_folder, tmp_path):
    model = str(bert_folder)
    settings = {
        "tfidf": TfidfSettings(),
        "linear_probe": LinearProbeSettings(model=model, precision="fp32"),
        "fine_tune": FineTuneSettings(model=model, precision="fp32", epochs=1, batch_size=8),
    }[method]
    without = small_work(tmp_path / "without", smoke=smoke)
    held_out = rows(12, 5)
    work = small_work(tmp_path / "with", smoke=smoke)
    work = replace(work, dataset=replace(work.dataset, validation=held_out))
    outcome = LOCAL[method].run(settings, work)
    plain = LOCAL[method].run(settings, without)
    assert plain.validation is None
    assert outcome.validation is not None
    assert outcome.validation.scores is not None
    assert outcome.validation.scores.shape == (12, 3)
    if smoke:  # of random weights, drawn anew
        return
    assert np.array_equal(outcome.predictions.labels, plain.predictions.labels)
    # the same rows as test rows get the same answers
    again = small_work(tmp_path / "again")
    as_test = LOCAL[method].run(settings, replace(again, dataset=replace(again.dataset, test=held_out)))
    assert np.allclose(outcome.validation.scores, as_test.predictions.scores, atol=1e-6)
