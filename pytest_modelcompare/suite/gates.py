"""From the suite's `gates:` to their specs, problems at the column they stand at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_modelcompare.gates.check import check
from pytest_modelcompare.gates.check_metric import Abilities
from pytest_modelcompare.gates.claims import Claim, metrics_of
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.gates.tokens import GateSyntaxError
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.registry import method_of
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.suite.document import Document, Path, Place
from pytest_modelcompare.suite.model import GateSettings


def gate_specs(
    gates: Sequence[object],
    contestants: Mapping[str, Any],
    specs: Mapping[str, ContestantSpec],
    labels: Sequence[str] | None,
    document: Document,
) -> tuple[GateSpec, ...]:
    """Every gate that is in order; what is wrong with the others is noted.

    Args:
        gates: sentences and settings; anything else is noted elsewhere and keeps its place in the count.
        contestants: every name in the file, those with problems of their own too.
    """
    abilities = {name: abilities_of(specs.get(name)) for name in {**dict.fromkeys(contestants), **specs}}
    found: list[GateSpec] = []
    lines: dict[str, int] = {}
    for index, gate in enumerate(gates):
        if not isinstance(gate, str | GateSettings):
            continue
        settings = GateSettings(gate=gate) if isinstance(gate, str) else gate
        path: Path = ("gates", index)
        spec = gate_spec(settings, path, isinstance(gate, str), abilities, labels, document)
        if spec is None:
            continue
        if spec.id in lines:
            hint = f"it stands in line {lines[spec.id]} already; give one of them a `name:`"
            document.add(f"two gates are called `{spec.id}`", document.place(path), hint)
        lines.setdefault(spec.id, spec.line)
        found.append(spec)
    return tuple(found)


def gate_spec(
    settings: GateSettings,
    path: Path,
    bare: bool,
    abilities: Mapping[str, Abilities],
    labels: Sequence[str] | None,
    document: Document,
) -> GateSpec | None:
    if settings.any_of is not None:
        sentences = [((*path, "any_of", number), text) for number, text in enumerate(settings.any_of)]
    else:
        assert settings.gate is not None
        sentences = [(path if bare else (*path, "gate"), settings.gate)]
    claims = [claim_at(place, text, abilities, labels, document) for place, text in sentences]
    part = slice_of(settings.slice or {})
    if part:
        refuse_unsliced([claim for claim in claims if claim is not None], path, document)
    if any(claim is None for claim in claims):
        return None
    where = f" where {' and '.join(f'{column} is {value}' for column, value in part)}" if part else ""
    return GateSpec(
        text=" or ".join(" ".join(text.split()) for _, text in sentences) + where,
        claims=tuple(claim for claim in claims if claim is not None),
        any_of=settings.any_of is not None,
        name=settings.name,
        line=document.place(path).line,
        marks=tuple(settings.marks),
        undecided=settings.undecided,
        decide=settings.decide,
        confidence=settings.confidence,
        expect=settings.expect,
        slice=part,
    )


def slice_of(conditions: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """The conditions of a slice as text, which is what columns hold."""
    return tuple((column, str(value)) for column, value in conditions.items())


def refuse_unsliced(claims: Sequence[Claim], path: Path, document: Document) -> None:
    """A slice is made of test rows; times, sizes and costs are not measured by row."""
    for metric in dict.fromkeys(metric.name for claim in claims for metric in metrics_of(claim)):
        if metric in METRICS and METRICS[metric].needs not in (Need.ROWS, Need.SCORES):
            document.add(
                f"`{metric}` is not measured by slice",
                document.place((*path, "slice"), key=True),
                "a slice is a part of the test rows: gate on accuracy, f1, auroc and the like",
            )


def claim_at(
    path: Path, text: str, abilities: Mapping[str, Abilities], labels: Sequence[str] | None, document: Document
) -> Claim | None:
    """The claim of a sentence; None, and problems noted, where it is none."""
    place = document.place(path)
    try:
        claim = parse(text)
    except GateSyntaxError as error:
        document.add(error.what, inside(document, place, error.column, error.width), error.fix)
        return None
    issues = check(claim, {**abilities, **members_of_unknown(claim, abilities)}, labels)
    for issue in issues:
        document.add(issue.message, inside(document, place, issue.column, issue.width), issue.hint)
    return None if issues else claim


def members_of_unknown(claim: Claim, abilities: Mapping[str, Abilities]) -> dict[str, Abilities]:
    """The members that a claim names of sweeps with problems of their own: these are said elsewhere."""
    named = {name for metric in metrics_of(claim) for name in (metric.contestant, metric.argument or "")}
    unknown = abilities_of(None)
    return {name: unknown for name in named if "[" in name and abilities.get(name.partition("[")[0]) == unknown}


def inside(document: Document, place: Place, column: int, width: int) -> Place:
    """A column of a sentence as a column of the file; for folded scalars, where the scalar starts."""
    lines = document.source.splitlines()
    line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    opening = line[place.column - 1 : place.column]
    if opening in ("|", ">"):
        return place
    shift = 1 if opening in ("'", '"') else 0
    return replace(place, column=place.column + shift + column - 1, width=width)


def abilities_of(spec: ContestantSpec | None) -> Abilities:
    """What a contestant can carry; of one with problems of its own, anything."""
    if spec is None:
        return Abilities("unknown")
    return Abilities(spec.method, method_of(spec).figures(spec.settings))
