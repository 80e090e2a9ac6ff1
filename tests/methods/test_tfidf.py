from __future__ import annotations

import subprocess
import sys

import numpy as np

from pytest_modelcompare.methods.tfidf import Tfidf, TfidfSettings
from tests.methods.small_models import small_work


def test_what_is_learnt_is_kept(tmp_path):
    work = small_work(tmp_path / "run")
    outcome = Tfidf().run(TfidfSettings(), work)
    predictor = Tfidf().load(work.folder, TfidfSettings(), work)
    assert np.array_equal(np.asarray(predictor.predict(work.dataset.train.texts)), work.dataset.train.labels)
    assert np.array_equal(np.asarray(predictor.predict(work.dataset.test.texts)), outcome.predictions.labels)


def test_prediction_needs_neither_scikit_learn_nor_torch(tmp_path):
    work = small_work(tmp_path / "run")
    Tfidf().run(TfidfSettings(), work)
    code = (
        "import sys; from pathlib import Path; from pytest_modelcompare.inference.classifiers import load_linear;"
        "from pytest_modelcompare.inference.ngrams import load_ngrams; import pytest_modelcompare.methods.tfidf;"
        f"folder = Path({str(work.folder / 'model')!r});"
        "print(load_linear(folder).logits(load_ngrams(folder).transform(['refund please'])).argmax());"
        "assert not {'sklearn', 'torch', 'transformers'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "2\n"
