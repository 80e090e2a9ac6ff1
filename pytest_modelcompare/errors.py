"""The error tree. Errors carry data; `str(error)` words it in one way: where, what, what to do."""

from __future__ import annotations

from dataclasses import dataclass


class ModelCompareError(Exception):
    """Anything a user can mend. Shown without a traceback.

    Args:
        what: the fact, one sentence without a full stop.
        where: a file, `file:line:column`, a row, a contestant.
        fix: what to do about it.
    """

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(what, where, fix)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n  {self.fix}" if self.fix else head


class DataError(ModelCompareError):
    """A data source is missing, malformed, leaked or does not fit the suite."""


class ModelError(ModelCompareError):
    """Weights or a tokenizer cannot be found or may not be loaded."""


class StoreError(ModelCompareError):
    """The store cannot be read or written."""


class LLMError(ModelCompareError):
    """A provider refused for good, or an answer that is needed is not there."""


class BudgetError(ModelCompareError):
    """The plan, or the next request, would cost more than may be spent."""


class UnavailableError(ModelCompareError):
    """Something the format knows and this version cannot do yet, or an extra that is not installed."""


class TrackingError(ModelCompareError):
    """An experiment tracker cannot be reached or refuses what it is sent; no verdict depends on it."""


class GateError(ModelCompareError):
    """A gate cannot be evaluated fairly: no scores, no price, too few rows answered."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a suite file."""

    message: str
    line: int = 1
    """1-based."""

    column: int = 1
    """1-based."""

    width: int = 1
    """How many characters to underline."""

    hint: str | None = None
    """What to do, e.g. "did you mean `learning_rate`?"."""


class SuiteError(ModelCompareError):
    """A suite file cannot be used. Carries every problem found, in file order."""

    def __init__(self, path: str, problems: tuple[Problem, ...], source: str = "") -> None:
        super().__init__(f"{len(problems)} problem(s)", where=path)
        self.path = path
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
        self.source = source

    def __str__(self) -> str:
        lines = self.source.splitlines()
        return "\n".join(self._worded(problem, lines) for problem in self.problems)

    def _worded(self, problem: Problem, lines: list[str]) -> str:
        parts = [f"{self.path}:{problem.line}:{problem.column}: {problem.message}"]
        if 0 < problem.line <= len(lines) and len(lines[problem.line - 1]) <= 500:
            shown = lines[problem.line - 1].replace("\t", " ")
            prefix = f"{problem.line:5d} | "
            parts += [prefix + shown, " " * (len(prefix) + problem.column - 1) + "^" * max(1, problem.width)]
        if problem.hint:
            parts.append(f"  {problem.hint}")
        return "\n".join(parts)
