"""`modelcompare answers batches [--forget ID]`: which batches of requests are under way, and a way to give one up."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.reports.numbers import plural
from pytest_modelcompare.store.batches import BatchLog, SentBatch
from pytest_modelcompare.store.folders import StoreFolders


def run(options: argparse.Namespace) -> int:
    """List the batches that were not collected; nothing is asked, and none is cancelled at the service.

    Raises:
        LLMError: the one to be forgotten is not among them.
        StoreError: the store cannot be read or written.
    """
    store = Path(options.store).resolve()
    log = BatchLog(StoreFolders(store))
    waiting = [one for one in log.under_way() if one.batch]
    if options.forget is not None:
        lost = next((one for one in waiting if one.batch == options.forget), None)
        if lost is None:
            known = ", ".join(one.batch for one in waiting)
            raise LLMError(
                f"no batch `{options.forget}` is under way",
                where=str(store),
                fix=f"under way are {known}" if known else "no batch is",
            )
        log.closed(lost.service, lost.batch)
        print(f"{line(lost)}: given up; what it holds is not collected, its requests are asked, and paid, once more")
        return 0
    print("\n".join(map(line, waiting)) if waiting else f"{store}: no batch is under way")
    return 0


def line(one: SentBatch) -> str:
    sent = f", sent {one.at:%Y-%m-%d %H:%M} UTC" if one.at is not None else ""
    return f"{one.batch}: {plural(len(one.keys), 'request')} to {one.service}{sent}"
