"""`modelcompare export SUITE CONTESTANT DIR`: a trained contestant as a folder that others can load."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from uuid import uuid4

from pytest_modelcompare.errors import ModelCompareError, ModelError, StoreError
from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.planning import read_rows
from pytest_modelcompare.execution.sweep import best
from pytest_modelcompare.execution.timed import find_or_measure
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.local import run_orders, stored_run
from pytest_modelcompare.methods.registry import local_method_of
from pytest_modelcompare.records import Run
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Unwatched
from pytest_modelcompare.reports.model_card import model_card
from pytest_modelcompare.store.digests import require_unchanged
from pytest_modelcompare.suite.load import load_suite


def run(options: argparse.Namespace) -> int:
    """Write the folder and say where; problems to stderr, and 1."""
    try:
        written = export(
            Path(options.suite), options.contestant, Path(options.folder), Path(options.store).resolve(), options.seed
        )
    except ModelCompareError as error:
        print(error, file=sys.stderr)
        return 1
    print(written)
    return 0


def export(suite_path: Path, name: str, folder: Path, store: Path, seed: int | None) -> str:
    """Copy a stored model with its tokenizer and a model card; returns what was done, in words.

    Raises:
        ModelCompareError: the suite, its data or the contestant is not in order, or nothing of it is stored.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreError("there is something already", where=str(folder), fix="name a folder that is new or empty")
    suite = load_suite(suite_path)
    comparison = Comparison(suite, Options(store, f"export-{uuid4()}"), Ledger())
    named = exportable(comparison, name)
    read_rows(comparison)
    if comparison.data_error is not None:
        raise comparison.data_error
    spec = selected(comparison, named)
    found = trained(comparison, spec, seed)
    require_unchanged(found.folder)
    comparison.runs[spec.name] = [found]
    names = frozenset({spec.name})
    find_or_measure(comparison, Needs(names, False, names), Unwatched())
    shutil.copytree(found.folder / "model", folder, dirs_exist_ok=True)
    card = model_card(comparison, spec, found)
    (folder / "README.md").write_text(card, encoding="utf-8")
    return f"{spec.name}, seed {found.seed}, of {found.created[:10]} is in {folder}"


def exportable(comparison: Comparison, name: str) -> ContestantSpec:
    """The contestant, where it has weights that others can load.

    Raises:
        ModelError: there is none of that name, or it has none.
    """
    specs = comparison.suite.contestants
    where = str(comparison.suite.path)
    if name not in specs:
        raise ModelError(f"no contestant `{name}`", where=where, fix=f"there are {', '.join(specs)}")
    spec = specs[name]
    method = local_method_of(spec)
    if method is None or not method.is_exported:
        fix = "export a `fine_tune` contestant"
        raise ModelError(f"`{name}` is {spec.method}, which no other library loads", where=where, fix=fix)
    return spec


def selected(comparison: Comparison, spec: ContestantSpec) -> ContestantSpec:
    """What the name stands for: of a sweep, the member that is best on validation, all of which must be stored.

    Raises:
        StoreError: a member is not in the store.
    """
    if not spec.members:
        return spec
    specs = comparison.suite.contestants
    for name in spec.members:
        comparison.runs[name] = [trained(comparison, specs[name], seed) for seed in specs[name].seeds]
    assert comparison.dataset is not None
    runs = {name: comparison.runs[name] for name in spec.members}
    comparison.selections[spec.name] = best(spec.members, runs, comparison.dataset)
    return comparison.spec_of(spec.name)


def trained(comparison: Comparison, spec: ContestantSpec, seed: int | None) -> Run:
    """The stored run of a seed, by default the first.

    Raises:
        StoreError: it is not in the store.
    """
    method = local_method_of(spec)
    assert comparison.dataset is not None
    assert method is not None
    orders = {one.seed: one for one in run_orders(spec, method, comparison.dataset, comparison.base)}
    chosen = next(iter(orders)) if seed is None else seed
    if chosen not in orders:
        seeds = ", ".join(map(str, orders))
        raise StoreError(f"`{spec.name}` has no seed {chosen}", where=str(comparison.suite.path), fix=f"it has {seeds}")
    found = stored_run(orders[chosen], comparison.store, comparison.options)
    if found is None:
        raise StoreError(
            f"`{spec.name}` with seed {chosen} was not trained, or the suite has changed since",
            where=str(comparison.options.store),
            fix=f"train it first: pytest --modelcompare {comparison.suite.path.name}, or name the store with --store",
        )
    return found
