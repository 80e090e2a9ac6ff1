"""How reports print numbers."""

from __future__ import annotations

import pytest

from pytest_modelcompare.reports.numbers import decimals_supported, share


@pytest.mark.parametrize(
    ("half_width", "decimals"), [(0.3, 2), (0.08, 2), (0.036, 2), (0.035, 3), (0.008, 3), (0.0012, 4), (1e-9, 5)]
)
def test_an_uncertainty_has_two_digits_up_to_35_and_one_from_36(half_width: float, decimals: int):
    assert decimals_supported([half_width]) == decimals


def test_the_interval_in_the_middle_speaks_for_the_column():
    # a contestant that is nearly always right has a narrow interval; it gives the others no digits
    assert decimals_supported([0.08, 0.07, 0.001]) == 2


def test_without_an_interval_there_are_three():
    assert decimals_supported([]) == decimals_supported([0.0, float("nan")]) == 3


def test_a_share_has_no_leading_zero():
    assert [share(value) for value in (0.93, 1.0, -0.2)] == [".930", "1.000", "-0.200"]
    assert share(0.93, 2) == ".93"
