"""A parsed suite file: plain values, where each stands, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_modelcompare.errors import Problem

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands, 1-based, and how wide it is."""

    line: int
    column: int
    width: int = 1


@dataclass(slots=True)
class Document:
    """A parsed file: plain values, and where each key and value stands."""

    path: str
    source: str
    data: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where a path stands; if it does not exist (a missing key), where its parent does."""
        if key and path in self.keys:
            return self.keys[path]
        if not key and path in self.values:
            return self.values[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.keys.get(path) or self.values.get(path) or Place(1, 1)

    def add(self, message: str, place: Place, hint: str | None = None) -> None:
        self.problems.append(Problem(message, place.line, place.column, place.width, hint))
