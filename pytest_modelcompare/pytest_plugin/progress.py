"""Progress while jobs run: bars on a terminal, a plain line now and then in a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import pytest

from pytest_modelcompare.contestants.base import Progress
from pytest_modelcompare.execution.watch import Unwatched, Watcher

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

SECONDS_BETWEEN_LINES = 15.0


def watcher_for(config: pytest.Config) -> Watcher:
    """Bars where somebody looks at a terminal, lines in a log, nothing in an xdist worker or under `-qq`."""
    if hasattr(config, "workerinput") or config.get_verbosity() < -1:
        return Unwatched()
    stream = uncaptured_stdout()
    if stream is None:
        return Unwatched()
    return BarWatcher(stream) if stream.isatty() else LineWatcher(stream)


def uncaptured_stdout() -> IO[str] | None:
    """A copy of standard output that pytest's capturing does not redirect; None where there is no such file."""
    try:
        descriptor = os.dup(sys.__stdout__.fileno()) if sys.__stdout__ else None
    except (OSError, ValueError):  # closed, or replaced by something that is no file
        return None
    return None if descriptor is None else os.fdopen(descriptor, "w", encoding="utf-8", errors="replace")


class LineWatcher:
    """For logs: one line when a job starts, one per epoch and now and then, one when it ends."""

    def __init__(self, stream: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.clock = clock
        self.begun = False

    @contextmanager
    def job(self, title: str) -> Iterator[Callable[[Progress], None]]:
        started = said = self.clock()
        self.say(f"{title} …")

        def tell(progress: Progress) -> None:
            nonlocal said
            now = self.clock()
            if progress.milestone or now - said >= SECONDS_BETWEEN_LINES:
                said = now
                self.say(f"{title}: {in_words(progress)}, {now - started:.0f} s")

        yield tell
        self.say(f"{title}: done in {self.clock() - started:.1f} s")

    def say(self, line: str) -> None:
        # pytest's own line is unfinished when the first job starts; from then on every line ends itself
        self.stream.write(f"{'' if self.begun else chr(10)}modelcompare: {line}\n")
        self.begun = True
        self.stream.flush()


class BarWatcher:
    """For terminals: one bar per running job, gone when it is done."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self.bars: Bars | None = None
        self.running = 0

    @contextmanager
    def job(self, title: str) -> Iterator[Callable[[Progress], None]]:
        bars = self.shown_bars()
        task = bars.add_task(title, total=None, note="")
        self.running += 1
        started = time.monotonic()
        try:
            yield lambda progress: bars.update(task, completed=progress.done, total=progress.total, note=progress.note)
            bars.print(f"  {title}: {time.monotonic() - started:.1f} s", highlight=False, markup=False)
        finally:
            bars.remove_task(task)
            self.running -= 1
            if self.running == 0:
                bars.stop()
                self.bars = None

    def shown_bars(self) -> Bars:
        if self.bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bars

            columns = (
                TextColumn("  {task.description}", markup=False),
                BarColumn(20),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}", markup=False),
            )
            self.stream.write("\n")
            self.bars = Bars(*columns, console=Console(file=self.stream), transient=True)
            self.bars.start()
        return self.bars


def in_words(progress: Progress) -> str:
    note = f", {progress.note}" if progress.note else ""
    return f"{progress.done} of {progress.total}{note}"
