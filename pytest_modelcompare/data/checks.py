"""What is wrong with rows: leakage, duplicates, unknown labels, one class."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from pytest_modelcompare.data.alike import alike_among, alike_pairs, format_pairs
from pytest_modelcompare.data.data_settings import DataSettings
from pytest_modelcompare.data.split import fold_text
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.records.hints import first_few

SHOWN = 8
DOMINANT = 0.75
"""Share of the test rows from which one label dominates accuracy."""

FEWEST_PER_LABEL = 5


def format_rows(rows: Sequence[int]) -> str:
    """The first few row numbers."""
    return first_few(rows, SHOWN)


def leaked_rows(train_texts: Sequence[str], test_texts: Sequence[str]) -> list[int]:
    """Test rows whose text, case-folded and with white space collapsed, also stands in train."""
    known = {fold_text(text) for text in train_texts}
    return [row for row, text in enumerate(test_texts) if fold_text(text) in known]


def require_no_leak(leak: Sequence[int], n: int, limit: float, where: str) -> None:
    if len(leak) > limit * n:
        raise DataError(
            f"{len(leak):,} of {n:,} test texts ({len(leak) / n:.1%}) also stand in train; at most {limit:.0%} may",
            where=where,
            fix="split with `split: {test: 0.2}`, which keeps equal texts on one side, "
            "or raise `leakage:` if this is how your data comes",
        )


def warn_duplicates(texts: Sequence[str]) -> list[str]:
    doubled = len(texts) - len({fold_text(text) for text in texts})
    said = "1 test row repeats" if doubled == 1 else f"{doubled:,} test rows repeat"
    return [f"{said} the text of another"] if doubled else []


def warn_imbalance(labels: Sequence[str], names: Sequence[str]) -> list[str]:
    """One label that dominates accuracy; labels too rare for metrics that average over labels."""
    counts = Counter(labels)
    (largest, count), n, found = counts.most_common(1)[0], len(labels), []
    if count >= DOMINANT * n:
        found.append(
            f"{count / n:.0%} of the test rows are labelled `{largest}`: whoever always says so reaches "
            f"an accuracy of {count / n:.3f}; balanced_accuracy and f1 tell more"
        )
    rare = [name for name in names if counts[name] < FEWEST_PER_LABEL]
    if rare:
        found.append(
            f"{len(rare):,} of {len(names):,} labels have fewer than {FEWEST_PER_LABEL} test rows "
            f"({format_names(rare)}): gates on macro metrics stay undecided"
        )
    return found


def format_names(names: Sequence[str]) -> str:
    return first_few([f"`{name}`" for name in names], SHOWN)


def warn_double_labelled(texts: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Texts that carry two or more labels: nobody can get all of them right."""
    seen: dict[str, set[str]] = defaultdict(set)
    for text, label in zip(texts, labels, strict=True):
        seen[fold_text(text)].add(label)
    several = sum(len(found) > 1 for found in seen.values())
    return [f"{several:,} of {len(seen):,} distinct texts carry two or more labels"] if several else []


def require_known(labels: Sequence[str], settings: DataSettings, names: Sequence[str], where: str) -> None:
    """Every label is one of the suite's, or where it names none, of the training rows'.

    Raises:
        DataError: one is not; says which of them are known ones, spelled otherwise.
    """
    known = set(names)
    unknown = sorted({label for label in labels if label not in known})
    if unknown:
        rows = [row for row, label in enumerate(labels, 1) if label not in known]
        missing = "the training rows do not have" if settings.label_names is None else "`labels:` does not list"
        pairs = alike_pairs(unknown, (*names, *settings.codes))
        same = f"spelled in two ways: {format_pairs(pairs)}; write them alike, " if pairs else "mend the rows, "
        raise DataError(
            f"labels that {missing}: {', '.join(unknown[:SHOWN])} ({len(rows)} rows, the first is row {rows[0]})",
            where=where,
            fix=f"{same}or list every label under `labels:`",
        )


def warn_alike(names: Sequence[str]) -> list[str]:
    """Two labels that are more likely one."""
    pairs = alike_among(names)
    return [f"labels that differ in spelling alone count as different ones: {format_pairs(pairs)}"] if pairs else []


def warn_dropped(dropped: int, kept: int, rows: str) -> list[str]:
    """Rows that `empty: drop` left out.

    Args:
        rows: what they are called, such as `test rows`.
    """
    has = "has no text and is left out" if dropped == 1 else "have no text and are left out"
    return [f"{dropped:,} of {dropped + kept:,} {rows} {has}"] if dropped else []


def require_several(names: Sequence[str], labels: Sequence[str], where: str) -> None:
    if len(names) < 2 or len(set(labels)) < 2:
        raise DataError(f"every row is labelled `{labels[0]}`: there is nothing to tell apart", where=where)
