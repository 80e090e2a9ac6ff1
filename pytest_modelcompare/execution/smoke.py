"""A smoke run: every contestant takes two steps on a few rows, no LLM is asked, nothing is kept."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_modelcompare.data.made_up import MADE_UP, make_up_dataset, offline_if_silent, source_unreachable
from pytest_modelcompare.data.subsets import with_subset
from pytest_modelcompare.inference.random_models import guess_note
from pytest_modelcompare.methods.base import Work

if TYPE_CHECKING:
    from pytest_modelcompare.errors import ModelCompareError
    from pytest_modelcompare.execution.comparison import Comparison
    from pytest_modelcompare.execution.watch import Watcher
    from pytest_modelcompare.methods.base import ContestantSpec, LocalMethod


def smoke(comparison: Comparison, spec: ContestantSpec, method: LocalMethod, watcher: Watcher) -> None:
    """Run one local contestant small, with its first seed.

    Raises:
        ModelCompareError: whatever would stop the real run, as far as it can be known.
    """
    dataset, options = comparison.dataset, comparison.options
    assert dataset is not None
    own = dataset if has_made_up_rows(comparison) else with_subset(dataset, spec.subset)
    with watcher.job(f"{spec.name}: smoke"), comparison.folders.scratch() as scratch:
        work = Work(own, spec.seeds[0], options.device, scratch, comparison.base, smoke=True)
        trained_as = method.trained_as(spec.settings)
        if trained_as is None:
            method.run(spec.settings, work)
        else:
            trained = scratch / "trained"
            trained.mkdir()
            outcome = method.run(trained_as, replace(work, folder=trained))
            method.serve(spec.settings, work, trained, outcome.footprint)
    model = getattr(spec.settings, "model", None)
    if isinstance(model, str):
        warn(comparison, *guess_note(model.removeprefix("local:"), comparison.base))


def quick_to_fail(comparison: Comparison) -> AbstractContextManager[None]:
    """A smoke run does not wait for a hub that does not answer."""
    return offline_if_silent(comparison.suite.data) if comparison.options.smoke else nullcontext()


def make_up_rows(comparison: Comparison, error: ModelCompareError) -> bool:
    """Give a smoke run rows where its own lie on a network that does not answer; False where that is not why."""
    if not comparison.options.smoke or not source_unreachable(error):
        return False
    comparison.dataset = make_up_dataset(comparison.suite.data)
    warn(comparison, f"{error.where} {error.what}; made-up rows stand in")
    return True


def stands_aside(comparison: Comparison, error: ModelCompareError) -> bool:
    """Whether a smoke run goes on without recorded answers that lie on a network that does not answer."""
    if not comparison.options.smoke or not source_unreachable(error):
        return False
    warn(comparison, f"{error.where} {error.what}; it was not read")
    return True


def has_made_up_rows(comparison: Comparison) -> bool:
    return comparison.dataset is not None and comparison.dataset.digest == MADE_UP


def warn(comparison: Comparison, *texts: str) -> None:
    comparison.warnings += [text for text in texts if text not in comparison.warnings]
