"""`modelcompare power SUITE…`: how likely each gate is to pass if it is true, before anything is spent."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from pytest_modelcompare.data.data_settings import as_source
from pytest_modelcompare.data.rows import load_dataset
from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.records import Dataset
from pytest_modelcompare.reports.power_table import power_lines, powers_of
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.suite.load import load_suite
from pytest_modelcompare.suite.model import Suite


def run(options: argparse.Namespace) -> int:
    """Print each suite's table, problems to stderr; 1 if a suite or its data has some."""
    status = 0
    width = shutil.get_terminal_size().columns
    for name in options.suites:
        try:
            suite = load_suite(Path(name))
            dataset = loaded(suite, Path(options.store))
        except ModelCompareError as error:
            print(error, file=sys.stderr)
            status = 1
            continue
        print(f"{suite.name}: {len(dataset.test):,} test rows, {len(dataset.labels)} labels, {len(suite.gates)} gates")
        powers = powers_of(suite, dataset, suite.gates, options.discordance)
        print("\n".join(power_lines(powers, width)))
    return status


def loaded(suite: Suite, store: Path) -> Dataset:
    """The suite's data. The store is made only where something is downloaded into it.

    Raises:
        ModelCompareError: it cannot be loaded.
    """
    folders = StoreFolders(store.resolve())
    sources = [as_source(source) for source in (suite.data.train, suite.data.test) if source is not None]
    remote = any("://" in source.path for source in sources)
    downloads = folders.downloads if remote else folders.root / "downloads"
    return load_dataset(suite.data, suite.path.parent, downloads)
