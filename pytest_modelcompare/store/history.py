"""`history.jsonl`: what every session found of every suite, one line each, appended.

A session that found what the one before it found is a line of a few words, so that the
file grows with what happened and not with how often it was looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from math import isfinite
from pathlib import Path
from typing import Any

from pytest_modelcompare.records.history import ContestantThen, GateThen, Revision, SessionThen
from pytest_modelcompare.records.report import MetricReport
from pytest_modelcompare.store.folders import StoreFolders, store_errors
from pytest_modelcompare.store.lines import append_line, lines_of

JOURNAL = "history.jsonl"
FORMAT = 1
DIGITS = 6
"""Significant digits of a figure."""


def suite_key(path: Path, store: Path) -> str:
    """A suite's path from the top of its git checkout, else from the store's folder, else whole.

    The same in every checkout, so that a cached store goes with a CI job.
    """
    path = path.resolve()
    tops = [folder for folder in path.parents if (folder / ".git").exists()]
    for top in (*tops[:1], store.resolve().parent):
        if path.is_relative_to(top):
            return path.relative_to(top).as_posix()
    return path.as_posix()


def read_history(folders: StoreFolders, suite: str | None = None) -> list[SessionThen]:
    """Every session, oldest first; of one suite, by its key, or of all.

    A torn line, as a killed process leaves it, and a line of another format count for nothing.
    """
    whole: dict[tuple[str, str], SessionThen] = {}
    found = []
    for line in lines_of(folders.root / JOURNAL):
        if line.get("format") != FORMAT or suite not in (None, line["suite"]):
            continue
        if "as" in line:
            if (same := whole.get((line["suite"], line["as"]))) is None:
                continue
            then = replace(
                same, session=line["session"], created=line["created"], revision=Revision(**line["revision"])
            )
        else:
            then = decoded(line)
            whole[then.suite, then.session] = then
        found.append(then)
    return sorted(found, key=lambda then: then.created)


def note_session(folders: StoreFolders, then: SessionThen) -> None:
    """Append what a session found."""
    line = encoded(then)
    if (origin := same_as(folders, line)) is not None:
        line = {name: line[name] for name in ("format", "session", "created", "suite", "revision")} | {"as": origin}
    path = folders.runs.parent / JOURNAL
    with store_errors(path):
        append_line(path, json.dumps(line, separators=(",", ":")).encode() + b"\n")


def same_as(folders: StoreFolders, line: Mapping[str, Any]) -> str | None:
    """The session whose line says all that this one says, if it is the newest whole one of the suite."""
    newest: Mapping[str, Any] = {}
    for known in lines_of(folders.root / JOURNAL):
        if known.get("format") == FORMAT and known["suite"] == line["suite"] and "as" not in known:
            newest = known
    of_session = ("session", "created", "revision")
    said = [{name: value for name, value in one.items() if name not in of_session} for one in (newest, line)]
    return newest["session"] if newest and said[0] == said[1] else None


def encoded(then: SessionThen) -> dict[str, Any]:
    """A line as JSON types; a figure is [value, low, high, n]."""
    contestants = {name: encoded_contestant(one) for name, one in then.contestants.items()}
    gates = [{name: rounded(value) for name, value in asdict(gate).items() if value is not None} for gate in then.gates]
    return {
        "format": FORMAT,
        **asdict(replace(then, contestants={}, gates=())),
        "contestants": contestants,
        "gates": gates,
    }


def encoded_contestant(one: ContestantThen) -> dict[str, Any]:
    figures = {
        name: [rounded(part) for part in (own.value, own.low, own.high, own.n)] for name, own in one.figures.items()
    }
    known: dict[str, Any] = {"method": one.method, "model": one.model, "figures": figures}
    known |= {"runs": list(one.runs)} if one.runs else {}
    return known | ({"answers": one.answers} if one.answers else {})


def rounded(value: Any) -> Any:
    """To DIGITS significant digits; what is no finite number is None."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.{DIGITS}g}") if isfinite(value) else None


def decoded(line: Mapping[str, Any]) -> SessionThen:
    contestants = {
        name: ContestantThen(
            one["method"],
            one["model"],
            {metric: MetricReport(*figure) for metric, figure in one["figures"].items() if figure[0] is not None},
            tuple(one.get("runs", ())),
            one.get("answers"),
        )
        for name, one in line["contestants"].items()
    }
    facts = {name: value for name, value in line.items() if name != "format"}
    gates = tuple(GateThen(**gate) for gate in line["gates"])
    return SessionThen(
        **{**facts, "revision": Revision(**line["revision"]), "contestants": contestants, "gates": gates}
    )
