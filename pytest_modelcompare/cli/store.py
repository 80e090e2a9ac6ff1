"""`modelcompare store`: its size by kind; `modelcompare store prune`: what was not used for long goes."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.reports.numbers import plural
from pytest_modelcompare.store.accepted import read_accepted
from pytest_modelcompare.store.forgetting import forget_answers
from pytest_modelcompare.store.pruning import Pruned, remove, unused
from pytest_modelcompare.store.sizes import sizes

UNITS = ("B", "kB", "MB", "GB")
PLURALS = {"run": "runs", "timing": "timings", "cache": "caches", "kept answers": "kept answers"}


def run(options: argparse.Namespace) -> int:
    """Print the sizes, or prune; 1, and the reason on stderr, where that cannot be done."""
    store = Path(options.store).resolve()
    if not store.is_dir():
        print(f"{store}: there is no store\n  name it with --store", file=sys.stderr)
        return 1
    try:
        lines = prune(store, options) if options.action == "prune" else size_lines(store)
    except ModelCompareError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


def size_lines(store: Path) -> list[str]:
    found = sizes(store)
    lines = [f"{one.kind:<10} {in_words(one.size):>9}  {one.entries:,}" for one in found]
    return [str(store), *lines, f"{'total':<10} {in_words(sum(one.size for one in found)):>9}"]


def prune(store: Path, options: argparse.Namespace) -> list[str]:
    """Remove, or with `--dry-run` count, what no session has used for so many days.

    Raises:
        ModelCompareError: the store cannot be written, or an accepted record is broken.
    """
    before = datetime.now(UTC) - timedelta(days=options.older_than)
    kept = accepted_runs(Path.cwd()) if options.keep_accepted else set()
    by_kind: dict[str, list[Pruned]] = defaultdict(list)
    for one in list(unused(store, before, kept)):
        by_kind[one.kind].append(one)
        if not options.dry_run:
            remove(store, one)
    verb = "would go" if options.dry_run else "gone"
    lines = []
    for kind, found in by_kind.items():
        size = in_words(sum(one.size for one in found))
        lines.append(f"{len(found):,} {kind if len(found) == 1 else PLURALS[kind]} {verb}, {size}")
    if options.answers:
        lines.append(f"{plural(forget_answers(store, before, dry=options.dry_run), 'LLM answer')} {verb}")
    return lines or [f"nothing in {store} is older than {options.older_than:g} days and unused"]


def accepted_runs(folder: Path) -> set[str]:
    """Fingerprints that the accepted records below a folder name.

    Raises:
        StoreError: a record is broken.
    """
    entries = [entry for path in folder.rglob("*.accepted.json") for entry in read_accepted(path).entries.values()]
    return {model for entry in entries for figure in (entry.first, entry.latest) for model in figure.models}


def in_words(size: float) -> str:
    """Bytes in powers of 1,000."""
    for unit in UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} {UNITS[-1]}"
