"""Sweeps: which members must run, and which of them the plain name stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_modelcompare.errors import StoreError
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.records import Dataset, Evidence, Run

SAME = 12
"""Decimals at which two figures are one: the order of a sum decides nothing."""

SHOWN = 6


@dataclass(frozen=True, slots=True)
class Selection:
    """The choice between a sweep's members, made on the validation rows; no test row takes part."""

    winner: str
    figures: Mapping[str, Mapping[str, float]]
    """Member → `accuracy` and `log_loss` on the validation rows, means over the seeds; the best first."""

    n: int
    """Validation rows."""

    @property
    def note(self) -> str:
        """The choice in words, with the figures it rests on."""
        ranked = list(self.figures)
        shown = "; ".join(f"{setting(name)}: {self.figures[name]['accuracy']:.3f}" for name in ranked[:SHOWN])
        more = "; …" if len(ranked) > SHOWN else ""
        rows = f"{self.n:,} validation rows"
        return f"is {setting(self.winner)}, the best of {len(ranked)} by accuracy on {rows} ({shown}{more})"


def setting(member: str) -> str:
    """What a member's name says beside the sweep's: `learning_rate=1e-05`."""
    return member.partition("[")[2].removesuffix("]")


def with_members(names: Iterable[str], contestants: Mapping[str, ContestantSpec]) -> frozenset[str]:
    """These contestants and, of a sweep's plain name, all its members: the best is known when all have run."""
    named = frozenset(names)
    return named.union(*(contestants[name].members for name in named if name in contestants))


def needs_validation(contestants: Iterable[ContestantSpec]) -> bool:
    """Whether an option of a suite needs validation rows; they are held out for all its contestants or for none."""
    return any(spec.members or getattr(spec.settings, "early_stopping", None) is not None for spec in contestants)


def best(members: Sequence[str], runs: Mapping[str, Sequence[Run]], dataset: Dataset) -> Selection:
    """The highest accuracy on the validation rows, of equals the lowest log-loss, of equals the first.

    Each figure is the mean over a member's seeds. The winner is used as it is: trained
    anew with the validation rows it would be a model that nobody has validated.
    """
    assert dataset.validation is not None
    figures = {name: validation_figures(name, runs[name], dataset) for name in members}

    def rank(name: str) -> tuple[float, float]:
        found = figures[name]
        return -round(found["accuracy"], SAME), round(found["log_loss"], SAME)

    ranked = sorted(members, key=rank)
    return Selection(ranked[0], {name: figures[name] for name in ranked}, len(dataset.validation))


def validation_figures(name: str, runs: Sequence[Run], dataset: Dataset) -> dict[str, float]:
    """Accuracy and log-loss on the validation rows, means over the seeds, by the definitions of the test rows.

    Raises:
        StoreError: a stored run holds no validation answers.
    """
    assert dataset.validation is not None
    answers = []
    for run in runs:
        if run.outcome.validation is None:
            raise StoreError("a stored run has no validation answers", where=str(run.folder), fix="delete this folder")
        answers.append(run.outcome.validation)
    seeds = tuple(run.seed for run in runs)
    evidence = Evidence(name, "", dataset.labels, dataset.validation.labels, predictions=tuple(answers), seeds=seeds)
    return {metric: estimate(metric, evidence).value for metric in ("accuracy", "log_loss")}
