"""`modelcompare answers import FILE`: a recording's answers into a store."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_modelcompare.errors import StoreError
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.recordings import HELPER, read_recording


def run(options: argparse.Namespace) -> int:
    """Take over what the store does not hold; what it holds stays.

    Raises:
        StoreError: the recording is not there or broken, or the store cannot be written.
    """
    path = Path(options.file)
    records = read_recording(path)
    if records is None:
        raise StoreError("there is no such recording", where=str(path))
    journal = AnswerJournal(StoreFolders(Path(options.store).resolve()))
    new = {key: record for key, record in records.items() if journal.get(key) is None}
    for key, record in new.items():
        journal.put(key, record)
    taken, total = (sum(HELPER not in key for key in some) for some in (new, records))
    print(f"{path}: {taken:,} answers taken over, {total - taken:,} were there")
    return 0
