"""The same work on a CUDA device; skips without one."""

from __future__ import annotations

import numpy as np
import pytest

from tests.methods import small_models

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def a_device():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


def test_fine_tuning_on_cuda_is_deterministic_for_a_seed_and_survives_keeping(tmp_path):
    from pytest_modelcompare.methods.fine_tune import FineTune
    from pytest_modelcompare.methods.fitting import FineTuneSettings

    folder = small_models.small_bert(tmp_path / "bert")
    settings = FineTuneSettings(model=str(folder), epochs=20, learning_rate=3e-3, batch_size=8)
    works = [small_models.small_work(tmp_path / name, device="cuda") for name in ("a", "b")]
    first, second = (FineTune().run(settings, work) for work in works)
    assert first.device.kind == "cuda"
    assert np.array_equal(first.predictions.scores, second.predictions.scores)
    predictor = FineTune().load(works[0].folder, settings, works[0])
    assert np.array_equal(np.asarray(predictor.predict(works[0].dataset.test.texts)), first.predictions.labels)
    assert predictor.memory_mb() > 0
