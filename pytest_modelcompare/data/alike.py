"""Labels that differ only in how they are written."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pytest_modelcompare.records.hints import first_few
from pytest_modelcompare.records.printable import printable

SHOWN = 5
WHOLE = re.compile(r"([+-]?\d+)\.0*")
INVISIBLE = "Cf"
"""Unicode's category of characters that show nothing, such as a zero-width space."""


def without_spaces(label: str) -> str:
    """White space collapsed, what is invisible left out."""
    return " ".join("".join(one for one in label if unicodedata.category(one) != INVISIBLE).split())


def as_whole_number(label: str) -> str:
    """1.0 as 1: what a column of numbers becomes where one cell is missing."""
    return WHOLE.sub(r"\1", label) if WHOLE.fullmatch(label) else label


FORMS: dict[str, Callable[[str], str]] = {
    "Unicode form": lambda label: unicodedata.normalize("NFKC", label),
    "spaces": without_spaces,
    "case": str.casefold,
    "how a number is written": as_whole_number,
}
"""What labels may differ by, and how it is made the same; in the order in which all of them are."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Two spellings of one label."""

    one: str
    other: str
    by: tuple[str, ...]
    """Those of `FORMS` without which they stay apart; where several of them would do, the first."""

    def __str__(self) -> str:
        return f"`{printable(self.one)}` and `{printable(self.other)}` ({' and '.join(self.by)})"


def plainest_spelling(label: str, leave_out: str | None = None) -> str:
    for form, made_same in FORMS.items():
        if form != leave_out:
            label = made_same(label)
    return label


def compare_spelling(one: str, other: str) -> Alike:
    needed = tuple(form for form in FORMS if plainest_spelling(one, form) != plainest_spelling(other, form))
    enough = tuple(form for form, made_same in FORMS.items() if made_same(one) == made_same(other))
    return Alike(one, other, needed or enough[:1])


def alike_pairs(labels: Iterable[str], known: Iterable[str]) -> list[Alike]:
    """Labels that are not known as they are spelled, each with the known one that differs in spelling alone."""
    known = list(dict.fromkeys(known))
    plain = {plainest_spelling(label): label for label in reversed(known)}
    unknown = [label for label in dict.fromkeys(labels) if label not in set(known)]
    return [
        compare_spelling(label, plain[plainest_spelling(label)])
        for label in unknown
        if plainest_spelling(label) in plain
    ]


def alike_among(labels: Sequence[str]) -> list[Alike]:
    """Distinct labels of one source that differ in spelling alone."""
    members: dict[str, list[str]] = defaultdict(list)
    for label in dict.fromkeys(labels):
        members[plainest_spelling(label)].append(label)
    return [compare_spelling(first, other) for first, *others in members.values() for other in others]


def format_pairs(pairs: Sequence[Alike]) -> str:
    """The first few of them."""
    return first_few(pairs, SHOWN)
