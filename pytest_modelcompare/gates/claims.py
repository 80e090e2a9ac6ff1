"""What a gate says, as a tree. `str()` of a claim is a sentence that parses to the same claim."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

PLAIN_WORD = re.compile(r"[^\W\d]\w*")


def quoted_label(label: str) -> str:
    """A label as it stands between brackets: as it is where it is a plain word, else quoted."""
    if PLAIN_WORD.fullmatch(label):
        return label
    escaped = label.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def number_text(value: float) -> str:
    """The shortest decimal that reads back as the same number."""
    text = repr(float(value))
    return text.removesuffix(".0")


def with_details(name: str, argument: str | None, label: str | None) -> str:
    """A metric's name with what is in parentheses and between brackets."""
    return name + (f"({argument})" if argument else "") + (f"[{quoted_label(label)}]" if label is not None else "")


@dataclass(frozen=True, slots=True)
class Metric:
    """`contestant.metric`, with `[label]`, `(cpu)`, `(128)`, `(cpu, 128)` or `(OTHER)`."""

    contestant: str
    name: str
    label: str | None = None
    argument: str | None = None
    """In parentheses: a device, a length in tokens or both; or the other contestant of `break_even`."""

    column: int = field(default=1, compare=False)
    name_column: int | None = field(default=None, compare=False)
    """Where the metric's name stands."""

    def __str__(self) -> str:
        return f"{self.contestant}.{with_details(self.name, self.argument, self.label)}"


@dataclass(frozen=True, slots=True)
class Number:
    """A plain number."""

    value: float
    column: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return number_text(self.value)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two expressions with + - * / between."""

    op: str
    left: Expression
    right: Expression
    column: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return f"({self.left} {self.op} {self.right})"


Expression = Metric | Number | Arithmetic


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left < <= > >= right`."""

    left: Expression
    op: str
    right: Expression
    column: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return f"{self.left} {self.op} {self.right}"


@dataclass(frozen=True, slots=True)
class Measure:
    """The metric of a sentence: `accuracy`, `f1[spam]`, `latency_p95_ms(cpu)`."""

    name: str
    label: str | None = None
    argument: str | None = None
    """As `Metric.argument`."""

    column: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return with_details(self.name, self.argument, self.label)

    def of(self, contestant: str, column: int = 1) -> Metric:
        """One side's figure; the column is that of the contestant's name."""
        return Metric(contestant, self.name, self.label, self.argument, column, self.column)


@dataclass(frozen=True, slots=True)
class Beats:
    """`A beats B on M [by X]`: better by more than X."""

    a: str
    b: str
    measure: Measure
    by: float = 0.0
    column: int = field(default=1, compare=False)
    b_column: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return f"{self.a} beats {self.b} on {self.measure}" + (f" by {number_text(self.by)}" if self.by else "")


@dataclass(frozen=True, slots=True)
class Matches:
    """`A matches B on M within X`: not worse by X or more."""

    a: str
    b: str
    measure: Measure
    within: float
    column: int = field(default=1, compare=False)
    b_column: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return f"{self.a} matches {self.b} on {self.measure} within {number_text(self.within)}"


@dataclass(frozen=True, slots=True)
class DoesNotRegress:
    """`A does not regress on M [within X]`: against the accepted record."""

    a: str
    measure: Measure
    within: float | None = None
    column: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return f"{self.a} does not regress on {self.measure}" + (
            f" within {number_text(self.within)}" if self.within is not None else ""
        )


Claim = Comparison | Beats | Matches | DoesNotRegress


def metrics_in(expression: Expression) -> list[Metric]:
    """Every metric of an expression, left to right."""
    if isinstance(expression, Metric):
        return [expression]
    if isinstance(expression, Arithmetic):
        return metrics_in(expression.left) + metrics_in(expression.right)
    return []


def metrics_of(claim: Claim) -> list[Metric]:
    """Every metric that a claim is about; a sentence's measure once per side."""
    if isinstance(claim, Comparison):
        return metrics_in(claim.left) + metrics_in(claim.right)
    measure = claim.measure
    sides = [(claim.a, claim.column)]
    if not isinstance(claim, DoesNotRegress):
        sides.append((claim.b, claim.b_column))
    return [measure.of(name, column) for name, column in sides]
