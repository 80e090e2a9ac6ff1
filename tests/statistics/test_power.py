"""Power before the data: exact where the test is exact, else within three points of what the tests themselves do."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.stats import binom, norm

from pytest_modelcompare.statistics import power
from pytest_modelcompare.statistics.auroc import auroc
from pytest_modelcompare.statistics.paired import exact_unconditional_p, paired_accuracy
from pytest_modelcompare.statistics.proportion import clustered_proportion, exact_proportion


@pytest.mark.parametrize(("n", "threshold", "true"), [(44, 0.9, 0.99), (300, 0.95, 0.98), (1303, 0.90, 0.92)])
def test_the_power_of_the_exact_test_is_the_binomial_tail(n: int, threshold: float, true: float):
    passes = [k for k in range(n + 1) if binom.sf(k - 1, n, threshold) <= 0.05]
    assert power.proportion_power(n, threshold, true, 0.95) == pytest.approx(binom.sf(passes[0] - 1, n, true))
    assert exact_proportion(passes[0], n, threshold, 0.95).p_above <= 0.05
    assert exact_proportion(passes[0] - 1, n, threshold, 0.95).p_above > 0.05


def test_1303_rows_show_90_per_cent_with_power_80_where_92_is_true():
    # the worked example of rows_for_proportion(.90, .92), from the normal formula
    assert power.proportion_power(1303, 0.90, 0.92, 0.95) == pytest.approx(0.80, abs=0.01)
    assert power.share_power(1303, 0.90, 0.92, 0.95) == pytest.approx(0.80, abs=0.001)


@pytest.mark.parametrize(
    ("n", "discordance", "margin", "effect"),
    [(1500, 0.15, 0.02, 0.045), (2000, 0.10, -0.02, 0.0), (200, 0.15, 0.0, 0.07)],
)
def test_paired_power_is_what_the_paired_test_does(n: int, discordance: float, margin: float, effect: float):
    rng = np.random.default_rng(0)
    chances = [(discordance + effect) / 2, (discordance - effect) / 2, 1 - discordance]
    seen: dict[tuple[int, int], bool] = {}

    def passes(b: int, c: int) -> bool:
        if (b, c) not in seen and n <= 1000:
            seen[b, c] = exact_unconditional_p(b, c, n, margin) <= 0.05
        elif (b, c) not in seen:
            a_right, b_right = np.repeat([True, False, True], [b, c, n - b - c]), np.arange(n) >= b
            seen[b, c] = paired_accuracy(a_right, b_right, margin, 0.95).p_above <= 0.05
        return seen[b, c]

    rate = np.mean([passes(int(b), int(c)) for b, c, _ in rng.multinomial(n, chances, 1500)])
    assert rate == pytest.approx(power.paired_power(n, discordance, margin, effect, 0.95), abs=0.03)


def test_discordance_is_raised_to_what_the_effect_takes():
    assert power.paired_power(100, 0.01, 0.0, 0.2, 0.95) == power.paired_power(100, 0.2, 0.0, 0.2, 0.95)


def test_the_power_of_clustered_rows_is_what_their_test_does():
    # 400 timed requests in 20 blocks: the test estimates the spread of the blocks, which costs power
    rng, blocks = np.random.default_rng(0), np.repeat(np.arange(20), 20)
    rate = np.mean(
        [clustered_proportion(rng.random(400) < 0.975, blocks, 0.95, 0.95).p_above <= 0.05 for _ in range(1500)]
    )
    assert rate == pytest.approx(power.clustered_power(400, 20, 0.95, 0.975, 0.95), abs=0.03)
    assert power.proportion_power(400, 0.95, 0.975, 0.95) > rate + 0.03


def test_the_power_of_an_auroc_is_about_what_its_test_does():
    # binormal scores: areas of .85 claimed and .9032 true, 150 rows of each kind
    rng, truth = np.random.default_rng(0), np.repeat([0, 1], 150)
    shift = sqrt(2) * norm.ppf(0.9032)

    def passes() -> bool:
        scores = rng.normal(size=300) + shift * truth
        return auroc(truth, np.stack([-scores, scores], axis=1), 0.85, 0.95, label=1).p_above <= 0.05

    rate = np.mean([passes() for _ in range(800)])
    counts = np.array([150.0])
    assert rate == pytest.approx(power.auroc_power(counts, counts, 0.85, 0.9032, 0.95), abs=0.06)


def test_two_labels_share_one_area():
    counts, others = np.array([30.0, 70.0]), np.array([70.0, 30.0])
    assert power.area_variance(0.9, counts, others) == pytest.approx(power.area_variance(0.9, counts[:1], others[:1]))


def test_a_printed_figure_adds_its_own_variance():
    # ours .93 on 1,000 rows, theirs .90 on 500: se = sqrt(.0651/1000 + .09/500) = .01566
    se = sqrt(0.93 * 0.07 / 1000 + 0.9 * 0.1 / 500)
    expected = norm.cdf(0.03 / se - 1.6448536)
    assert power.unpaired_power(1000, 0.90, 500, 0.0, 0.0, 0.03, 0.95) == pytest.approx(expected, abs=1e-6)
    assert power.unpaired_power(1000, 0.90, None, 0.0, 0.0, 0.03, 0.95) > expected
