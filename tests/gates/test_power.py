"""The power of gates, told from the number of rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import binom

from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.power import power_of_gate
from pytest_modelcompare.gates.power_facts import GatePower, PlanFacts
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.records import Published

BANKING = PlanFacts(3080, {f"intent_{number}": 40 for number in range(77)}, timed_requests={"a": 400})
SMALL = PlanFacts(44, {"ham": 24, "spam": 20})
PAPER = {"paper": Published({"accuracy": 0.9}, "a paper", 500)}


def planned(*sentences: str, facts: PlanFacts = BANKING, confidence: float = 0.95, **said: object) -> GatePower:
    claims = tuple(parse(sentence) for sentence in sentences)
    spec = GateSpec(" or ".join(sentences), claims, any_of=len(claims) > 1, **said)  # type: ignore[arg-type]
    return power_of_gate(spec, facts, confidence)


def test_expect_is_the_true_accuracy():
    found = planned("a.accuracy >= 0.90", expect=0.91)
    fewest = next(k for k in range(3080) if binom.sf(k - 1, 3080, 0.90) <= 0.05)
    assert found.power == pytest.approx(binom.sf(fewest - 1, 3080, 0.91))
    assert found.n == 3080
    assert "if the true accuracy is 0.910; 80 % needs a true accuracy of 0.913" in found.assumption


def test_without_expect_it_says_the_accuracy_that_80_per_cent_takes():
    found = planned("a.accuracy >= 0.90")
    assert (found.power, found.assumption) == (None, "80 % power needs a true accuracy of 0.913")
    assert found.needed == pytest.approx(0.9132, abs=1e-4)


def test_both_ways_of_writing_a_claim_and_its_mirror_image_have_one_power():
    found = planned("a.accuracy >= 0.90", expect=0.91).power
    assert planned("0.90 <= a.accuracy", expect=0.91).power == found
    assert planned("a.accuracy <= 0.10", expect=0.09).power == pytest.approx(found)
    assert (
        planned("a.accuracy >= b.accuracy + 0.02", expect=0.04).power
        == planned("a beats b on accuracy by 0.02", expect=0.04).power
    )


def test_a_bound_that_even_perfect_rows_miss_is_never_met():
    # .05 ** (1 / 44) = .934, and .95**59 is the first below .05
    found = planned("a.accuracy >= 0.95", facts=SMALL)
    said = "can never pass on these 44 rows: even with every row right the lower bound is 0.934; 59 rows could"
    assert (found.power, found.warning) == (0.0, said)
    assert planned("a.accuracy >= 0.93", facts=SMALL).warning is None


def test_f1_of_a_label_goes_through_j_on_the_rows_of_the_label():
    # f1 >= .85 is J >= .85 / 1.15 = .7391: 35 of 40; true f1 .95 is J = .9048
    found = planned("a.f1[intent_3] >= 0.85", expect=0.95)
    fewest = next(k for k in range(41) if binom.sf(k - 1, 40, 0.85 / 1.15) <= 0.05)
    assert found.n == 40
    assert found.power == pytest.approx(binom.sf(fewest - 1, 40, 0.95 / 1.05))
    # all 40 right: J above .05 ** (1 / 40) = .928, F1 above .963
    never = planned("a.f1[intent_3] >= 0.97").warning
    assert never is not None
    assert "on these 40 rows: even with every row right the lower bound is 0.963" in never


def test_beats_says_what_it_assumes_of_discordant_rows():
    # 1.6449 sqrt(.15 - .0004) = .6362; (sqrt(3080) .02 - .6362) / sqrt(.15 - .0016) = 1.2297
    found = planned("a beats b on accuracy by 0.02", expect=0.04)
    assert found.power == pytest.approx(0.8906, abs=1e-4)
    assert "15 % of rows" in found.assumption
    sure = power_of_gate(GateSpec("", (parse("a beats b on accuracy by 0.02"),), expect=0.04), BANKING, 0.95, 0.05)
    assert sure.power is not None
    assert sure.power > 0.99


def test_matches_is_planned_for_two_that_are_equal():
    # (sqrt(3080) .02 - 1.6449 sqrt(.15 - .0004)) / sqrt(.15) = 1.2232
    assert planned("a matches b on accuracy within 0.02").power == pytest.approx(0.8894, abs=1e-4)
    found = planned("a matches b on accuracy within 0.01", facts=replace(SMALL, rows=200))
    assert found.warning == "not even identical answers would be shown to match on these 200 rows; 299 rows could"


def test_a_value_expected_that_breaks_the_claim_is_warned_of():
    assert planned("a.accuracy >= 0.90", expect=0.89).warning == (
        "the expected value breaks the claim: it passes with at most 5 %"
    )


def test_a_latency_is_planned_as_the_share_of_slower_requests():
    found = planned("a.latency_p95_ms <= 25")
    assert (found.n, found.unit, found.power) == (400, "requests", None)
    assert found.assumption.startswith("80 % power where at most 2.3 % of the requests take longer than 25.0 ms")
    few = planned("a.latency_p95_ms <= 25", facts=replace(BANKING, timed_requests={"a": 58}))
    assert few.warning == "can never pass: 58 timed requests cannot bound this quantile; 59 can"


@pytest.mark.parametrize(
    ("sentence", "facts", "said"),
    [
        ("a.f1 >= 0.5", PlanFacts(44, {"ham": 40, "spam": 4}), "1 of 2 labels have fewer than 5 test rows"),
        ("a.f1 >= 0.5", PlanFacts(21, {"x": 7, "y": 7, "z": 7}), "fewer than 8 decide nothing"),
        ("a.accuracy >= 0.5", replace(SMALL, group_sizes=(11, 11, 11, 11)), "about 4.0 groups of equal weight"),
        ("a.accuracy >= 0.5", replace(SMALL, seeds={"a": 2}), "two seeds say too little"),
        ("a.recall[ham] >= 0.5", PlanFacts(44, {"ham": 0, "spam": 44}), "no test row is labelled ham"),
        ("a.auroc >= 0.999", SMALL, "a perfect ranking of them would not show it"),
        ("a beats paper on accuracy by 0.2", replace(SMALL, published=PAPER), "the printed 0.9 is too near"),
        ("a beats b on accuracy", PlanFacts(4, {"ham": 2, "spam": 2}), "5 rows could"),
        ("a.ece <= 0.1", SMALL, "it is an error: ece has no honest interval"),
        ("a.f1[hamm] >= 0.5", SMALL, "it is an error: no label `hamm`"),
    ],
)
def test_what_no_data_of_this_size_can_pass_is_said(sentence: str, facts: PlanFacts, said: str):
    found = planned(sentence, facts=facts)
    assert found.power == 0
    assert found.warning is not None
    assert found.warning.startswith("can never pass")
    assert said in found.warning


def test_enough_of_everything_brings_no_warning():
    sentences = ("a.f1 >= 0.5", "a.accuracy >= 0.5", "a.recall[ham] >= 0.5", "a.auroc >= 0.7", "a beats b on accuracy")
    for sentence in sentences:
        assert planned(sentence, facts=SMALL).warning is None
        assert planned(sentence, facts=replace(SMALL, group_sizes=(4,) * 11, seeds={"a": 3})).warning is None


def test_groups_take_power_and_say_so():
    grouped = planned("a.accuracy >= 0.9", facts=replace(BANKING, group_sizes=(154,) * 20), expect=0.92)
    alone = planned("a.accuracy >= 0.9", expect=0.92)
    assert grouped.power is not None
    assert alone.power is not None
    assert grouped.power < 0.5 < alone.power
    assert "20 groups of equal weight, their rows correlated 0.1 (assumed)" in grouped.assumption


def test_several_seeds_are_on_top():
    found = planned("a.accuracy >= 0.9", facts=replace(BANKING, seeds={"a": 5}), expect=0.92)
    assert "for rows alone, the scatter of 5 seeds comes on top" in found.assumption


def test_a_printed_figure_has_its_own_error():
    facts = replace(BANKING, published=PAPER)
    exact = replace(facts, published={"paper": Published({"accuracy": 0.9}, "a paper")})
    one, other = (planned("a beats paper on accuracy", facts=one, expect=0.03).power for one in (facts, exact))
    assert one is not None
    assert other is not None
    assert one < other
    # from the other side, .87 is to be shown below the printed .90, which may be .895:
    # .025 / sqrt(.87 x .13 / 3080) - 1.6449 = 2.481
    below = planned("paper beats a on accuracy", facts=exact, expect=0.03).power
    assert below == pytest.approx(0.9934, abs=1e-4)


def test_any_of_lies_between_its_best_member_and_independence():
    alone = planned("a beats b on f1", confidence=0.975, expect=0.02).power
    found = planned("a beats b on f1", "c beats b on f1", expect=0.02)
    assert alone is not None
    assert found.power == alone
    most = f"{100 * (1 - (1 - alone) ** 2):.0f} %"
    assert f"each of 2 is tested at 97.5 %; {100 * alone:.0f} % to {most}" in found.assumption


def test_does_not_regress_passes_where_nothing_changed():
    found = planned("a does not regress on accuracy")
    assert found.power == 0.95
    assert "fails only when a regression is shown" in found.assumption
    within = planned("a does not regress on accuracy within 0.02")
    assert within.power == planned("a matches b on accuracy within 0.02").power
    assert within.assumption.startswith("if nothing changed")
    assert planned("a does not regress on size_mb").assumption == "not planned: measured or exact"


def test_where_a_rule_keeps_a_regression_undecided_only_unchanged_answers_pass():
    found = planned("a does not regress on accuracy", facts=replace(SMALL, seeds={"a": 2}))
    assert found.power is None
    assert found.warning is not None
    assert found.warning.startswith("passes only if no answer changed: two seeds")


@pytest.mark.parametrize("sentence", ["a.cost_per_1k <= b.cost_per_1k / 10", "a.size_mb <= 90", "a.train_seconds <= 9"])
def test_what_is_measured_or_exact_is_not_planned(sentence: str):
    assert planned(sentence).assumption == "not planned: measured or exact"


def test_a_point_decision_is_not_tested():
    found = planned("a.accuracy >= 0.9", decide="point", expect=0.95)
    assert (found.power, found.assumption) == (None, "not tested (`decide: point`)")


def test_undecided_that_passes_fails_only_what_is_contradicted():
    found = planned("a.accuracy >= 0.95", facts=SMALL, undecided="pass")
    assert (found.power, found.warning) == (0.95, None)
    assert "fails only what is contradicted" in found.assumption
