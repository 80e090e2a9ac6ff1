"""Every architecture goes on from a checkpoint as if nothing had been."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from pytest_modelcompare.methods import fitting
from pytest_modelcompare.methods.fine_tune import FineTune
from pytest_modelcompare.methods.fitting import FineTuneSettings
from pytest_modelcompare.training.recipe import Extras
from tests.methods.small_architectures import save_small
from tests.methods.small_models import small_work

OTHERS = ("roberta", "distilbert", "albert", "electra", "deberta_v2", "modernbert", "mpnet", "bart", "xlnet")


class KilledError(Exception):
    """Stands for whatever ends a process."""


def die_at_step_5(progress):
    if progress.done == 5 and "loss" in progress.note:
        raise KilledError


CASES = [
    ("bert", "classification"),
    ("t5", "text_to_text"),
    *(pytest.param(one, "classification", marks=pytest.mark.slow) for one in ("t5", *OTHERS)),
    pytest.param("bart", "text_to_text", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("architecture", "head"), CASES)
def test_an_interrupted_training_predicts_what_an_unbroken_one_does(architecture, head, tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "Extras", partial(Extras, checkpoint_seconds=0.0))
    settings = FineTuneSettings(
        model=str(save_small(architecture, tmp_path / "weights")), epochs=2, batch_size=8, learning_rate=3e-3, head=head
    )
    unbroken = FineTune().run(settings, small_work(tmp_path / "unbroken"))
    with pytest.raises(KilledError):
        FineTune().run(settings, kept(small_work(tmp_path / "killed"), tmp_path, progress=die_at_step_5))
    resumed = FineTune().run(settings, kept(small_work(tmp_path / "resumed"), tmp_path))
    assert "went on from a checkpoint at step 5 of 8" in resumed.notes
    assert np.array_equal(unbroken.predictions.scores, resumed.predictions.scores)


def kept(work, folder, **changes):
    return replace(work, checkpoints=folder / "checkpoints", **changes)
