from __future__ import annotations

import numpy as np
import pytest
import torch

from pytest_modelcompare.training.loop import Recipe, linear_schedule, parameter_groups, total_steps, training_batches


def recipe(**changes):
    given = {"epochs": 2, "learning_rate": 1e-3, "batch_size": 4, "warmup": 0.0, "weight_decay": 0.01, "seed": 1}
    return Recipe(**(given | changes))


def test_the_rate_rises_over_the_warm_up_and_falls_to_nothing():
    # 10 steps, 2 of them warm-up: 1/3, 2/3, then 8/8 down to 1/8
    assert [linear_schedule(step, 10, 0.2) for step in (0, 1, 2, 9)] == pytest.approx([1 / 3, 2 / 3, 1, 1 / 8])


def test_steps_are_counted_in_fractions_of_epochs():
    assert total_steps(10, recipe(epochs=0.5, batch_size=5)) == 1
    assert total_steps(10, recipe(epochs=2, batch_size=4)) == 5
    assert total_steps(10, recipe(max_steps=2)) == 2


def test_an_epoch_holds_every_row_once():
    batches = list(training_batches(np.arange(10), 4, seed=1, steps=3))
    assert sorted(np.concatenate(batches).tolist()) == list(range(10))


def test_a_batch_holds_rows_of_similar_length():
    lengths = np.array([1] * 8 + [50] * 8)
    assert all(len(set(lengths[rows])) == 1 for rows in training_batches(lengths, 8, seed=3, steps=2))


def test_the_order_is_the_seeds():
    first, again, other = (list(training_batches(np.ones(64, int), 4, seed, 16)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_biases_and_norms_do_not_decay():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    decayed, spared = parameter_groups(model, 0.01)
    assert [tuple(weights.shape) for weights in decayed["params"]] == [(2, 3)]
    assert len(spared["params"]) == 3
    assert spared["weight_decay"] == 0.0
