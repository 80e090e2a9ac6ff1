"""A small BERT, and rows to train it on."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.conftest import HAM, SPAM, rows, write


@pytest.fixture
def small_bert_and_rows(tmp_path, monkeypatch):
    """The folder of a small BERT, beside train.csv and test.csv with 40 and 20 rows of two labels."""
    from tests.methods.small_models import small_bert

    write(tmp_path / "train.csv", ["text", "label"], [*rows(SPAM, "spam", 0, 20), *rows(HAM, "ham", 0, 20)])
    write(tmp_path / "test.csv", ["text", "label"], [*rows(SPAM, "spam", 20, 10), *rows(HAM, "ham", 20, 10)])
    return small_bert(tmp_path / "model")
