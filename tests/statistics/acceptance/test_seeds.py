"""Several trainings of one recipe on the same rows: its mean, and its next training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from pytest_modelcompare.records import Estimate
from pytest_modelcompare.statistics.influence import from_influence
from tests.statistics.acceptance.worlds import Z95, Errors, Share, resampled_weights, seeds_on_rows

ROWS = 200
ROW_SE, UNSHARED = 0.0055, 0.13
RESAMPLES = 500


@dataclass(frozen=True, slots=True)
class Found:
    """The recipe's mean is exactly the threshold; the next model is drawn from the same recipe."""

    mean: Errors
    rows_only: Errors
    two_level: Errors
    """Percentile bootstrap of seeds and of rows."""

    next_below_its_bound: Share
    next_below_the_means: Share


def trainings(runs: int, seeds: int, seed_sd: float, seed: int = 9) -> Found:
    rng = np.random.default_rng(seed)
    rows_drawn = resampled_weights(rng, RESAMPLES, ROWS) * ROWS
    seeds_drawn = resampled_weights(rng, RESAMPLES, seeds)
    mean, rows_only, two_level, following, following_mean = [], [], [], [], []
    for _ in range(runs):
        values, noise = seeds_on_rows(rng, seeds, ROWS, ROW_SE, UNSHARED, seed_sd)
        influence = noise - noise.mean(axis=1, keepdims=True)
        estimate = Estimate(float(values.mean()), influence, values)
        found = from_influence(estimate, 0.0, 0.95)
        mean.append((found.p_above <= 0.05, found.p_below <= 0.05))
        half = Z95 * np.sqrt((influence.mean(axis=0) ** 2).sum())
        rows_only.append((values.mean() - half >= 0, values.mean() + half <= 0))
        resampled = ((values + rows_drawn @ influence.T) * seeds_drawn).sum(axis=1)
        low, high = np.quantile(resampled, [0.05, 0.95])
        two_level.append((low >= 0, high <= 0))
        next_model = rng.normal(0, seed_sd)
        following.append(from_influence(estimate, next_model, 0.95, next_training=True).low > next_model)
        following_mean.append(found.low > next_model)
    return Found(
        Errors.of(mean), Errors.of(rows_only), Errors.of(two_level), Share.of(following), Share.of(following_mean)
    )


@pytest.mark.parametrize(("seeds", "expected"), [(3, (5.5, 5.5)), (5, (5.1, 4.8))])
def test_the_recipes_mean_holds_its_level_where_rows_alone_do_not(seeds: int, expected: tuple[float, float]):
    found = trainings(4000, seeds, 0.01)
    assert found.mean.near(*expected)
    assert found.mean.at_most(6)
    assert found.rows_only.passes.exceeds(6)


def test_a_two_level_bootstrap_of_three_seeds_would_err_in_eight_percent():
    found = trainings(4000, 3, 0.01)
    assert found.two_level.near(8.0, 8.1)
    assert found.two_level.passes.exceeds(6)
    assert found.rows_only.passes.near(13.4)


def test_without_a_spread_between_seeds_nothing_is_lost():
    assert trainings(3000, 3, 0.0).mean.near(4.9, 4.8)


def test_the_next_training_needs_its_own_bound():
    # below the bound of the mean lies 1 in 7 of the next models
    found = trainings(4000, 3, 0.01)
    assert found.next_below_its_bound.near(5.9)
    assert found.next_below_the_means.exceeds(10)
