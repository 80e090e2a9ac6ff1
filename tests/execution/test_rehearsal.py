"""Hours of training do not end in an artefact that cannot be made."""

from __future__ import annotations

import pytest

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.prepare import prepare
from pytest_modelcompare.methods.fine_tune import FineTune
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Unwatched
from pytest_modelcompare.suite.load import load_suite

SUITE = """\
modelcompare: 1
data: {{train: train.csv, test: test.csv}}
references: false
defaults: {{fine_tune: {{epochs: 1, max_length: 16, batch_size: 8}}}}
contestants:
  {contestants}
gates: ["{gate}.accuracy >= 0"]
"""


@pytest.fixture
def prepared(tmp_path, small_bert_and_rows):
    """A comparison of one contestant of a small BERT, after what it needs has run."""
    path = tmp_path / "s.modelcompare.yaml"

    def made(name, options=""):
        path.write_text(SUITE.format(contestants=f"{name}: {{fine_tune: {small_bert_and_rows}{options}}}", gate=name))
        comparison = Comparison(load_suite(path), Options(tmp_path / "store", "session", device="cpu"), Ledger())
        prepare([(comparison, comparison.everything())], Unwatched())
        return comparison

    return made


@pytest.fixture
def refused(monkeypatch):
    def refuse(self, settings, work):
        raise ModelError("the model cannot be exported to ONNX", where=settings.model)

    monkeypatch.setattr(FineTune, "rehearse_serving", refuse)


def test_what_could_not_be_served_is_not_trained(prepared, refused, monkeypatch):
    monkeypatch.setattr(FineTune, "run", lambda *_: pytest.fail("trained"))
    comparison = prepared("graph", ", serve: onnx")
    assert comparison.failures["graph"].what == "the model cannot be exported to ONNX"
    assert comparison.ledger.spend.trainings == 0


def test_what_is_trained_already_is_served_without_a_rehearsal(prepared, refused):
    pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
    prepared("plain")
    comparison = prepared("graph", ", serve: onnx")
    assert not comparison.failures
    assert len(comparison.runs["graph"]) == 1
