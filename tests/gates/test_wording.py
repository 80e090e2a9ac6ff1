"""Numbers in words: digits that an interval can be seen in."""

from __future__ import annotations

from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.question import question_of
from pytest_modelcompare.gates.wording import margin_text, numbers, significant
from pytest_modelcompare.records import Inference


def found(value: float, low: float, high: float) -> Inference:
    return Inference(value, low, high, 0.5, 0.5, "t", 400)


def said(sentence: str, value: float, low: float, high: float) -> str:
    return numbers(question_of(parse(sentence)), found(value, low, high))


def test_a_figure_has_its_metrics_usual_digits():
    assert said("a.accuracy >= 0.9", 0.93, 0.9222, 0.9371) == "0.930 (0.922 to 0.937, 400 rows)"
    assert said("a.latency_p95_ms <= 9", 5.66, 5.41, 6.13) == "5.7 ms (5.4 to 6.1, 400 requests)"


def test_a_narrow_interval_has_the_digits_that_show_it():
    assert said("a.latency_p50_ms <= b.latency_p50_ms", -5.812, -5.831, -5.79) == "-5.81 ms (-5.83 to -5.79)"
    assert said("a.accuracy >= 0.9", 0.93, 0.92981, 0.9302) == "0.9300 (0.9298 to 0.9302, 400 rows)"
    assert said("a.cost_per_1k <= 1", 0.000181, 0.000180, 0.000182) == "0.000181 USD (0.000180 to 0.000182, 400 blocks)"


def test_a_bound_at_the_estimate_itself_takes_no_digits():
    assert said("a.accuracy >= 0.9", 1.0, 0.992, 1.0) == "1.000 (0.992 to 1.000, 400 rows)"


def test_a_margin_is_never_nothing():
    question = question_of(parse("a.latency_p95_ms <= 5.8"))
    assert margin_text(question, found(5.82, 5.81, 5.83), passed=False) == ", over by 0.02 ms"


def test_a_figure_in_a_unit_of_the_projects_own_has_three_digits_of_any_size():
    found = [significant(value, 3) for value in (0.05123, 5.123, 5123.4, 0.0, -0.2)]
    assert found == ["0.0512", "5.12", "5,123", "0", "-0.200"]
