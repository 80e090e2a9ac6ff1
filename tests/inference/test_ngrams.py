from __future__ import annotations

import numpy as np
import pytest

from pytest_modelcompare.inference.ngrams import fit_ngrams, load_ngrams, ngrams

TEXTS = ["My card is late", "my card, my card!", "refund please", ""]


def test_runs_of_words_are_case_folded():
    assert ngrams("My card's late", 1, 2) == ["my", "card", "s", "late", "my card", "card s", "s late"]


def test_weights_are_scikit_learns():
    sklearn = pytest.importorskip("sklearn.feature_extraction.text")
    theirs = sklearn.TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+").fit_transform(TEXTS)
    np.testing.assert_allclose(fit_ngrams(TEXTS, 1, 2).transform(TEXTS).toarray(), theirs.toarray())


def test_what_is_kept_weighs_the_same(tmp_path):
    fitted = fit_ngrams(TEXTS, 1, 2)
    fitted.save(tmp_path)
    np.testing.assert_array_equal(
        load_ngrams(tmp_path).transform(["late card"]).toarray(), fitted.transform(["late card"]).toarray()
    )
