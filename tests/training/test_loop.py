from __future__ import annotations

import numpy as np
import pytest
import torch

from pytest_modelcompare.errors import DataError
from pytest_modelcompare.training.losses import row_weights
from pytest_modelcompare.training.minibatches import cut_within_tokens, micro_batches, step_rows
from pytest_modelcompare.training.recipe import Recipe, learning_rate, total_steps
from pytest_modelcompare.training.step import parameter_groups


def recipe(**changes):
    given = {"epochs": 2, "learning_rate": 1.0, "batch_size": 4, "warmup": 0.0, "weight_decay": 0.01, "seed": 1}
    return Recipe(**(given | changes))


def test_the_rate_rises_over_the_warm_up_and_falls_to_nothing():
    # 10 steps, 2 of them warm-up: 1/3, 2/3, then 8/8 down to 1/8
    rates = [learning_rate(recipe(warmup=0.2), step, 10) for step in (0, 1, 2, 9)]
    assert rates == pytest.approx([1 / 3, 2 / 3, 1, 1 / 8])


def test_a_cosine_is_halfway_down_in_the_middle_and_a_constant_stays():
    assert learning_rate(recipe(schedule="cosine"), 5, 10) == pytest.approx(0.5)
    assert learning_rate(recipe(schedule="cosine"), 0, 10) == pytest.approx(1.0)
    # a quarter is left: (1 - cos(π / 4)) / 2
    assert learning_rate(recipe(schedule="cosine"), 6, 8) == pytest.approx(0.1464466)
    assert learning_rate(recipe(schedule="constant", warmup=0.2), 9, 10) == 1.0


def test_steps_are_counted_as_transformers_trainer_counts_them():
    assert total_steps(10, recipe(epochs=0.5, batch_size=5)) == 1
    assert total_steps(10, recipe(epochs=2, batch_size=4)) == 6  # 4 + 4 + 2 rows, twice
    assert total_steps(10, recipe(epochs=2, batch_size=4, gradient_accumulation=2)) == 4  # 8 + 2 rows, twice
    assert total_steps(10, recipe(max_steps=2)) == 2


def test_an_epoch_holds_every_row_once():
    batches = list(step_rows(10, 4, seed=1, first=0, steps=6))
    for epoch in (batches[:3], batches[3:]):
        assert sorted(np.concatenate(epoch).tolist()) == list(range(10))


def test_the_order_is_the_seeds_and_goes_on_at_any_step():
    whole, other = (list(step_rows(64, 4, seed, 0, 40)) for seed in (1, 2))
    rest = list(step_rows(64, 4, 1, 19, 40))
    assert np.array_equal(whole[19:], rest)
    assert not np.array_equal(whole, other)


def test_micro_batches_are_cut_where_that_is_cheapest():
    # 9, 9 | 2, 2 | costs 18 + 4 + 2 · 5 = 32; all four together 36 + 5 = 41
    lengths = np.array([2, 9, 2, 9])
    cut = micro_batches(lengths, np.arange(4), budget=100, overhead=5)
    assert [part.tolist() for part in cut] == [[1, 3], [0, 2]]
    # when a micro-batch costs more than the padding it saves, there is one: 36 + 20 against 22 + 40
    assert len(micro_batches(lengths, np.arange(4), budget=100, overhead=20)) == 1


def test_no_micro_batch_passes_the_budget_but_a_single_row():
    lengths = np.array([30, 4, 4, 4, 4])
    cut = micro_batches(lengths, np.arange(5), budget=8, overhead=100)
    assert [part.tolist() for part in cut] == [[0], [1, 2], [3, 4]]
    assert [part.tolist() for part in cut_within_tokens(lengths, np.arange(5), 8)] == [[0], [1, 2], [3, 4]]


def test_biases_and_norms_do_not_decay():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    decayed, spared = parameter_groups(model, 0.01)
    assert [tuple(weights.shape) for weights in decayed["params"]] == [(2, 3)]
    assert len(spared["params"]) == 3
    assert spared["weight_decay"] == 0.0


def test_balanced_weights_are_scikit_learns():
    from sklearn.utils.class_weight import compute_sample_weight

    labels = np.array([0, 0, 0, 2])
    np.testing.assert_allclose(
        row_weights(labels, ("a", "b", "c"), "balanced"), compute_sample_weight("balanced", labels)
    )


def test_weights_by_name_are_one_where_none_is_given():
    assert row_weights(np.array([0, 1, 1]), ("a", "b"), {"b": 2.5}).tolist() == [1.0, 2.5, 2.5]
    with pytest.raises(DataError, match="`d`, which is no label"):
        row_weights(np.array([0]), ("a", "b"), {"d": 2.0})
