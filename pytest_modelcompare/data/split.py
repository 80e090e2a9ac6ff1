"""Seeded, stratified samples, and splits that keep groups and equal texts on one side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from pytest_modelcompare.errors import DataError


def fold_text(text: str) -> str:
    """A text as leakage and duplicates compare it: case-folded, white space collapsed."""
    return " ".join(text.casefold().split())


def stratified_sample(labels: Sequence[str], rows: int, seed: int, where: str) -> list[int]:
    """Row numbers of a sample in which every label keeps its share, in file order.

    Labels get their share rounded by largest remainder.
    """
    n = len(labels)
    if rows > n:
        raise DataError(f"{rows:,} rows are asked for, and there are {n:,}", where=where)
    by_label = rows_by(labels)
    quota = {label: rows * len(members) / n for label, members in by_label.items()}
    take = {label: int(share) for label, share in quota.items()}
    by_remainder = sorted(quota, key=lambda label: (take[label] - quota[label], str(label)))
    for label in by_remainder[: rows - sum(take.values())]:
        take[label] += 1
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    for label, members in by_label.items():
        chosen += rng.permutation(members)[: take[label]].tolist()
    return sorted(chosen)


def rows_by(keys: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        found[key].append(row)
    return found


def inseparable_rows(texts: Sequence[str], groups: Sequence[Hashable] | None) -> list[list[int]]:
    """Rows that must stay together: of equal text, of one group, and whatever these chain to."""
    parent = list(range(len(texts)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for keys in ([fold_text(text) for text in texts], groups):
        if keys is None:
            continue
        for members in rows_by(keys).values():
            for row in members[1:]:
                parent[root(row)] = root(members[0])
    return list(rows_by([root(row) for row in range(len(texts))]).values())


def split_rows(
    texts: Sequence[str], labels: Sequence[str], groups: Sequence[Hashable] | None, share: float, seed: int
) -> tuple[list[int], list[int]]:
    """Row numbers of the larger and of the smaller part, each in file order.

    Whole units are dealt out in a seeded order, large ones first, each to the part
    that misses most of the unit's labels.
    """
    n_test = max(1, round(share * len(texts)))
    wanted = {label: share * len(members) for label, members in rows_by(labels).items()}
    have: dict[Hashable, float] = dict.fromkeys(wanted, 0.0)
    together = inseparable_rows(texts, groups)
    order = np.random.default_rng(seed).permutation(len(together))
    test: list[int] = []
    for number in sorted(order.tolist(), key=lambda unit: -len(together[unit])):
        members = together[number]
        missing = sum(wanted[labels[row]] - have[labels[row]] for row in members) / len(members)
        if missing >= len(members) / 2 and len(test) + len(members) <= n_test + len(members) // 2:
            test += members
            for row in members:
                have[labels[row]] += 1
    if len(together) == 1:
        raise DataError("the rows cannot be split: all of them belong together", fix="check `group`, or split by hand")
    if not test or len(test) == len(texts):
        what = f"{len(texts):,} rows of {len(wanted):,} labels are too few to set {share:.0%} of each label aside"
        raise DataError(what, fix="give more rows of each label, a larger share, or `test:` rows of their own")
    chosen = set(test)
    return [row for row in range(len(texts)) if row not in chosen], sorted(test)
