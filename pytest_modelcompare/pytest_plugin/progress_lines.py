"""Progress in a log: a line when a job starts, one per epoch and per tenth, one when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import IO

from pytest_modelcompare.pytest_plugin.pace import Pace, in_minutes, tenth
from pytest_modelcompare.records.printable import obeyed_by_none, printable
from pytest_modelcompare.records.progress import Progress

LEAST_SECONDS = 5.0
"""Between two lines of one job that are no end of an epoch."""

MOST_SECONDS = 300.0
"""A job says something this often: CI services end what is silent for ten minutes."""


class LineWatcher:
    """For logs; any number of jobs at once, each line whole."""

    def __init__(
        self,
        stream: IO[str],
        clock: Callable[[], float] = time.monotonic,
        unfinished: Callable[[], str] = str,
        prefix: str = "modelcompare: ",
    ) -> None:
        """
        Args:
            unfinished: what stands on pytest's line that is not ended yet.
        """
        self.stream = stream
        self.clock = clock
        self.unfinished = unfinished
        self.prefix = prefix
        self.lock = RLock()
        self.begun = False

    @contextmanager
    def working(self) -> Iterator[None]:
        """While jobs may run; afterwards pytest's line is as it was."""
        try:
            yield
        finally:
            with self.lock:
                if self.begun:
                    self.write(self.unfinished())
                self.begun = False

    @contextmanager
    def job(self, title: str) -> Iterator[Callable[[Progress], None]]:
        pace = Pace(self.clock)
        said, tenths = pace.started, 0
        self.say(f"{title} …")

        def tell(progress: Progress) -> None:
            nonlocal said, tenths
            pace.note(progress)
            since = pace.started + pace.elapsed_s - said
            if progress.milestone or since >= MOST_SECONDS or (tenth(progress) != tenths and since >= LEAST_SECONDS):
                said, tenths = said + since, tenth(progress)
                self.say(f"{title}: {in_words(progress, pace)}")

        yield tell
        self.say(f"{title}: done in {self.clock() - pace.started:.1f} s")

    def say(self, line: str) -> None:
        """One line, whichever thread says it."""
        with self.lock:
            if not self.begun and self.unfinished():
                self.stream.write("\n")
            self.begun = True
            self.write(obeyed_by_none(f"{self.prefix}{printable(line)}\n"))

    def write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def in_words(progress: Progress, pace: Pace) -> str:
    """E.g. `120 of 300, epoch 2 of 3, loss 0.412, 12 s, 0:18 left`."""
    left = pace.left_s if progress.done < progress.total else None
    parts = [f"{progress.done:,} of {progress.total:,}", progress.note, f"{pace.elapsed_s:.0f} s"]
    parts += [] if left is None else [f"{in_minutes(left)} left"]
    return ", ".join(part for part in parts if part)
