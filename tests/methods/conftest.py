"""A small random encoder for every contestant's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from small_models import small_bert

    return small_bert(tmp_path_factory.mktemp("bert"))
