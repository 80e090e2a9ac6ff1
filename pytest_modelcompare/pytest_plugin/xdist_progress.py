"""Progress under pytest-xdist: workers write lines into a file, the controller shows them between pytest's own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from threading import Event, Thread
from typing import Any, Protocol

SECONDS = 0.5
"""Between two looks."""


class Writer(Protocol):
    """As much of pytest's terminal writer as this needs."""

    @property
    def width_of_current_line(self) -> int: ...

    def line(self, s: str = "") -> None: ...


class Relay:
    """Reads what workers say, in a thread of the controller, until it is closed."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        descriptor, name = tempfile.mkstemp(prefix="modelcompare-", suffix=".progress")
        os.close(descriptor)
        self.path = Path(name)
        self.ended = Event()
        self.thread = Thread(target=self.follow, name="modelcompare-progress", daemon=True)
        self.thread.start()

    def follow(self) -> None:
        with self.path.open(encoding="utf-8", errors="replace") as file:
            while not self.ended.wait(SECONDS):
                self.show(file.read())
            self.show(file.read())

    def show(self, said: str) -> None:
        """Lines of their own: dots and percentages that stand there are ended first."""
        lines = said.splitlines()
        if lines and self.writer.width_of_current_line:
            self.writer.line()
        for line in lines:
            self.writer.line(f"modelcompare: {line}")

    def close(self) -> None:
        """The last lines, then nothing more."""
        self.ended.set()
        self.thread.join()
        self.path.unlink(missing_ok=True)


def relay_for(config: Any) -> Relay | None:
    """In the controller of a run that shows progress."""
    if config.pluginmanager.getplugin("terminalreporter") is None or config.get_verbosity() < -1:
        return None
    return Relay(config.get_terminal_writer())
