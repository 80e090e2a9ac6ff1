"""Sweeps: chosen on validation and never on test, shared where the request is the same, paid for whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pytest_modelcompare.errors import StoreError
from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.plan import planned_jobs
from pytest_modelcompare.execution.prepare import prepare
from pytest_modelcompare.execution.summary import suite_report
from pytest_modelcompare.execution.sweep import best
from pytest_modelcompare.methods.prompt import dataset_to_ask
from pytest_modelcompare.records import Dataset, Footprint, Outcome, Predictions, Rows, Run
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Unwatched
from pytest_modelcompare.suite.load import load_suite
from tests.pytest_plugin.conftest import HAM, SPAM, rows, write

TRUTH = np.array([0, 0, 1, 1])
RIGHT, ONE_WRONG = [0.9, 0.9, 0.1, 0.1], [0.9, 0.9, 0.1, 0.6]
"""The score of label 0, for each row."""

HESITANT = [0.6, 0.6, 0.4, 0.6]


def validation_rows() -> Dataset:
    held_out = Rows(("a", "b", "c", "d"), TRUTH, ("0", "1", "2", "3"))
    test = Rows(("e", "f"), np.array([0, 1]), ("0", "1"))
    return Dataset(("ham", "spam"), {}, None, held_out, test, "d")


def run(first: Sequence[float] | None, seed: int = 0) -> Run:
    """A run that is right on validation as its scores say, and wrong on every test row."""
    validation = None
    if first is not None:
        scores = np.stack([np.array(first), 1 - np.array(first)], axis=1)
        validation = Predictions(scores.argmax(axis=1), scores, "softmax")
    wrong = Predictions(np.array([1, 0]), np.array([[0.0, 1.0], [1.0, 0.0]]), "softmax")
    outcome = Outcome(wrong, Footprint(), None, (), validation)
    return Run("f", outcome, seed, "a CPU", {}, "2026-01-01", "s", Path("run"))


def test_the_member_with_the_highest_accuracy_on_validation_is_chosen():
    members = {"a": [run(ONE_WRONG)], "b": [run(RIGHT)]}
    selection = best(list(members), members, validation_rows())
    assert (selection.winner, selection.n) == ("b", 4)
    assert selection.figures["a"]["accuracy"] == 0.75
    assert list(selection.figures) == ["b", "a"]


def test_the_mean_over_the_seeds_counts_not_the_best_seed():
    # a: (1 + .5) / 2 = .75; b: .75 twice, with more trust in its right answers
    two_wrong = [0.9, 0.9, 0.9, 0.9]
    members = {"a": [run(RIGHT, 1), run(two_wrong, 2)], "b": [run(ONE_WRONG, 1), run(ONE_WRONG, 2)]}
    selection = best(list(members), members, validation_rows())
    assert [selection.figures[name]["accuracy"] for name in "ab"] == [0.75, 0.75]
    assert selection.winner == "b"


def test_of_equal_accuracies_the_lower_log_loss_wins_then_the_order():
    members = {"a": [run(HESITANT)], "b": [run(ONE_WRONG)], "c": [run(ONE_WRONG)]}
    selection = best(list(members), members, validation_rows())
    # rows 1 to 3 right with .9, row 4 wrong with .4 left for its label
    assert selection.figures["b"]["log_loss"] == pytest.approx(-(3 * np.log(0.9) + np.log(0.4)) / 4)
    assert selection.winner == "b"


def test_a_run_without_validation_answers_is_an_error():
    with pytest.raises(StoreError, match="no validation answers"):
        best(["a"], {"a": [run(None)]}, validation_rows())


SUITE = """\
modelcompare: 1
data: {train: train.csv, test: test.csv}
compute: {price_per_hour: 3600, utilisation: 1}
references: false
contestants:
  words: {tfidf: {}, sweep: {C: [0.001, 30], train.fraction: [0.1, 1]}}
  plain: {tfidf: {}}
  few: {tfidf: {}, train: {rows: 18}, C: 0.001}
"""
FULL, SMALL = "words[C=30, train.fraction=1]", "words[C=0.001, train.fraction=0.1]"


def with_rows(folder: Path) -> Path:
    """200 training rows, of which 20 are held out, and 100 test rows."""
    write(folder / "train.csv", ["text", "label"], [*rows(SPAM, "spam", 0, 100), *rows(HAM, "ham", 0, 100)])
    write(folder / "test.csv", ["text", "label"], [*rows(SPAM, "spam", 100, 50), *rows(HAM, "ham", 100, 50)])
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_rows(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Everything of the suite, run once."""
    return prepared(with_rows(tmp_path_factory.mktemp("whole")), SUITE)


def comparison_of(folder: Path, text: str, *gates: str, session: str = "s1") -> Comparison:
    path = folder / "s.modelcompare.yaml"
    path.write_text(text + ("gates:\n" if gates else "gates: []\n") + "".join(f"  - {gate}\n" for gate in gates))
    suite = load_suite(path)
    return Comparison(suite, Options(folder / "store", session), Ledger())


def prepared(folder: Path, text: str, *gates: str, session: str = "s1") -> Comparison:
    comparison = comparison_of(folder, text, *gates, session=session)
    needs = comparison.needs(comparison.suite.gates) if gates else comparison.everything()
    prepare([(comparison, needs)], Unwatched())
    return comparison


def test_all_members_run_and_the_plain_name_is_the_best_of_them(whole: Comparison):
    comparison = whole
    assert not comparison.failures
    assert set(comparison.runs) == {
        "words[C=0.001, train.fraction=0.1]",
        "words[C=0.001, train.fraction=1]",
        "words[C=30, train.fraction=0.1]",
        FULL,
        "plain",
        "few",
        "words",
    }
    winner = comparison.selections["words"].winner
    assert comparison.runs["words"] is comparison.runs[winner]
    assert comparison.selections["words"].n == 20


def test_no_contestant_is_trained_on_validation_rows_and_all_on_the_same_rows(whole: Comparison):
    comparison = whole
    dataset = comparison.dataset
    assert dataset is not None
    assert dataset.train is not None
    assert dataset.validation is not None
    assert (len(dataset.train), len(dataset.validation)) == (180, 20)
    assert not set(dataset.train.texts) & set(dataset.validation.texts)
    report = suite_report(comparison)
    trained_on = {name: row.train_rows for name, row in report.contestants.items()}
    assert trained_on == {
        "words": trained_on[comparison.selections["words"].winner],
        "words[C=0.001, train.fraction=0.1]": 18,
        "words[C=0.001, train.fraction=1]": 180,
        "words[C=30, train.fraction=0.1]": 18,
        FULL: 180,
        "plain": 180,
        "few": 18,
    }


def test_shots_are_taken_from_all_training_rows(folder: Path):
    comparison = prepared(folder, SUITE, "plain.accuracy > 0.5")
    assert comparison.dataset is not None
    train = dataset_to_ask(comparison.dataset).train
    assert train is not None
    assert len(train) == 200


def test_equal_requests_share_one_run(whole: Comparison):
    comparison = whole
    # C=30 is the default: the whole sweep is 4 trainings, `plain` is one of them, and a tenth of 180 rows are 18
    assert comparison.runs["plain"][0].fingerprint == comparison.runs[FULL][0].fingerprint
    assert comparison.runs["few"][0].fingerprint == comparison.runs[SMALL][0].fingerprint
    assert comparison.ledger.spend.trainings == 4


def test_a_gate_on_a_member_runs_that_member_alone(folder: Path):
    comparison = prepared(folder, SUITE, f"{SMALL}.accuracy > 0.1")
    assert list(comparison.runs) == [SMALL]
    assert not comparison.selections


def test_a_gate_on_the_plain_name_runs_every_member(folder: Path):
    comparison = prepared(folder, SUITE, "words.accuracy > 0.1")
    assert len(comparison.runs) == 5
    assert comparison.ledger.spend.trainings == 4


def test_a_second_session_trains_nothing_and_selects_the_same(whole: Comparison):
    first = whole.selections["words"]
    comparison = prepared(whole.base, SUITE, session="s2")
    assert comparison.ledger.spend.trainings == 0
    assert comparison.selections["words"].winner == first.winner
    for name, figures in first.figures.items():
        assert comparison.selections["words"].figures[name] == pytest.approx(figures, rel=1e-6)


def test_training_cost_of_the_plain_name_is_that_of_the_whole_sweep(whole: Comparison):
    comparison = whole
    evidence = comparison.evidence()
    members = [name for name in evidence if "[" in name]
    # at 1 USD a second, used all the time
    seconds = {name: comparison.runs[name][0].outcome.footprint.train_seconds for name in members}
    assert evidence["words"].train_cost_usd == pytest.approx(sum(seconds.values()))
    assert evidence[FULL].train_cost_usd == pytest.approx(seconds[FULL])
    assert len(members) == 4


def test_where_a_member_fails_the_plain_name_fails_and_the_others_stand(folder: Path):
    text = SUITE.replace("sweep: {C: [0.001, 30], train.fraction: [0.1, 1]}", "sweep: {train.rows: [20, 500]}")
    comparison = prepared(folder, text)
    assert "500" in str(comparison.failures["words[train.rows=500]"])
    assert comparison.failures["words"] is comparison.failures["words[train.rows=500]"]
    assert "words[train.rows=20]" in comparison.evidence()
    assert "words" not in comparison.evidence()


def test_the_report_holds_every_member_and_what_was_selected(whole: Comparison):
    comparison = whole
    report = suite_report(comparison)
    winner = comparison.selections["words"].winner
    words = report.contestants["words"]
    assert words.selected == winner
    assert words.metrics["accuracy"] == report.contestants[winner].metrics["accuracy"]
    assert words.notes[-1].startswith(f"is {winner[6:-1]}, the best of 4 by accuracy on 20 validation rows (")
    assert report.contestants[SMALL].member_of == "words"
    assert report.contestants[SMALL].validation == comparison.selections["words"].figures[SMALL]
    assert report.contestants["plain"].validation is None
    assert report.data["validation_rows"] == 20


def test_only_the_selected_member_is_timed(whole: Comparison):
    comparison = whole
    assert set(comparison.timings) == {"words", "plain", "few"}
    assert "latency_p50_ms" in suite_report(comparison).contestants["words"].metrics


def test_the_plan_lists_the_members_and_counts_them(folder: Path):
    comparison = comparison_of(folder, SUITE)
    jobs = {job.contestant: job for job in planned_jobs(comparison, comparison.everything())}
    assert jobs["words"].what == "the best of 4 members (4 trainings) on 20 validation rows"
    assert jobs[SMALL].what == "train (tfidf) on 18 rows"
    assert jobs["plain"].what == f"train (tfidf), the same as `{FULL}`"
    assert not jobs["words"].stored
    comparison = prepared(folder, SUITE)
    assert all(job.stored for job in planned_jobs(comparison, comparison.everything()))


def test_a_suite_without_a_sweep_holds_no_rows_out(folder: Path):
    text = "\n".join(line for line in SUITE.splitlines() if "sweep" not in line) + "\n"
    comparison = prepared(folder, text)
    assert comparison.dataset is not None
    assert comparison.dataset.validation is None
    assert comparison.runs["plain"][0].outcome.validation is None
    assert suite_report(comparison).contestants["plain"].train_rows == 200


def test_runs_kept_without_validation_answers_are_still_read(folder: Path):
    comparison = prepared(folder, SUITE, f"{SMALL}.accuracy > 0.1")
    kept = comparison.runs[SMALL][0].folder
    (kept / "validation.npz").unlink()
    assert "validation" not in json.loads((kept / "run.json").read_text())
    found = comparison.store.find(kept.parent.name)
    assert found is not None
    assert found.outcome.validation is None
