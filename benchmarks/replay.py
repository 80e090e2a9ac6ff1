"""How long 3,080 stored LLM answers take to replay: `python benchmarks/replay.py`.

Compares Conversation.run in replay mode with reading the same journal by json.loads alone.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from pytest_modelcompare.llm.answering import conversation
from pytest_modelcompare.llm.answers import LLMOptions
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompting import prompt_plan
from pytest_modelcompare.llm.prompts import requests_for
from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.pricing.price_list import Usage
from pytest_modelcompare.records import Dataset, Rows
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.folders import StoreFolders

ROWS = 3_080


def main() -> None:
    labels = tuple(f"label{number:02d}" for number in range(77))
    rows = Rows(tuple(f"text number {n}" for n in range(ROWS)), np.arange(ROWS) % 77, tuple(map(str, range(ROWS))))
    dataset = Dataset(labels, {}, None, None, rows, "d")
    settings = PromptSettings(model="anthropic:claude-haiku-5-5")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal = AnswerJournal(StoreFolders(folder))
        for request in requests_for(prompt_plan(settings, dataset, journal, folder), dataset):
            answer = Reply(
                '{"label": "label07"}', "end_turn", Usage(500, 10), 200.0, datetime.now(UTC).isoformat(), "s"
            )
            journal.put(request.key(), answer.as_record())
        replays, reads = [], []
        for _ in range(5):
            started = time.perf_counter()
            fresh = AnswerJournal(StoreFolders(folder))
            conversation(settings, dataset, fresh, folder).run(LLMOptions("replay", 0, "t"))
            replays.append(time.perf_counter() - started)
            started = time.perf_counter()
            [json.loads(line) for line in journal.path.open(encoding="utf-8")]
            reads.append(time.perf_counter() - started)
    replay, read = statistics.median(replays), statistics.median(reads)
    print(f"replay of {ROWS:,} answers {replay:.2f} s, bare json {read:.3f} s, ratio {replay / read:.1f}")
    print("anthropic imported:", "anthropic" in sys.modules)


if __name__ == "__main__":
    main()
