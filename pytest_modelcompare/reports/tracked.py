"""A session as an experiment tracker keeps it: runs with parameters, metrics and tags. Pure; nothing is sent here."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_modelcompare.records.history import Revision
from pytest_modelcompare.records.report import ContestantReport, GateReport, SuiteReport
from pytest_modelcompare.reports.headline import WORST_FIRST, headline, shown_path
from pytest_modelcompare.reports.headline import said as said_by

SAID = {">=": "ge", "<=": "le", ">": "gt", "<": "lt", "/": "over", "*": "times", "+": "plus"}
"""Signs of the gates' language that MLflow takes in no metric's name."""

NOT_IN_A_NAME = re.compile(r"[^\w\-. :]+")
LONGEST_NAME = 200
LONGEST_PARAM = 500
"""What every MLflow server takes; newer ones take more."""

LONGEST_TAG = 5_000


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """One run, named as MLflow names such things."""

    name: str
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Finite ones."""

    tags: Mapping[str, str] = field(default_factory=dict)
    failed: bool = False


def session_run(suite: SuiteReport, revision: Revision, session: str) -> TrackedRun:
    """The run that stands above the contestants': the data, the code, the verdicts."""
    verdict = headline(suite)
    data = suite.data
    facts = ("train_rows", "validation_rows", "test_rows", "leaked_rows", "confidence", "digest", "test_digest")
    params = {name: data[name] for name in facts if data.get(name) not in (None, "")}
    git = {"commit": revision.commit, "branch": revision.branch}
    tags = {
        "mlflow.source.name": shown_path(suite),
        "mlflow.note.content": f"{suite.name}: {verdict.text}",
        **{f"mlflow.source.git.{name}": text for name, text in git.items() if text},
        **({"modelcompare.uncommitted_changes": "true"} if revision.dirty else {}),
        "modelcompare.session": session,
        "modelcompare.outcome": verdict.outcome,
        **{f"gate.{name}": f"{gate.outcome}: {said_by(gate)}" for name, gate in named(suite.gates)},
    }
    return TrackedRun(
        suite.name or shown_path(suite),
        said({**params, "labels": len(data.get("labels", []))}),
        finite({**counted(suite.gates), **gate_metrics(suite.gates)}),
        cut(tags),
        verdict.outcome not in ("pass", "skipped"),
    )


def contestant_run(name: str, row: ContestantReport) -> TrackedRun:
    """One contestant: its settings, and every figure with its bounds as `NAME_low` and `NAME_high`."""
    figures = {
        f"{metric}{end}": value
        for metric, found in row.metrics.items()
        for end, value in (("", found.value), ("_low", found.low), ("_high", found.high))
    }
    known = {"method": row.method, "model": row.model, "seeds": row.seeds or None, "train_rows": row.train_rows}
    tags = {
        "modelcompare.contestant": name,
        "modelcompare.stored": str(row.stored).lower(),
        **({"modelcompare.machine": row.machine} if row.machine else {}),
        **({"modelcompare.selected": row.selected} if row.selected else {}),
        **({"mlflow.note.content": "\n\n".join(row.notes)} if row.notes else {}),
    }
    return TrackedRun(name, said({**row.settings, **known}), finite(figures), cut(tags))


def counted(gates: Iterable[GateReport]) -> dict[str, float]:
    """How many gates ended in each way, all ways: a missing metric is no zero."""
    counts = Counter(gate.outcome for gate in gates)
    return {f"gates_{outcome}": float(counts[outcome]) for outcome in WORST_FIRST}


def gate_metrics(gates: Iterable[GateReport]) -> dict[str, float | None]:
    """`gates/NAME/value`, `low`, `high`, `threshold`, and `holds`: 1 or 0, nothing where it was not decided."""
    found: dict[str, float | None] = {}
    for name, gate in named(gates):
        measured = {**(gate.difference or {}), "threshold": gate.threshold}
        measured["holds"] = {"pass": 1.0, "fail": 0.0}.get(gate.outcome)
        found |= {f"gates/{name}/{part}": value for part, value in measured.items()}
    return found


def named(gates: Iterable[GateReport]) -> list[tuple[str, GateReport]]:
    """Each gate under a name of its own that MLflow takes: its `name:`, or its sentence with the signs as words."""
    found: dict[str, GateReport] = {}
    for gate in gates:
        name = metric_name(gate.name or gate.gate)
        number = 2
        while (own := name if number == 2 else f"{name} {number - 1}") in found:
            number += 1
        found[own] = gate
    return list(found.items())


def metric_name(text: str) -> str:
    """`a.cost_per_1k <= b.cost_per_1k / 10` as `a.cost_per_1k le b.cost_per_1k over 10`."""
    for sign in sorted(SAID, key=len, reverse=True):
        text = text.replace(sign, SAID[sign])
    # MLflow reads names as paths: none may be `.` or `..`
    return " ".join(NOT_IN_A_NAME.sub("_", text).split()).strip(". ")[:LONGEST_NAME].strip() or "gate"


def said(params: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as text; what is not set is left out."""
    texts = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in params.items()
        if value is not None
    }
    return {name: text[:LONGEST_PARAM] for name, text in texts.items()}


def cut(tags: Mapping[str, str]) -> dict[str, str]:
    return {name: text[:LONGEST_TAG] for name, text in tags.items()}


def finite(metrics: Mapping[str, float | None]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if value is not None and math.isfinite(value)}
