"""How it was measured: data, machines, versions, assumptions, and what to know when reading the figures."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pytest_modelcompare.records.report import ContestantReport, FailureExample, SessionReport, SuiteReport
from pytest_modelcompare.reports.notes import format_readings, perhaps_billed
from pytest_modelcompare.reports.numbers import plural

Facts = list[tuple[str, str]]
SHOWN_RUNS = 5
LONGEST_SETTING = 120
"""Characters: instructions to an LLM may be long; report.json has them whole."""


def about_data(suite: SuiteReport) -> Facts:
    """The rows."""
    data = suite.data
    found = [(f"{part} rows", f"{data.get(f'{part}_rows') or 0:,}") for part in ("train", "validation", "test")]
    found.append(("labels", f"{len(data.get('labels', [])):,}"))
    if judged := data.get("judged"):
        models = plural(judged["models"], "distinct model")
        text = f"{plural(judged['times'], 'session')}, {models}, since {judged['since'][:10]}"
        found.append(("these test rows were judged in", text))
    if digest := data.get("digest"):
        found.append(("digest", digest))
    return found + [("warning", text) for text in data.get("warnings", [])]


def about_contestant(row: ContestantReport) -> Facts:
    """One contestant: where and how its figures came about."""
    runs = ", ".join(run[:12] for run in row.runs[:SHOWN_RUNS])
    found = [
        ("model", row.model or ""),
        ("trained on", f"{row.train_rows:,} rows" if row.train_rows is not None else ""),
        ("machine", row.machine or ""),
        ("computed on", format_device(row)),
        ("settings", settings(row)),
        ("seeds", ", ".join(map(str, row.seeds))),
        ("stands for", row.selected or ""),
        ("cost at", row.cost_assumptions or ""),
        ("timed", " on ".join(part for part in ((row.timing_date or "")[:10], row.timing_machine) if part)),
        ("answers given", row.recorded or ""),
        ("without a usable answer", ", ".join(f"{number:,} {kind}" for kind, number in row.failures.items())),
        ("labels were read", format_readings(row)),
        *((kind, example(one)) for kind, found in row.failure_examples.items() for one in found),
        ("versions", ", ".join(f"{name} {version}" for name, version in row.versions.items())),
        ("runs", runs + (f" and {len(row.runs) - SHOWN_RUNS} more" if len(row.runs) > SHOWN_RUNS else "")),
    ]
    return [(term, text) for term, text in found if text] + [("note", note) for note in row.notes]


def format_device(row: ContestantReport) -> str:
    """E.g. "cpu in bf16 (a probe found …), 2 threads (every core), waiting by GOMP_SPINCOUNT=1000"."""
    device = row.device
    if device is None:
        return ""
    parts = [f"{device['kind']} in {device['precision']} ({device['reason']})"]
    if device.get("threads"):
        parts.append(f"{plural(device['threads'], 'thread')} ({device['threads_because']})")
        parts.append(f"waiting by {device['threads_wait']}")
    return ", ".join(parts)


def settings(row: ContestantReport) -> str:
    """Every one but the model, which stands above."""
    return ", ".join(f"{name}: {short(value)}" for name, value in row.settings.items() if value != row.model)


def short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_SETTING else text[: LONGEST_SETTING - 1] + "…"


def example(failure: FailureExample) -> str:
    return f"row {failure.id}: “{failure.text}” → “{failure.answer}”"


def about_statistics(suite: SuiteReport) -> Facts:
    """What every verdict rests on."""
    found = [
        (
            "verdict",
            "passes when the near bound of its interval meets the threshold, fails when the far bound misses it",
        ),
        ("claim", "about rows like the test rows"),
    ]
    confidences = sorted({gate.confidence for gate in suite.gates if gate.tested})
    if confidences:
        found.append(("each bound", " and ".join(f"{one:.0%}" for one in confidences) + ", one-sided"))
    tests = Counter(gate.method or gate.test for gate in suite.gates if gate.tested and (gate.method or gate.test))
    found += [(name, plural(number, "gate")) for name, number in tests.most_common()]
    untested = [gate.gate for gate in suite.gates if not gate.tested and gate.outcome in ("pass", "fail")]
    if untested:
        found.append(("without the guarantee, or exact", "; ".join(untested)))
    return found


def about_session(report: SessionReport) -> Facts:
    """When and where, and what it took."""
    spend, machine = report.spend, report.machine
    found: list[tuple[str, Any]] = [("written", report.created.replace("T", " "))]
    found.append(("machine", machine.get("name")))
    found.append(("python", machine.get("python")))
    found.append(("trainings", f"{spend.trainings:,}, and {plural(spend.stored_runs, 'run')} from the store"))
    if spend.calls or spend.stored_answers:
        text = f"{spend.calls:,} for {spend.usd:,.2f} USD, and {plural(spend.stored_answers, 'answer')} from the store"
        found.append(("LLM calls", "; ".join([text, *perhaps_billed(spend)])))
    return [(term, str(text)) for term, text in found if text]
