"""The tests that need the device."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ENDED = re.compile(r"::(?P<name>\S+) (?P<how>PASSED|FAILED|ERROR|SKIPPED)")


def run_tests(log: Path, *, tiny: bool) -> Iterator[dict[str, Any]]:
    """How they ended so far, after each; the long ones last. With tiny sizes they are only collected.

    Args:
        log: the file that gets all that pytest prints.
    """
    command = [sys.executable, "-m", "pytest", "tests/gpu", "-v", "--tb=short", "-p", "no:cacheprovider"]
    found: dict[str, Any] = {"passed": [], "failed": [], "error": [], "skipped": [], "exit_codes": []}
    for marks in ("gpu and not slow", "gpu and slow"):
        with (
            log.open("a", encoding="utf-8") as file,
            subprocess.Popen(
                [*command, "-m", marks, *(["--co"] if tiny else [])], cwd=ROOT, stdout=subprocess.PIPE, text=True
            ) as running,
        ):
            assert running.stdout is not None
            for line in running.stdout:
                file.write(line)
                file.flush()
                if ended := ENDED.search(line):
                    found[ended["how"].lower()].append(ended["name"])
                    yield found
        found["exit_codes"].append(running.returncode)
        yield found
