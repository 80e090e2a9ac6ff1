"""What may be decided before every row is answered, on orders and answers that are worked out in the open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from pytest_modelcompare.gates.judge import judge
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.gates.stoppable import stoppable
from pytest_modelcompare.gates.stopping import StoppingPlan, plan_text, stopping_plan
from pytest_modelcompare.gates.stopping_looks import Standing, look
from pytest_modelcompare.gates.stopping_verdict import sequential_verdict
from pytest_modelcompare.records import Evidence, Predictions, Published, Verdict
from pytest_modelcompare.statistics.boundaries import boundaries
from pytest_modelcompare.statistics.looks import look_schedule, seeded_order

N = 3080
LABELS = ("ham", "spam")
TRUTH = np.arange(N) % 2
ORDER = seeded_order("data", N)
LOOKS = (96, 193, 385, 770, 1540, 3080)
TENTH = range(0, N, 10)
"""Every tenth row of the order: 10 of the first 96, 20 of 193, 39 of 385, 308 of all."""


def contestant(name: str, wrong: object = (), method: str = "prompt", **facts: Any) -> Evidence:
    """Wrong on the rows at these places of the order, right elsewhere."""
    answer = TRUTH.copy()
    answer[ORDER[np.fromiter(wrong, int)]] ^= 1  # type: ignore[call-overload]
    facts = {"predictions": (Predictions(answer),), "seeds": (0,), **facts}
    return Evidence(name, method, LABELS, TRUTH, **facts)


def gate(*sentences: str, **settings: Any) -> GateSpec:
    claims = tuple(parse(sentence) for sentence in sentences)
    return GateSpec(" or ".join(sentences), claims, any_of=len(sentences) > 1, **settings)


def world(*llm_wrong_at: int, **facts: Any) -> dict[str, Evidence]:
    return {"small": contestant("small", method="tfidf"), "llm": contestant("llm", llm_wrong_at, **facts)}


def planned(evidence: dict[str, Evidence], *gates: GateSpec) -> StoppingPlan:
    return stopping_plan("llm", gates, evidence, "data")


def first(n_rows: int) -> np.ndarray:
    """Which rows are answered, in test order, where the first of the seeded order are."""
    answered = np.zeros(N, bool)
    answered[ORDER[:n_rows]] = True
    return answered


def outcomes(standing: Standing) -> list[str | None]:
    return [one.outcome and str(one.outcome) for one in standing.gates]


def verdicts(plan: StoppingPlan, evidence: dict[str, Evidence], n_rows: int = N) -> list[Verdict]:
    return [sequential_verdict(plan, one, evidence) for one in look(plan, evidence, first(n_rows)).gates]


@pytest.mark.parametrize(
    "sentence",
    [
        "small beats llm on accuracy by 0.02",
        "small matches llm on accuracy within 0.01",
        "llm.accuracy - small.accuracy < 0.05",
        "llm.accuracy >= 0.9",
        "1 - llm.accuracy <= 0.1",
        "llm.coverage >= 0.95",
        "llm.f1[spam] >= 0.8",
        "llm.precision[spam] >= 0.8",
        "llm.recall[spam] >= 0.8",
    ],
)
def test_shares_and_paired_accuracies_are_decided_on_the_first_rows(sentence: str):
    assert stoppable(gate(sentence), world()) is None


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("small beats llm on f1", "macro f1 is made of all labels"),
        ("llm.mcc >= 0.5", "mcc is made of all labels"),
        ("small beats llm on auroc", "macro auroc is tested by an approximation"),
        ("llm.brier <= 0.2", "brier is tested by an approximation"),
        ("llm.ece <= 0.02", "ece is tested by an approximation"),
        ("llm.latency_p95_ms <= 500", "latency_p95_ms is not counted on the test rows"),
        ("small.cost_per_1k <= llm.cost_per_1k / 10", "cost_per_1k is not counted"),
        ("llm.accuracy * 0.9 <= small.accuracy", "arithmetic between figures"),
        ("llm.accuracy / small.accuracy <= 1", "arithmetic between figures"),
        ("small.f1[spam] >= llm.f1[spam]", "a difference of f1 of one label"),
        ("small beats llm on coverage", "a difference of coverage"),
        ("llm does not regress on accuracy", "its baseline"),
        ("llm.accuracy >= paper.accuracy", "paper is published"),
        ("seeds beats llm on accuracy", "seeds has several seeds"),
        ("untrained beats llm on accuracy", "untrained has several seeds"),
        ("llm beats other on accuracy", "both contestants are asked"),
        ("nobody beats llm on accuracy", "nothing is known of nobody"),
        ("llm.f1[eggs] >= 0.8", "no label `eggs`"),
    ],
)
def test_what_has_no_test_at_looks_says_why(sentence: str, reason: str):
    answer = Predictions(TRUTH)
    evidence = world() | {
        "paper": contestant("paper", method="published", predictions=(), published=Published({"accuracy": 0.9}, "?")),
        "seeds": contestant("seeds", method="fine_tune", predictions=(answer, answer, answer), seeds=(1, 2, 3)),
        "untrained": contestant("untrained", method="fine_tune", predictions=(), seeds=(1, 2, 3)),
        "other": contestant("other"),
    }
    assert reason in (stoppable(gate(sentence), evidence) or "stoppable")


@pytest.mark.parametrize("settings", [{"decide": "point"}, {"decide": "next_training"}, {"slice": (("lang", "en"),)}])
def test_points_next_trainings_and_slices_wait_for_all_rows(settings: dict[str, Any]):
    assert stoppable(gate("llm.accuracy >= 0.9", **settings), world()) is not None


def test_one_member_that_waits_makes_the_whole_any_of_wait():
    waits = gate("small beats llm on accuracy", "small beats llm on f1")
    assert [reason for _, reason in planned(world(), waits).all_rows] == [stoppable(waits, world())]


def test_two_margins_on_one_pair_are_both_sequential_each_with_its_own_spending():
    evidence = world(*TENTH)
    plan = planned(evidence, *(gate(f"small beats llm on accuracy by {by}") for by in (0, 0.05, 0.08)))
    # the whole alpha for each, as if it were alone
    alone = boundaries(look_schedule(N).fractions, 0.05)
    for one in plan.sequential:
        assert one.members[0].pass_boundaries == pytest.approx(alone)
        assert one.members[0].fail_boundaries == pytest.approx(alone)
    assert plan.schedule.rows == LOOKS
    standing = [look(plan, evidence, first(rows)) for rows in LOOKS[:5]]
    assert [outcomes(one) for one in standing] == [
        ["pass", None, None],
        ["pass", None, None],
        ["pass", "pass", None],
        ["pass", "pass", None],
        ["pass", "pass", "pass"],
    ]
    assert [one.may_stop for one in standing] == [False, False, False, False, True]


def test_a_gate_on_macro_f1_has_every_row_asked_and_no_other_gate_pays_for_looks():
    evidence = world(*TENTH)
    pair, macro = gate("small beats llm on accuracy by 0.05"), gate("small beats llm on f1 by 0.05")
    plan = planned(evidence, pair, macro, gate("small.accuracy >= 0.9"))
    assert [spec for spec, _ in plan.all_rows] == [macro]
    assert [one.spec for one in plan.sequential] == [pair]  # the third does not name the LLM
    standing = look(plan, evidence, first(N - 1))
    assert (outcomes(standing), standing.may_stop) == ([None], False)
    assert verdicts(plan, evidence)[0] == judge(pair, evidence)
    assert "llm: all 3,080 rows are asked: `small beats llm on f1 by 0.05`: macro f1" in plan_text(plan)[0]


def test_times_and_costs_are_measured_on_the_first_rows_fixed_in_the_plan():
    pair, cost = gate("small beats llm on accuracy"), gate("small.cost_per_1k <= llm.cost_per_1k / 10")
    plan = planned(world(), pair, cost, gate("llm.latency_p95_ms <= 500"))
    assert [spec.text for spec in plan.first_rows] == [cost.text, "llm.latency_p95_ms <= 500"]
    assert (plan.n_first_rows, plan.all_rows) == (96, ())
    assert plan_text(plan)[-1] == "llm: `llm.latency_p95_ms <= 500` is measured on the first 96 rows, fixed beforehand"
    alone = planned(world(), cost)
    assert [look(alone, world(), first(rows)).may_stop for rows in (95, 96)] == [False, True]


def test_a_quantile_that_the_first_rows_cannot_bound_has_every_row_asked():
    # ln .05 / ln .99 = 298.1
    plan = planned(world(), gate("llm.latency_p99_ms <= 500"))
    assert "96 timed requests cannot bound this quantile; 299 can" in plan.all_rows[0][1]
    assert plan.n_first_rows == N


def test_a_later_reversal_does_not_undo_a_verdict():
    evidence = world(*range(0, 193, 4))  # wrong on every fourth of the first 193 rows, then never again
    plan = planned(evidence, gate("small beats llm on accuracy by 0.05"), gate("llm.accuracy >= 0.97"))
    early = look(plan, evidence, first(193))
    assert outcomes(early) == ["pass", "fail"]
    # of all rows 49 are wrong, 1.6 %: judged at once, both would have gone the other way
    assert [judge(one.spec, evidence).outcome for one in plan.sequential] == ["fail", "pass"]
    assert look(plan, evidence, first(N), early) == early
    assert look(plan, evidence, first(N)) == early  # and the same in one call


def test_rows_after_the_look_that_may_stop_change_nothing():
    evidence = world(*TENTH)
    plan = planned(evidence, gate("small beats llm on accuracy by 0.05"))
    assert verdicts(plan, evidence, 385) == verdicts(plan, evidence, 900) == verdicts(plan, evidence, N)
    assert look(plan, evidence, first(N)).looks == 3


def test_a_hole_in_the_first_rows_stops_looks_however_many_answers_came():
    evidence = world(*TENTH)
    plan = planned(evidence, gate("small beats llm on accuracy by 0.05"))
    answered = first(N)
    answered[ORDER[192]] = False  # the last row of the second look is late
    standing = look(plan, evidence, answered)
    assert (standing.looks, outcomes(standing), standing.may_stop) == (1, [None], False)
    answered[ORDER[192]] = True
    assert outcomes(look(plan, evidence, answered, standing)) == ["pass"]


def test_rows_that_are_not_answered_yet_are_not_read_as_wrong():
    evidence = world()
    answer = np.where(first(96), TRUTH, -1)
    evidence["llm"] = replace(evidence["llm"], predictions=(Predictions(answer),))
    plan = planned(evidence, gate("llm.accuracy >= 0.9"))
    found = verdicts(plan, evidence, 96)[0]
    assert (found.outcome, found.left.value) == ("pass", 1.0)  # 96 of 96: p = .9 ** 96 = .00004


def at_all_rows(*b: int) -> tuple[Verdict, Verdict]:
    """Sequential and fixed-size verdict where the small model alone is right at these places."""
    evidence = world(*b)
    spec = gate("small beats llm on accuracy by 0.01")
    return verdicts(planned(evidence, spec), evidence)[0], judge(spec, evidence)


def test_all_rows_are_held_to_the_last_boundary_not_to_alpha():
    # the margin is 30.8 rows; z = (b - 30.8) / sqrt(3080 * .01 * .99) = 1.67 for 40 rows and 1.85 for 41
    spread = [np.linspace(100, N - 1, count).astype(int) for count in (40, 41)]
    open_still, fixed = at_all_rows(*spread[0])
    assert (fixed.outcome, open_still.outcome) == ("pass", "undecided")
    assert norm.sf(1.832) < fixed.p_pass < 0.05 < open_still.p_pass
    # psi and the difference are 40/3080: ((1.832 sqrt(.01289) + .842 sqrt(.01282)) / .00299)^2 = 10,300; at 1.645: 8,900
    assert "; 11,000 rows like these would decide" in open_still.message
    assert open_still.message.endswith("still open at look 6 of 6, on all 3,080 rows")
    passed, _ = at_all_rows(*spread[1])
    assert (passed.outcome, passed.looks) == ("pass", 6)
    assert passed.message.endswith("; decided at look 6 of 6, on all 3,080 rows")


def test_the_verdict_of_an_early_stop_has_repeated_bounds_and_says_what_an_early_estimate_is():
    evidence = world(*TENTH)
    spec = gate("llm.accuracy <= 0.97")
    found = verdicts(planned(evidence, spec), evidence)[0]
    # 10 wrong of 96: P(Bin(96, .03) >= 10) = .0006, and the first boundary allows P(Z > 2.956) = .0016
    assert (found.outcome, found.looks, found.difference.n) == ("pass", 1, 96)
    at_c1 = judge(replace(spec, confidence=norm.cdf(2.956)), {"llm": evidence["llm"].on_rows(first(96))})
    assert found.difference.high == pytest.approx(at_c1.difference.high, abs=1e-4)
    assert found.difference.high < 0.97
    assert found.p_pass > at_c1.p_pass  # corrected for the look
    assert found.message == (
        f"0.896 ({found.difference.low:.3f} to {found.difference.high:.3f}, 96 rows); decided at look 1 of 6, "
        "on 96 of 3,080 rows; an early estimate lies too far from the threshold"
    )


def test_members_of_an_any_of_pass_at_their_share_and_all_are_reported():
    evidence = world(*TENTH)
    spec = gate("small beats llm on accuracy by 0.09", "llm.accuracy <= 0.97")
    plan = planned(evidence, spec)
    fractions = look_schedule(N).fractions
    for member in plan.sequential[0].members:
        assert member.pass_boundaries == pytest.approx(boundaries(fractions, 0.025))
        assert member.fail_boundaries == pytest.approx(boundaries(fractions, 0.05))
    found = verdicts(plan, evidence)[0]
    assert (found.outcome, found.looks, found.gate) == ("pass", 1, spec.text)
    assert [member.outcome for member in found.members] == ["undecided", "pass"]
    assert "another claim of this gate passed first; left open at look 1 of 6" in found.members[0].message
    assert found.members[0].p_pass > 0.99  # a p of .3 shows nothing at the first of six looks
    assert found.p_pass == pytest.approx(2 * found.members[1].p_pass)
    # and while another gate has more rows asked, its members are not looked at again
    both = planned(evidence, spec, gate("llm.accuracy >= 0.9"))
    assert verdicts(both, evidence)[0] == found


def test_an_any_of_fails_only_when_every_member_is_contradicted():
    evidence = world(*TENTH)
    plan = planned(evidence, gate("llm beats small on accuracy", "llm.accuracy >= 0.93"))
    standing = [look(plan, evidence, first(rows)) for rows in LOOKS]
    ends = [next(k for k, one in enumerate(standing) if one.gates[0].results[m].outcome) for m in (0, 1)]
    assert ends[0] < ends[1]
    assert [one.may_stop for one in standing].index(True) == ends[1]
    assert verdicts(plan, evidence)[0].outcome == "fail"
    one_left = planned(evidence, gate("llm beats small on accuracy", "llm.accuracy >= 0.9"))
    assert outcomes(look(one_left, evidence, first(N))) == ["undecided"]
    assert verdicts(one_left, evidence)[0].outcome == "undecided"


def test_a_gate_spends_what_its_own_confidence_leaves():
    plan = planned(world(), gate("llm.accuracy >= 0.9", confidence=0.99))
    assert plan.sequential[0].members[0].fail_boundaries == pytest.approx(boundaries(look_schedule(N).fractions, 0.01))


def test_a_hopeless_gate_is_given_up_only_where_the_suite_says_what_it_expects():
    # accuracy .9, on the threshold. From a score of 0 at a quarter of the rows, the boundaries at a half and at all
    # lie 2.147 sqrt(.5) / sqrt(.25) = 3.04 and 1.832 / sqrt(.75) = 2.12 off: 2 (.0012 + .0172) = .037; at an eighth .06
    evidence = world(*TENTH)
    spec = gate("llm.accuracy >= 0.9", expect=0.9001)
    plan = planned(evidence, spec)
    found = verdicts(plan, evidence)[0]
    assert (found.outcome, found.looks) == ("undecided", 4)
    assert "given up at look 4 of 6, on 770 of 3,080 rows" in found.message
    assert verdicts(planned(evidence, replace(spec, expect=None)), evidence)[0].looks == 6
    # while another gate needs the rows anyway, it looks on
    other = gate("llm.accuracy >= 0.905")
    assert verdicts(planned(evidence, spec, other), evidence)[0].looks == 6


def test_undecided_is_softened_as_for_any_gate():
    evidence = world(*TENTH)
    found = verdicts(planned(evidence, gate("llm.accuracy >= 0.9", undecided="pass")), evidence)[0]
    assert (found.outcome, found.tested) == ("pass", False)


def test_a_gate_that_was_open_when_asking_ended_is_an_error():
    evidence = world(*TENTH)
    plan = planned(evidence, gate("small beats llm on accuracy by 0.05"))
    for answered, rows in ((first(95), 0), (first(200), 193)):
        found = sequential_verdict(plan, look(plan, evidence, answered).gates[0], evidence)
        assert found.outcome == "error"
        assert f"after {rows} of 3,080 rows" in found.message


def test_beating_an_opponent_that_answers_little_is_never_a_verdict():
    answer = np.where(first(300), -1, TRUTH)  # a broken service for the first 300 rows
    evidence = world() | {"llm": contestant("llm", predictions=(Predictions(answer),))}
    plan = planned(evidence, gate("small beats llm on accuracy"))
    assert [outcomes(look(plan, evidence, first(rows))) for rows in (96, 385, 1540)] == [[None]] * 3
    assert verdicts(plan, evidence)[0].outcome == "pass"  # of all rows it answered 90.3 %
    answer[ORDER[:400]] = -1
    found = verdicts(plan, evidence)[0]
    assert found.outcome == "error"
    assert "llm answered only 87.0%" in found.message


def test_looks_wait_for_the_ends_of_groups():
    groups = np.arange(N) // 7
    evidence = {name: replace(one, clusters=groups) for name, one in world().items()}
    plan = planned(evidence, gate("small beats llm on accuracy by 0.02"))
    # 96, 193, 385, 770, 1,540 and 3,080 rows, moved up to whole groups of 7
    assert plan.schedule.rows == (98, 196, 385, 770, 1540, 3080)
    for rows in plan.schedule.rows:
        inside = plan.inside(rows)
        assert not set(groups[inside]) & set(groups[~inside])
    assert "f1 of one label has no exact test on rows in groups" in str(
        stoppable(gate("llm.f1[spam] >= 0.8"), evidence)
    )


def test_few_rows_are_looked_at_once_as_without_stopping():
    part = first(190)
    evidence = {name: one.on_rows(part) for name, one in world(*TENTH).items()}
    spec = gate("small beats llm on accuracy by 0.05")
    plan = planned(evidence, spec)
    assert plan.schedule.rows == (190,)
    standing = look(plan, evidence, np.ones(190, bool))
    assert sequential_verdict(plan, standing.gates[0], evidence) == judge(spec, evidence)
