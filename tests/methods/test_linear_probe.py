from __future__ import annotations

import numpy as np
import pytest

from pytest_modelcompare.methods.linear_probe import LinearProbe, LinearProbeSettings
from tests.methods.small_models import small_work


@pytest.fixture
def settings(bert_folder):
    return LinearProbeSettings(model=str(bert_folder), precision="fp32")


def test_a_kept_probe_predicts_what_the_run_predicted(settings, tmp_path):
    work = small_work(tmp_path / "run")
    outcome = LinearProbe().run(settings, work)
    predictor = LinearProbe().load(work.folder, settings, work)
    assert np.array_equal(np.asarray(predictor.predict(work.dataset.test.texts)), outcome.predictions.labels)
    assert predictor.tokens(["my card"]) == 4  # [CLS] my card [SEP]


def test_nothing_is_pickled(settings, tmp_path):
    work = small_work(tmp_path / "run")
    LinearProbe().run(settings, work)
    (kept,) = (work.folder / "model").iterdir()
    with np.load(kept, allow_pickle=False) as arrays:
        assert arrays["coefficients"].shape == (3, 32)


def test_a_smoke_run_reads_no_weights(settings, bert_folder, tmp_path):
    for path in bert_folder.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    LinearProbe().run(LinearProbeSettings(model=str(tmp_path)), small_work(tmp_path / "run", smoke=True))
