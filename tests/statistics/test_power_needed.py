"""What 80 % power takes, and the power of several gates together."""

from __future__ import annotations

import pytest

from pytest_modelcompare.statistics import power, power_needed
from pytest_modelcompare.statistics.paired import exact_unconditional_p


def test_the_value_needed_has_80_per_cent_of_power_on_both_sides():
    def high(true: float) -> float:
        return power.proportion_power(500, 0.9, true, 0.95)

    def low(true: float) -> float:
        return power.proportion_power(500, 0.9, 1 - true, 0.95)

    needed = power_needed.true_value_needed(high, 0.9, 1.0)
    assert needed is not None
    assert high(needed) == pytest.approx(0.8, abs=1e-4)
    assert power_needed.true_value_needed(low, 0.1, 0.0) == pytest.approx(1 - needed, abs=1e-5)


def test_no_value_is_enough_where_all_right_is_not():
    # .95**58 = .0510, .95**59 = .0485
    assert power_needed.rows_all_right(0.95, 0.95) == 59
    assert power_needed.true_value_needed(lambda true: power.proportion_power(58, 0.95, true, 0.95), 0.95, 1.0) is None
    assert power.proportion_power(59, 0.95, 1.0, 0.95) == 1


def test_identical_answers_need_299_rows_for_one_point():
    assert power_needed.rows_identical(0.01, 0.95) == 299
    assert exact_unconditional_p(0, 0, 299, -0.01) <= 0.05 < exact_unconditional_p(0, 0, 298, -0.01)
    # Tango's score decides beyond 1,000 rows: 1.6449² x .998 / .002 = 1,350.1
    assert power_needed.rows_identical(0.002, 0.95) == 1351


def test_ten_gates_of_80_per_cent_are_green_together_in_10_7_and_38_5_per_cent():
    assert power_needed.joint_power([0.8] * 10) == pytest.approx(0.107, abs=0.0005)
    assert power_needed.joint_power([0.8] * 10, 0.5) == pytest.approx(0.385, abs=0.0005)


def test_a_gate_that_never_passes_makes_no_build_green():
    assert power_needed.joint_power([0.9, 0.0], 0.5) == 0
    assert power_needed.joint_power([0.9, 1.0], 0.5) == pytest.approx(0.9)
