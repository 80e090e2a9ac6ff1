"""The example suites, run as a user runs them, on real data and real weights."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "example_suites"
HEAVY = """
import sys
def pytest_unconfigure():
    heavy = {"torch", "sklearn", "transformers", "anthropic", "pandas", "pyarrow", "datasets", "scipy.stats"}
    print("HEAVY", sorted(heavy & set(sys.modules)))
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--modelcompare",
        "-p",
        "no:cacheprovider",
        "--modelcompare-report=report.json",
        *arguments,
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def metric(folder: Path, contestant: str, name: str) -> float:
    report = json.loads((folder / "report.json").read_text())
    value: float = report["suites"][0]["contestants"][contestant]["metrics"][name]["value"]
    return value


def banking_suite(folder: Path, shared_data: Path) -> Path:
    """The BANKING77 suite beside a store that holds the downloads already."""
    shutil.copy(EXAMPLES / "banking77" / "banking77.modelcompare.yaml", folder)
    (folder / "conftest.py").write_text(HEAVY)
    downloads = folder / ".modelcompare" / "downloads"
    downloads.mkdir(parents=True)
    for name in ("train.csv", "test.csv"):
        content = (shared_data / "banking77" / "ocats" / name).read_bytes()
        (downloads / hashlib.sha256(content).hexdigest()).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def words_against_an_llm(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The suite's gate that trains in seconds, run."""
    folder = banking_suite(tmp_path_factory.mktemp("banking"), shared_data)
    done = run(folder, "-k", "words and gpt35")
    assert done.returncode == 0, done.stdout
    return folder


def test_words_score_what_they_score_against_recorded_answers(words_against_an_llm: Path):
    assert metric(words_against_an_llm, "words", "accuracy") >= 0.88
    assert round(metric(words_against_an_llm, "gpt35", "accuracy"), 4) == 0.7516


def test_the_unchanged_run_trains_nothing_and_imports_nothing_heavy(words_against_an_llm: Path):
    done = run(words_against_an_llm, "-s", "-k", "words and gpt35")
    assert done.returncode == 0
    assert "this session: 0 trainings, 1 run from the store" in done.stdout
    assert "HEAVY []" in done.stdout


@pytest.mark.parametrize("gate", ["gpt4 beats words on accuracy", "words.accuracy >= 0.95"])
def test_one_false_claim_turns_the_build_red(words_against_an_llm: Path, gate: str):
    path = words_against_an_llm / "changed.modelcompare.yaml"
    text = (words_against_an_llm / "banking77.modelcompare.yaml").read_text()
    path.write_text(text[: text.index("gates:")] + f"gates:\n  - {gate}\n")
    done = run(words_against_an_llm, path.name)
    path.unlink()
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert "0 trainings" in done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("minilm_folder")
def test_banking77_scores_what_it_scores(shared_data: Path, tmp_path: Path):
    banking = banking_suite(tmp_path, shared_data)
    done = run(banking, "-k", "not latency")  # a busy machine is no reason for a red test
    assert done.returncode == 0, done.stdout
    assert metric(banking, "probe", "accuracy") >= 0.915
    assert metric(banking, "words", "accuracy") >= 0.88
    assert round(metric(banking, "gpt4", "accuracy"), 4) == 0.8305
    assert round(metric(banking, "gpt35", "accuracy"), 4) == 0.7516


def test_a_killed_run_leaves_nothing_half_written(shared_data: Path, tmp_path: Path):
    """kill -9 at several moments; the next run finds a whole store and finishes."""
    suite = f"""
modelcompare: 1
data: {{train: {shared_data}/trec/train.csv.gz, test: {shared_data}/trec/test.csv.gz, leakage: 0.1}}
contestants: {{words: {{tfidf: {{}}}}, other: {{tfidf: {{}}, ngrams: [1, 1]}}}}
gates: [words.accuracy >= 0.5, other.accuracy >= 0.5]
"""
    (tmp_path / "trec.modelcompare.yaml").write_text(suite)
    for seconds in (1.0, 1.6, 2.2):
        command = [sys.executable, "-m", "pytest", "--modelcompare", "-q", "-p", "no:cacheprovider"]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for folder in (tmp_path / ".modelcompare" / "runs").glob("*/*"):
            assert {"run.json", "predictions.npz", "model"} <= {path.name for path in folder.iterdir()}
    assert run(tmp_path).returncode == 0
    assert not list((tmp_path / ".modelcompare" / "scratch").iterdir())
