"""What must be there before a claim can be judged fairly."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.needs import others_of
from pytest_modelcompare.gates.printed import ON_ROWS
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.records import Evidence


def require_evidence(question: Question, evidence: Mapping[str, Evidence], spec: GateSpec) -> None:
    """Every contestant must be there; on a slice each must have rows.

    Raises:
        GateError: nothing is known of a contestant, or it has a printed figure alone.
    """
    for metric in question.metrics:
        for name in [metric.contestant, *others_of(metric)]:
            if name not in evidence:
                raise GateError(f"nothing is known of {name}", fix="run its gates in the same session")
            if spec.slice and evidence[name].published is not None:
                raise GateError(
                    f"{name} publishes figures of its whole test set, none of a slice",
                    fix="compare it without `slice`",
                )


def require_coverage(question: Question, evidence: dict[str, Evidence], min_coverage: float) -> None:
    """Beating a broken baseline proves nothing.

    Raises:
        GateError: an opponent answered too few rows.
    """
    if not all(METRICS[metric.name].needs in ON_ROWS for metric in question.metrics):
        return
    for name in question.opponents():
        side = evidence[name]
        if side.published is not None:
            continue
        answered = estimate("coverage", side).value
        if answered < min_coverage:
            raise GateError(
                f"{name} answered only {answered:.1%} of the rows with a known label, "
                f"and a comparison needs {min_coverage:.0%}",
                fix="mend its prompt or its recording, or lower `min_coverage` in the suite",
            )
