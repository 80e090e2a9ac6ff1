"""A small random encoder for every contestant's tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.methods.small_models import small_bert

    return small_bert(tmp_path_factory.mktemp("bert"))
