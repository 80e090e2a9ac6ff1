"""Progress on a terminal: a bar for each running job, above them a line for each that is done."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import IO, TYPE_CHECKING

from pytest_modelcompare.pytest_plugin.pace import Pace, in_minutes
from pytest_modelcompare.records.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import ProgressColumn

WIDE = 100
"""Columns from which there is room for the time that is gone."""

CLEAR_LINE = "\r\x1b[2K"


class BarWatcher:
    """For terminals; any number of jobs at once, from any thread."""

    def __init__(
        self, stream: IO[str], unfinished: Callable[[], str] = str, *, colour: bool = True, takes_output: bool = False
    ) -> None:
        """
        Args:
            unfinished: what stands on pytest's line that is not ended yet.
            takes_output: what is printed while bars are shown goes above them; for `-s`, where pytest does not take it.
        """
        self.stream = stream
        self.unfinished = unfinished
        self.colour = colour
        self.takes_output = takes_output
        self.bars: Bars | None = None
        self.holders = 0
        self.lock = RLock()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Bars stay while this is open, and while a job runs; afterwards pytest's line is as it was."""
        with self.lock:
            self.holders += 1
        try:
            yield
        finally:
            with self.lock:
                self.holders -= 1
                if self.holders == 0 and self.bars is not None:
                    self.bars.stop()
                    self.bars = None
                    self.stream.write(self.unfinished())
                    self.stream.flush()

    @contextmanager
    def job(self, title: str) -> Iterator[Callable[[Progress], None]]:
        with self.working():
            bars = self.shown_bars()
            pace = Pace(time.monotonic)
            task = bars.add_task(title, total=None, note="", left="")

            def tell(progress: Progress) -> None:
                pace.note(progress)
                bars.update(
                    task,
                    completed=progress.done,
                    total=progress.total,
                    note=progress.note,
                    left="" if pace.left_s is None else f"{in_minutes(pace.left_s)} left",
                )

            try:
                yield tell
                bars.print(f"  {title}: {time.monotonic() - pace.started:.1f} s", highlight=False, markup=False)
            finally:
                bars.remove_task(task)

    def shown_bars(self) -> Bars:
        """The bars, begun below what pytest has written."""
        with self.lock:
            if self.bars is None:
                from rich.console import Console
                from rich.progress import Progress as Bars
                from rich.theme import Theme

                width, height = window(self.stream)
                console = Console(
                    file=self.stream,
                    width=width,
                    height=height,
                    no_color=not self.colour,
                    force_terminal=True,
                    legacy_windows=False,
                    theme=Theme({"progress.elapsed": "none"}),  # rich's yellow is lost on a light background
                )
                self.leave_line(console.width)
                self.bars = Bars(
                    *columns(console),
                    console=console,
                    transient=True,
                    expand=True,
                    redirect_stdout=self.takes_output,
                    redirect_stderr=self.takes_output,
                )
                self.bars.start()
            return self.bars

    def leave_line(self, width: int) -> None:
        """Take pytest's unfinished line away for now; one that the terminal has wrapped stays."""
        line = self.unfinished()
        if line:
            self.stream.write(CLEAR_LINE if len(line) < width else "\n")


def window(stream: IO[str]) -> tuple[int, int]:
    """Columns and lines of the terminal; rich asks standard input and output, which pytest has taken away."""
    try:
        return os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):  # no terminal: in tests
        return shutil.get_terminal_size()


def columns(console: Console) -> tuple[ProgressColumn, ...]:
    """Title, bar, numbers, times, and what room is left for the note."""
    from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    wide = console.width >= WIDE
    title = Column(no_wrap=True, overflow="ellipsis", max_width=console.width * 2 // 5 if wide else 28)
    return (
        TextColumn("  {task.description}", markup=False, table_column=title),
        BarColumn(20 if wide else 8),
        *([MofNCompleteColumn(), TimeElapsedColumn()] if wide else [TaskProgressColumn()]),
        TextColumn("{task.fields[left]}", markup=False, table_column=Column(no_wrap=True)),
        TextColumn(
            "{task.fields[note]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
        ),
    )
