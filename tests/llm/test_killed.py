"""A session that asks an LLM and is killed, with SIGKILL, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.llm.anthropic_server import serving
from tests.llm.test_answering import World, a_dataset, key

__all__ = ["key"]

ROWS, IN_FLIGHT = 120, 4
STORY = f"""
import sys
from pathlib import Path
from types import SimpleNamespace
from tests.llm.test_answering import World, a_dataset
World(SimpleNamespace(url=sys.argv[1]), Path(sys.argv[2])).ask(a_dataset({ROWS}), max_concurrency={IN_FLIGHT})
"""


def test_a_kill_loses_only_what_was_in_flight(tmp_path: Path):
    with serving(lambda *_: {"wait": 0.01, "text": '{"label": "ham"}'}) as server:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen([sys.executable, "-c", STORY, server.url, str(tmp_path)], env=environment)
        while server.calls < ROWS // 3 and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert ROWS // 3 <= server.calls < ROWS
        answered = World(server, tmp_path).ask(a_dataset(ROWS), session="s2")
        asked_twice = [text for text, times in server.asked.items() if times > 1]
    assert len(server.asked) == ROWS
    assert len(asked_twice) <= IN_FLIGHT
    assert answered.stored >= ROWS // 3 - IN_FLIGHT
    assert len(answered.predictions.labels) == ROWS
