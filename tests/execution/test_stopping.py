"""`stop_when_decided` from the suite to the verdict, against a service on loopback.

400 rows; looks at 100, 200 and 400 of them. The recorded contestant is right on all rows
but those that a test names; the service is right but where a test says so.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.data.rows import test_rows_digest as rows_digest
from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.judging import verdict_on
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.plan import planned_jobs
from pytest_modelcompare.execution.prepare import prepare
from pytest_modelcompare.execution.summary import suite_report
from pytest_modelcompare.records import Outcomes
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Unwatched
from pytest_modelcompare.statistics.looks import look_schedule, seeded_order
from pytest_modelcompare.suite.load import load_suite
from tests.llm.anthropic_server import KEY, AnthropicServer, serving

N = 400
LABELS = ("ham", "spam")
BEATS = "small beats llm on accuracy"
SUITE = """\
modelcompare: 1
references: false
data: {{test: test.csv}}
compute: {{price_per_hour: 0.10, utilisation: 0.5}}
contestants:
  small: {{predictions: small.csv}}
  llm: {{prompt: "anthropic:claude-haiku-5-5", base_url: "{url}", stop_when_decided: true{extra}}}
gates:
"""


class World:
    """A suite, and sessions of it."""

    def __init__(self, folder: Path, server: AnthropicServer) -> None:
        self.folder, self.server = folder, server
        self.small_is_wrong_on(())

    def small_is_wrong_on(self, rows: Any) -> None:
        wrong = set(rows)
        with (self.folder / "test.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *((f"message {row}", LABELS[row % 2]) for row in range(N))])
        with (self.folder / "small.csv").open("w", newline="") as file:
            answers = [(f"message {row}", LABELS[(row + (row in wrong)) % 2]) for row in range(N)]
            csv.writer(file).writerows([("text", "prediction"), *answers])

    def session(self, *gates: str, name: str = "s1", extra: str = "", **options: Any) -> Comparison:
        path = self.folder / "s.modelcompare.yaml"
        path.write_text(SUITE.format(url=self.server.url, extra=extra) + "".join(f"  - {gate}\n" for gate in gates))
        return Comparison(load_suite(path), Options(self.folder / "store", name, "cpu", **options), Ledger())

    def judged(self, *gates: str, **settings: Any) -> tuple[Comparison, dict[str, Any]]:
        comparison = self.session(*gates, **settings)
        specs = comparison.suite.gates
        prepare([(comparison, comparison.needs(specs))], Unwatched())
        return comparison, {spec.text: verdict_on(comparison, spec) for spec in specs}

    def asked(self) -> set[int]:
        return {int(text.split()[-1]) for text in self.server.asked}


def wrong_on(share: Callable[[int], bool]) -> Callable[[str, int], str]:
    def answer(text: str, _: int) -> str:
        row = int(text.split()[-1])
        return LABELS[(row + share(row)) % 2]

    return answer


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The service is wrong on every fifth row: 20 points behind."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with serving(wrong_on(lambda row: row % 5 == 0)) as server:
        yield World(tmp_path, server)


def order_of(comparison: Comparison) -> list[int]:
    assert comparison.dataset is not None
    return seeded_order(rows_digest(comparison.dataset), N).tolist()


def test_a_gap_of_20_points_is_decided_on_the_first_100_rows_of_the_order(there: World):
    assert look_schedule(N).rows == (100, 200, 400)
    comparison, verdicts = there.judged(BEATS)
    assert there.server.calls == 100
    assert there.asked() == set(order_of(comparison)[:100])
    verdict = verdicts[BEATS]
    assert (verdict.outcome, verdict.looks) == (Outcomes.PASS, 1)
    assert "look 1 of 3, on 100 of 400 rows" in verdict.message


def test_the_table_shows_the_rows_asked_without_intervals_and_the_calls_saved(there: World):
    comparison, _ = there.judged(BEATS)
    rows = order_of(comparison)[:100]
    llm = suite_report(comparison).contestants["llm"]
    accuracy = llm.metrics["accuracy"]
    assert accuracy.value == pytest.approx(np.mean([row % 5 != 0 for row in rows]))
    assert (accuracy.n, accuracy.low, accuracy.high) == (100, None, None)
    assert llm.metrics["coverage"].value == 1.0  # rows that were not asked are not unanswered
    assert llm.failures == {}
    assert any("asked on 100 of 400 rows" in note and "300 calls saved" in note for note in llm.notes)
    small = suite_report(comparison).contestants["small"].metrics["accuracy"]
    assert (small.n, small.value) == (400, 1.0)
    assert small.low is not None


def test_the_llm_may_stand_before_what_it_is_compared_with(there: World):
    comparison = there.session(BEATS)
    path = comparison.suite.path
    lines = path.read_text().splitlines(keepends=True)
    (small,) = (line for line in lines if line.startswith("  small:"))
    lines.remove(small)
    lines.insert(next(at for at, line in enumerate(lines) if line.startswith("  llm:")) + 1, small)
    path.write_text("".join(lines))
    comparison = Comparison(load_suite(path), comparison.options, Ledger())
    assert list(comparison.suite.contestants) == ["llm", "small"]
    prepare([(comparison, comparison.needs(comparison.suite.gates))], Unwatched())
    (read,) = comparison.graph.contestants["small"].jobs
    assert all(read in job.after for job in comparison.graph.contestants["llm"].jobs)
    assert verdict_on(comparison, comparison.suite.gates[0]).looks == 1
    assert there.server.calls == 100


def test_asking_is_announced_once(there: World):
    titles: list[str] = []

    class Noting(Unwatched):
        def job(self, title: str) -> Any:
            titles.append(title)
            return super().job(title)

    for name in ("s1", "s2"):  # asked, and then found stored
        comparison = there.session(BEATS, name=name)
        prepare([(comparison, comparison.needs(comparison.suite.gates))], Noting())
    assert titles == ["llm: answers"] * 2


def test_equal_contestants_are_asked_to_the_end(there: World):
    there.small_is_wrong_on(range(0, N, 5))
    _, verdicts = there.judged(BEATS)
    assert there.server.calls == 400
    assert verdicts[BEATS].outcome is Outcomes.UNDECIDED
    assert "still open at look 3 of 3, on all 400 rows" in verdicts[BEATS].message


def test_a_gate_on_macro_f1_has_all_rows_asked_and_the_plan_says_so_beforehand(there: World):
    comparison = there.session(BEATS, "small beats llm on f1")
    (job,) = [job for job in planned_jobs(comparison, comparison.needs(comparison.suite.gates)) if job.usd]
    assert job.details[0].startswith("llm: all 400 rows are asked: `small beats llm on f1`: macro f1 is made of all")
    assert there.server.calls == 0
    _, verdicts = there.judged(BEATS, "small beats llm on f1")
    assert there.server.calls == 400
    assert [one.outcome for one in verdicts.values()] == [Outcomes.PASS] * 2
    assert verdicts[BEATS].looks is None


def test_the_plan_names_the_looks(there: World):
    comparison = there.session(BEATS)
    (job,) = [job for job in planned_jobs(comparison, comparison.needs(comparison.suite.gates)) if job.usd]
    assert "ask 400 of 400 requests" in job.what
    assert "or fewer" in job.what
    assert (
        job.details[0]
        == "llm: looks at 100, 200, 400 rows; asking stops once every gate looked at is decided or given up"
    )


def test_a_stored_answer_counts_and_a_second_session_asks_nothing(there: World):
    _, first = there.judged(BEATS)
    _, again = there.judged(BEATS, name="s2", llm="replay")
    assert there.server.calls == 100
    assert again[BEATS].message == first[BEATS].message


def test_all_answers_stored_or_few_the_verdict_is_the_same(there: World):
    there.judged(BEATS, "llm.f1 >= 0.1")  # asks all
    comparison, verdicts = there.judged(BEATS, name="s2", llm="replay")
    assert verdicts[BEATS].looks == 1
    assert comparison.answered["llm"].predictions.labels.shape == (100,)


def test_a_stopped_llm_replays_from_its_recording_without_a_key(there: World, monkeypatch: pytest.MonkeyPatch):
    extra = ", recording: answers.jsonl.gz"
    there.judged(BEATS, extra=extra, llm="refresh")
    assert there.server.calls == 100
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    for mode in ("auto", "replay"):
        comparison = there.session(BEATS, extra=extra, llm=mode)
        comparison.options = Options(there.folder / f"store {mode}", "s9", "cpu", llm=mode)
        prepare([(comparison, comparison.needs(comparison.suite.gates))], Unwatched())
        assert verdict_on(comparison, comparison.suite.gates[0]).looks == 1
    assert there.server.calls == 100


def test_a_killed_run_goes_on_where_it_stopped(there: World):
    whole = there.server.answer
    there.server.answer = lambda text, times: whole(text, times) if there.server.calls <= 60 else {"status": 400}
    _, broken = there.judged(BEATS, extra=", max_concurrency: 1")
    assert broken[BEATS].outcome is Outcomes.ERROR
    there.server.answer = whole
    before = there.server.calls
    assert before == 61
    _, verdicts = there.judged(BEATS, name="s2", extra=", max_concurrency: 1")
    assert there.server.calls == before + 40
    assert verdicts[BEATS].looks == 1


def test_a_gate_that_was_not_looked_at_is_an_error_and_never_a_pass(there: World):
    comparison = there.session(BEATS, "llm.accuracy >= 0.01")
    beats, alone = comparison.suite.gates
    prepare([(comparison, comparison.needs([beats]))], Unwatched())
    verdict = verdict_on(comparison, alone)
    assert verdict.outcome is Outcomes.ERROR
    assert "llm was asked 100 of 400 rows" in verdict.message
    # prepared for it, the rest is asked
    prepare([(comparison, comparison.needs([beats, alone]))], Unwatched())
    assert there.server.calls == 400
    assert verdict_on(comparison, alone).outcome is Outcomes.PASS
    assert verdict_on(comparison, beats).looks == 1  # what was decided stays decided


def test_a_python_test_that_may_gate_on_anything_has_all_rows_asked(there: World):
    comparison = there.session(BEATS)
    prepare([(comparison, comparison.everything())], Unwatched())
    assert there.server.calls == 400


def test_times_and_costs_are_measured_on_the_first_look_whenever_asking_stops(there: World):
    gates = ("llm.accuracy >= 0.7999", "llm.cost_per_1k >= 0.00001")
    comparison, verdicts = there.judged(*gates)
    assert there.server.calls == 400  # the accuracy lies at its threshold
    assert "on the first 100 rows asked" in verdicts[gates[1]].message
    assert comparison.answered["llm"].first is not None
    assert comparison.answered["llm"].first.cost is not None
    assert len(comparison.answered["llm"].first.cost.usd_per_row) == 100


def test_coverage_is_of_the_rows_asked(there: World):
    there.server.answer = lambda text, _: {"stop_reason": "refusal", "text": ""}
    _, verdicts = there.judged(BEATS)
    assert there.server.calls == 400  # an opponent that answers nothing decides nothing
    assert verdicts[BEATS].outcome is Outcomes.ERROR
    assert "llm answered only 0.0%" in verdicts[BEATS].message


def test_two_llms_in_one_any_of_are_both_asked_every_row(there: World):
    comparison = there.session(BEATS)
    path = comparison.suite.path
    llm = next(line for line in path.read_text().splitlines() if line.startswith("  llm:"))
    other = llm.replace("llm:", "other:").replace("true}", "true, instructions: Which is it?}")
    text = path.read_text().replace("gates:", f"{other}\ngates:")
    path.write_text(text.replace(f"- {BEATS}", f"- any_of: [{BEATS}, small beats other on accuracy]"))
    comparison = Comparison(load_suite(path), comparison.options, Ledger())
    jobs = planned_jobs(comparison, comparison.needs(comparison.suite.gates))
    said = [job.details[0] for job in jobs if job.details]
    assert len(said) == 2
    assert all("its claims are about several LLMs" in line for line in said)
