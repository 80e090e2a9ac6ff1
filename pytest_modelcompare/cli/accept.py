"""`modelcompare accept [--diff] SUITE…`: from stored runs and answers; nothing is trained or asked."""

from __future__ import annotations

import argparse
import sys
import uuid
from pathlib import Path

from pytest_modelcompare.errors import ModelCompareError, StoreError
from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.judging import verdict_on
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.plan import planned
from pytest_modelcompare.execution.prepare import prepare
from pytest_modelcompare.gates.claims import DoesNotRegress
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.records import Outcomes
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Unwatched
from pytest_modelcompare.store.accepted import merged, write_accepted
from pytest_modelcompare.suite.load import load_suite


def run(options: argparse.Namespace) -> int:
    """Accept, or show, suite by suite; 1 if one could not be."""
    status = 0
    for name in options.suites:
        try:
            lines = accepted(Path(name), Path(options.store or ".modelcompare").resolve(), diff=options.diff)
        except ModelCompareError as error:
            print(error, file=sys.stderr)
            status = 1
        else:
            print("\n".join(lines))
    return status


def accepted(path: Path, store: Path, *, diff: bool) -> list[str]:
    """What every `does not regress` gate of a suite says against its record; written unless `diff`.

    Raises:
        ModelCompareError: the suite is broken, or something it needs is not stored.
    """
    suite = load_suite(path)
    gates = [gate for gate in suite.gates if any(isinstance(claim, DoesNotRegress) for claim in gate.claims)]
    if not gates:
        return [f"{path}: no gate says `does not regress`"]
    session = uuid.uuid4().hex
    comparison = Comparison(suite, Options(store, session, llm="replay"), Ledger())
    replayed(comparison, gates)
    lines = [f"{path}"]
    for gate in gates:
        verdict = verdict_on(comparison, gate)
        said = "new" if verdict.outcome is Outcomes.ERROR and is_new(comparison, gate) else verdict.outcome
        text = "nothing accepted yet" if said == "new" else " ".join(verdict.message.split())
        lines.append(f"  {said.upper():<10}{gate.text}: {text}")
    if diff:
        return [*lines, "  nothing written (--diff)"]
    return [*lines, *written(suite.path, store, session, comparison, gates)]


def replayed(comparison: Comparison, gates: list[GateSpec]) -> None:
    """Fill the comparison from the store.

    Raises:
        StoreError: a run that the gates need is not stored.
    """
    needs = comparison.needs(gates)
    jobs = [job for _, jobs in planned([(comparison, needs)]) for job in jobs if job.contestant in needs.contestants]
    missing = sorted({job.contestant for job in jobs if not job.stored})
    if missing:
        raise StoreError(
            f"no stored results of {', '.join(missing)}",
            where=str(comparison.suite.path),
            fix="run `pytest --modelcompare` first, or name its store with --store",
        )
    prepare([(comparison, needs)], Unwatched())


def is_new(comparison: Comparison, gate: GateSpec) -> bool:
    keys = [f"{claim.a}.{claim.measure}" for claim in gate.claims if isinstance(claim, DoesNotRegress)]
    return any(key not in comparison.accepted.entries for key in keys)


def written(path: Path, store: Path, session: str, judged: Comparison, gates: list[GateSpec]) -> list[str]:
    """Judge once more, accepting."""
    comparison = Comparison(judged.suite, Options(store, session, llm="replay", accept=True), Ledger())
    replayed(comparison, gates)
    errors = [verdict for verdict in (verdict_on(comparison, gate) for gate in gates) if verdict.outcome != "pass"]
    if errors:
        raise StoreError(f"nothing was accepted: {errors[0].message}", where=str(path))
    write_accepted(comparison.accepted_path, merged(comparison.accepted, comparison.accepted_now))
    return [f"  accepted in {comparison.accepted_path}"]
