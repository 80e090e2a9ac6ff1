"""`modelcompare recommend SUITE|REPORT.json`: which contestant to ship, from measured results."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_modelcompare.cli.report import is_report, stored_report
from pytest_modelcompare.errors import GateError, ModelCompareError, StoreError
from pytest_modelcompare.execution.past_answers import evidence_of
from pytest_modelcompare.gates.claims import Metric
from pytest_modelcompare.gates.inference import infer
from pytest_modelcompare.gates.question import Question, Term
from pytest_modelcompare.records import Evidence
from pytest_modelcompare.records.report import SuiteReport
from pytest_modelcompare.reports.candidates import candidates
from pytest_modelcompare.reports.gaps import Gap, Gaps, unpaired_gaps
from pytest_modelcompare.reports.limits import ACCURACY, Limits
from pytest_modelcompare.reports.recommendation import recommend
from pytest_modelcompare.reports.recommendation_words import words
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.history import read_history, suite_key
from pytest_modelcompare.suite.load import load_suite


def run(options: argparse.Namespace) -> int:
    """Print the recommendation; 1 where none can be given."""
    limits = Limits(
        options.max_latency_ms,
        options.max_cost_per_1k,
        options.max_size_mb,
        options.min_accuracy,
        options.per_month,
        options.within,
    )
    return max(recommend_of(Path(name), options, limits) for name in options.suites)


def recommend_of(path: Path, options: argparse.Namespace, limits: Limits) -> int:
    """Print the recommendation for one suite, or for those of a report; 1 where none can be given."""
    store = Path(options.store).resolve()
    try:
        suites = measured(path, store)
    except ModelCompareError as error:
        print(error, file=sys.stderr)
        return 1
    status = 0
    for suite in suites:
        confidence = float(suite.data.get("confidence") or 0.95)
        found = recommend(suite, limits, gaps_of(suite, path, store, confidence), confidence)
        print("\n".join(words(suite, limits, found)))
        status = max(status, int(found.choice is None))
    return status


def measured(path: Path, store: Path) -> list[SuiteReport]:
    """The suites of a report, or the last session of a suite.

    Raises:
        ModelCompareError: neither is there.
    """
    if not is_report(path):
        suite = load_suite(path)
        try:
            return stored_report(path, store).suites
        except StoreError:
            return [SuiteReport(str(path), suite.name, {}, {}, [])]
    return stored_report(path, store).suites


def gaps_of(suite: SuiteReport, path: Path, store: Path, confidence: float) -> Gaps:
    """Differences on the rows that both answered, where the store knows the answers."""
    from_intervals = unpaired_gaps(candidates(suite), confidence)
    evidence = {} if is_report(path) else stored_answers(path, store)

    def gap(a: str, b: str, level: float) -> Gap:
        if a not in evidence or b not in evidence:
            return from_intervals(a, b, level)
        terms = (Term(Metric(a, ACCURACY), 1.0), Term(Metric(b, ACCURACY), -1.0))
        try:
            found = infer(Question(terms, 0.0, above=True, strict=True), evidence, level)
        except GateError:
            return from_intervals(a, b, level)
        if found.undecided_because:
            return Gap(found.value, -1.0, 1.0, paired=True)
        return Gap(found.value, found.low, found.high, paired=True)

    return gap


def stored_answers(path: Path, store: Path) -> dict[str, Evidence]:
    """What the store keeps of the last session's answers."""
    folders = StoreFolders(store)
    sessions = read_history(folders, suite_key(path, store))
    return evidence_of(sessions[-1], folders) if sessions else {}
