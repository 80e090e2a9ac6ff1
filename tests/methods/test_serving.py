"""The artefact that would be deployed is what predicts, and what is measured."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference import onnx_export
from pytest_modelcompare.methods.fine_tune import FineTune
from tests.methods.small_models import settings_for, small_work

onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
pytest.importorskip("onnx", reason="needs the extra `onnx`")


@pytest.fixture(scope="module")
def trained(bert_folder, tmp_path_factory):
    work = small_work(tmp_path_factory.mktemp("run"))
    return work, FineTune().run(settings_for(bert_folder), work)


@pytest.fixture(scope="module")
def served(trained, bert_folder, tmp_path_factory):
    """`serve` → its settings, the work it did, and what came of it."""
    work, outcome = trained
    found = {}
    for serve in ("onnx", "onnx-int8"):
        own = small_work(tmp_path_factory.mktemp(serve))
        settings = settings_for(bert_folder, serve=serve)
        found[serve] = settings, own, FineTune().serve(settings, own, work.folder, outcome.footprint)
    return found


def test_onnx_gives_the_scores_of_torch(trained, served):
    _, torch_outcome = trained
    _, _, outcome = served["onnx"]
    np.testing.assert_allclose(outcome.predictions.scores, torch_outcome.predictions.scores, atol=1e-4)


def test_int8_gives_scores_of_its_own_that_are_near(trained, served):
    _, torch_outcome = trained
    _, _, outcome = served["onnx-int8"]
    difference = np.abs(outcome.predictions.scores - torch_outcome.predictions.scores).max()
    assert 1e-4 < difference < 0.1
    assert (outcome.device.kind, outcome.device.precision) == ("cpu", "int8")


def test_the_size_is_the_artefacts_and_the_training_is_counted(trained, served):
    _, torch_outcome = trained
    for serve, (_, work, outcome) in served.items():
        files = list((work.folder / "model").iterdir())
        assert outcome.footprint.size_mb == pytest.approx(sum(path.stat().st_size for path in files) / 2**20)
        assert outcome.footprint.train_seconds > torch_outcome.footprint.train_seconds
        assert outcome.footprint.parameters == torch_outcome.footprint.parameters
        assert not any("safetensors" in path.name for path in files), serve
    assert served["onnx-int8"][2].footprint.size_mb < served["onnx"][2].footprint.size_mb


def test_a_kept_graph_predicts_what_the_run_predicted(served):
    for settings, work, outcome in served.values():
        predictor = FineTune().load(work.folder, settings, work)
        assert np.array_equal(np.asarray(predictor.predict(work.dataset.test.texts)), outcome.predictions.labels)
        assert predictor.tokens(work.dataset.test.texts) > len(work.dataset.test.texts)


def test_where_a_graph_cannot_run_it_runs_on_the_cpu(served):
    settings, _, _ = served["onnx-int8"]
    assert FineTune().devices(settings) == ("cpu",)


def test_generated_labels_are_refused_when_the_suite_is_read(bert_folder):
    with pytest.raises(ValidationError, match="`serve: onnx` exports classification heads: leave `head` out"):
        settings_for(bert_folder, serve="onnx", head="text_to_text")


def test_a_rehearsal_exports_a_small_model_and_says_what_the_real_one_would(bert_folder, tmp_path, monkeypatch):
    settings, work = settings_for(bert_folder, serve="onnx-int8"), small_work(tmp_path)
    FineTune().rehearse_serving(settings, work)
    assert [path.name for path in work.folder.iterdir()] == ["model.onnx"]
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="the exported graph answers otherwise than the model"):
        FineTune().rehearse_serving(settings, work)


def test_settings_that_only_serve_name_the_training_that_they_serve(bert_folder):
    torch = settings_for(bert_folder)
    assert FineTune().trained_as(settings_for(bert_folder, serve="onnx-int8")) == torch
    assert FineTune().trained_as(torch) is None
