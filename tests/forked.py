"""Runs of pytest that start at once: forked from a process in which the libraries that take seconds to load are loaded.

What is forked is pytest as `python -m pytest` starts it, in its own folder and with its own environment: this project,
torch and whatever reads its environment when it is imported are not loaded beforehand.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import IO

import pytest

LOADED_BEFOREHAND = (
    "scipy.optimize",
    "scipy.stats",
    "sklearn.feature_extraction.text",
    "sklearn.linear_model",
    "pydantic",
    "rich.console",
    "ruamel.yaml",
    "anthropic",
    "openai",
)


def run_pytest(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """As `pytester.runpytest_subprocess`, without the seconds that a new process takes to load its libraries."""
    base = pytester.mkdir(f"runpytest-{time.monotonic_ns()}")
    streams = [pytester.path / name for name in ("stdout", "stderr")]
    started = time.monotonic()
    # anyio is loaded beforehand, and its plugin would warn of that
    status = server().run([f"--basetemp={base}", "-p", "no:anyio", *arguments], Path.cwd(), streams)
    out, err = (path.read_text(encoding="utf-8").splitlines() for path in streams)
    for lines, stream in ((out, sys.stdout), (err, sys.stderr)):
        print("\n".join(lines), file=stream)
    with contextlib.suppress(ValueError):
        status = pytest.ExitCode(status)
    return pytest.RunResult(status, out, err, time.monotonic() - started)


@cache
def server() -> Server:
    """One for each process that runs tests."""
    return Server()


class Server:
    """The process that forks; it ends with the one that started it."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).resolve())]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, arguments: list[str], folder: Path, streams: list[Path]) -> int:
        """The exit status of pytest, or minus the signal that ended it."""
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
        }
        wanted = [arguments, str(folder), dict(environment), list(map(str, streams))]
        asked, told = self.process.stdin, self.process.stdout
        assert asked is not None
        assert told is not None
        print(json.dumps(wanted), file=asked, flush=True)
        return os.waitstatus_to_exitcode(int(told.readline()))


def serve(asked: IO[str], told: IO[str]) -> None:
    """Fork for each line that is asked, and say how it ended."""
    import gc

    for name in LOADED_BEFOREHAND:
        importlib.import_module(name)
    gc.freeze()  # what is loaded is not to be searched, and copied, by every child
    for line in asked:
        child = os.fork()
        if child == 0:
            become_pytest(*json.loads(line))
        _, status = os.waitpid(child, 0)
        print(status, file=told, flush=True)


def become_pytest(arguments: list[str], folder: str, environment: dict[str, str], streams: list[str]) -> None:
    """Ends the process."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in enumerate(streams, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.argv = ["pytest", *arguments]
    sys.path[0] = folder
    sys.exit(pytest.main())


if __name__ == "__main__":
    # what children print goes to their own streams, never between the answers
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, answers)
