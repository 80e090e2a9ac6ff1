"""A store that an earlier version wrote is replayed whole: nothing is trained, asked or timed again.

`GOLDEN=store pytest tests/golden` writes it with the version at hand. That is done once per version, never to make
this pass.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from tests.golden.golden import EXPECTED
from tests.pytest_plugin.conftest import Project
from tests.pytest_plugin.conftest import project as project

STORE = EXPECTED / "store-0.1.tar.gz"
KEPT = (".modelcompare", "kept.accepted.json")
LEFT_OUT = ("locks", "index.sqlite", "reports", "spending.jsonl")
SUITE = """\
modelcompare: 1
name: Kept
data: {train: train.csv, test: {path: test.csv, rows: 60}}
compute: {price_per_hour: 0.10, utilisation: 0.5}
contestants:
  words: {tfidf: {}}
  claude: {prompt: "anthropic:claude-haiku-5-5", shots: 2}
gates:
  - words.accuracy >= 0.5
  - words beats claude on accuracy
  - claude does not regress on accuracy
  - words.latency_p95_ms <= 10000
  - words.cost_per_1k <= 1
"""
CONFTEST = """\
from pytest_modelcompare.inference import device, stopwatch
from pytest_modelcompare.methods import local

for module in (device, stopwatch, local):
    if hasattr(module, "machine_in_words"):
        module.machine_in_words = lambda *_: "a machine"
"""
"""Timings are found by the name of the machine."""


@pytest.fixture
def kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    project.pytester.makeconftest(CONFTEST)
    project.suite(name="kept", head=SUITE)
    if os.environ.get("GOLDEN") == "store":
        write_store(project, monkeypatch)
    with tarfile.open(STORE) as archive:
        archive.extractall(project.pytester.path, filter="data")
    return project


def write_store(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sessions: one that accepts, one that judges."""
    from tests.llm.anthropic_server import KEY, serving  # replaying needs no SDK, and neither does a test of it
    from tests.pytest_plugin.test_llm import guess

    with serving(guess) as server, monkeypatch.context() as patched:
        patched.setenv("ANTHROPIC_API_KEY", KEY)
        patched.setenv("ANTHROPIC_BASE_URL", server.url)
        project.run("--modelcompare-accept").assert_outcomes(passed=5)
        project.run().assert_outcomes(passed=5)
    with tarfile.open(STORE, "w:gz") as archive:
        for name in KEPT:
            archive.add(project.pytester.path / name, name, filter=worth_keeping)


def worth_keeping(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Without what is made anew, and without who made it."""
    if any(part.startswith(LEFT_OUT) for part in Path(member.name).parts):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def test_nothing_is_trained_asked_or_timed_again(kept: Project):
    result = kept.run("-v")
    result.assert_outcomes(passed=5)
    said = " ".join(result.stdout.str().split())
    assert "0 trainings, 1 run from the store, 0 LLM calls, 60 answers from the store, 0 USD" in said
    assert "side by side" not in said  # nothing was timed
    assert "these test rows were judged in 3 sessions" in said
    assert "identical answers on identical rows" in said


def test_what_it_holds_is_planned_as_stored(kept: Project):
    result = kept.run("--modelcompare-plan")
    result.stdout.fnmatch_lines(["*words *stored *train*", "*claude *stored *ask 0 of 60 requests*"])
