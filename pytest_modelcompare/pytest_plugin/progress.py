"""How this run shows its jobs: bars on a terminal, lines in a log, nothing under `-qq`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Protocol

import pytest

from pytest_modelcompare.pytest_plugin.progress_bars import BarWatcher
from pytest_modelcompare.pytest_plugin.progress_lines import LineWatcher
from pytest_modelcompare.records.progress import Unwatched, Watcher

DUMB = ("dumb", "unknown")
RELAY = "modelcompare_progress"
"""Under this name a worker of pytest-xdist is told the file that its controller shows lines of."""


class Screen(Watcher, Protocol):
    """A watcher that shares the terminal with pytest."""

    def working(self) -> AbstractContextManager[None]:
        """While this is open, jobs may be shown; afterwards pytest goes on as if nothing had been."""


class Nothing(Unwatched):
    """Shows nothing."""

    def working(self) -> AbstractContextManager[None]:
        return nullcontext()


def watcher_for(config: pytest.Config) -> Screen:
    """How this process shows its jobs."""
    if config.get_verbosity() < -1:
        return Nothing()
    if hasattr(config, "workerinput"):
        return relayed(config.workerinput)
    stream = uncaptured_stdout()
    if stream is None:
        return Nothing()
    unfinished = unfinished_line(config)
    if not is_watched(stream, os.environ):
        return LineWatcher(stream, unfinished=unfinished)
    colour = config.option.color != "no" and not os.environ.get("NO_COLOR")
    return BarWatcher(stream, unfinished, colour=colour, takes_output=config.option.capture == "no")


def relayed(workerinput: Mapping[str, object]) -> Screen:
    """A worker has no terminal: its lines go into a file that the controller reads."""
    path = Path(str(workerinput.get(RELAY, "")))
    if not path.is_file():  # none was told, or it lies on another machine
        return Nothing()
    return LineWatcher(path.open("a", encoding="utf-8"), prefix=f"[{workerinput['workerid']}] ")


def is_watched(stream: IO[str], environment: Mapping[str, str]) -> bool:
    """Whether somebody looks on at a terminal that can move its cursor; CI services keep what bars leave behind."""
    return stream.isatty() and environment.get("TERM", "").lower() not in DUMB and not environment.get("CI")


def unfinished_line(config: pytest.Config) -> Callable[[], str]:
    """What pytest has written since the last end of a line."""

    def text() -> str:
        writer = getattr(config.pluginmanager.getplugin("terminalreporter"), "_tw", None)
        return str(getattr(writer, "_current_line", ""))

    return text


def uncaptured_stdout() -> IO[str] | None:
    """A copy of standard output that pytest's capturing does not redirect; None where there is no such file."""
    try:
        descriptor = os.dup(sys.__stdout__.fileno()) if sys.__stdout__ else None
    except (OSError, ValueError):  # closed, or replaced by something that is no file
        return None
    return None if descriptor is None else os.fdopen(descriptor, "w", encoding="utf-8", errors="replace")
