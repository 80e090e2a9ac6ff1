"""Asking LLMs, measured on a service on loopback: `python benchmarks/llm.py [--quick]`.

The service runs in a process of its own and bills by a tokenizer that the plan cannot see. Each figure is compared
with what is ideal: the latency alone, the service's limit, the service's own bill.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from pytest_modelcompare.llm.answering import conversation
from pytest_modelcompare.llm.answers import LLMOptions
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.retries import Retries
from pytest_modelcompare.records import Dataset, Rows
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.folders import StoreFolders
from tests.llm.anthropic_server import KEY, AnthropicServer, serving
from tests.llm.service_limits import RequestLimit

MODEL = "anthropic:claude-haiku-5-5"
LABELS = tuple(
    f"{verb}_{thing}" for verb in ("lost", "late", "failed", "pending") for thing in ("card", "top_up", "fee")
)
SENTENCE = "my card has not come yet and the transfer I made last week is still pending could you check it please"
WORDS = SENTENCE.split()
LATENCY_S = 0.2
FAULTS: list[dict[str, Any]] = [
    {"status": 429, "retry_after": 0.2},
    {"status": 529},
    {"status": 500},
    {"drop": True},
    {"page": b"<html>bad gateway</html>"},
    {"text": "", "stop_reason": "refusal"},
    {"text": '{"label": "lo', "stop_reason": "max_tokens"},
]


def steady(text: str, times: int) -> Any:  # noqa: ARG001
    return {"wait": LATENCY_S, "text": json.dumps({"label": LABELS[len(text) % len(LABELS)]})}


def faulty(text: str, times: int) -> Any:
    """30 % of all responses are no proper answer."""
    dice = random.Random(f"{text} {times}")
    return dice.choice(FAULTS) if dice.random() < 0.3 else steady(text, times) | {"wait": 0.02}


def serve(pipe: Connection, script: Callable[[str, int], Any], limit: dict[str, Any] | None, counts: bool) -> None:
    """The service; tells its address, and at the end what it saw."""
    answered: set[str] = set()
    late = 0

    def watched(text: str, times: int) -> Any:
        nonlocal late
        late += text in answered
        found = script(text, times)
        if "text" in found:
            answered.add(text)
        return found

    with serving(watched) as server:
        server.limit = None if limit is None else RequestLimit(**limit)
        server.counts = counts
        pipe.send(server.url)
        pipe.recv()
        pipe.send(facts(server, late))


def facts(server: AnthropicServer, late: int) -> dict[str, Any]:
    refused = server.limit.refused if server.limit else 0
    return {"calls": server.calls + refused, "refused": refused, "late": late, "usd": server.bill_usd(MODEL)}


@contextmanager
def service(
    script: Callable[[str, int], Any], limit: dict[str, Any] | None = None, counts: bool = True
) -> Iterator[Any]:
    """The address, and a function that ends the service and gives what it saw."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=serve, args=(there, script, limit, counts))
    process.start()

    def ended() -> dict[str, Any]:
        here.send("end")
        found: dict[str, Any] = here.recv()
        return found

    try:
        yield here.recv(), ended
    finally:
        process.terminate()
        process.join()


def dataset(rows: int) -> Dataset:
    dice = random.Random(5)
    texts = tuple(f"{' '.join(dice.choices(WORDS, k=dice.randint(5, 30)))} {row}" for row in range(rows))
    return Dataset(
        LABELS, {}, None, None, Rows(texts, np.arange(rows) % len(LABELS), tuple(map(str, range(rows)))), "d"
    )


def session(url: str, rows: int, retries: Retries | None = None, **settings: Any) -> tuple[float, float, float, Any]:
    """Seconds, USD by the plan, USD spent, answers."""
    spent: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        journal = AnswerJournal(StoreFolders(Path(folder)))
        options = LLMOptions("auto", 5.0, "s", retries=retries or Retries(), note=lambda usd, _: spent.append(usd))
        wanted, data = PromptSettings(model=MODEL, base_url=url, **settings), dataset(rows)
        plan = conversation(wanted, data, journal, Path(folder)).plan(options)
        started = time.perf_counter()
        answered = conversation(wanted, data, journal, Path(folder)).run(options)
        return time.perf_counter() - started, plan.usd_estimate, sum(spent), answered


def throughput(rows: int) -> None:
    """Beside the SDK's client alone, which prices, stores and paces nothing."""
    ideal = rows * LATENCY_S / 32
    with service(steady) as (url, _):
        before = time.process_time()
        seconds = session(url, rows)[0]
        busy = time.process_time() - before
    with service(steady) as (url, _):
        bare = asyncio.run(bare_client(url, rows))
    what = f"{rows:,} answers of {LATENCY_S * 1000:.0f} ms, 32 in flight"
    print(
        f"{what}: {seconds:.1f} s, {ideal / seconds:.1%} of the ideal {ideal:.1f} s ({busy:.1f} s of CPU); "
        f"the bare client {bare:.1f} s, {ideal / bare:.1%}"
    )


async def bare_client(url: str, rows: int) -> float:
    """Seconds that the SDK takes for as many requests."""
    from anthropic import AsyncAnthropic

    client = AsyncAnthropic(api_key=KEY, base_url=url, max_retries=0)
    texts = iter(dataset(rows).test.texts)

    async def worker() -> None:
        for text in texts:
            turns: list[Any] = [{"role": "user", "content": text}]
            await client.messages.create(model="claude-haiku-5-5", max_tokens=256, messages=turns)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(32)))
    await client.close()
    return time.perf_counter() - started


def under_a_limit(name: str, rows: int, **limit: Any) -> None:
    with service(steady, {"per_minute": 600, **limit}) as (url, ended):
        seconds = session(url, rows)[0]
        seen = ended()
    at_once = limit.get("burst", 600)
    allowed = at_once + 10 * seconds
    print(
        f"600 a minute ({name}): {rows:,} answers in {seconds:.1f} s, {rows / allowed:.1%} of what was allowed, "
        f"{seen['refused']} of {seen['calls']:,} requests refused ({seen['refused'] / seen['calls']:.1%})"
    )


def with_faults(rows: int) -> None:
    with service(faulty) as (url, ended):
        seconds, _, spent, answered = session(url, rows, Retries(first_wait_s=0.1))
        seen = ended()
    failures = sum(answered.predictions.failures.values())
    good = int((answered.predictions.labels >= 0).sum())
    print(
        f"{rows} rows with 30 % faults: {good} answered, {failures} counted as failures, "
        f"{rows - good - failures} lost, {seen['late']} asked again after their answer, {seen['calls']} requests, "
        f"{seconds:.1f} s; spent {spent:.6f}, billed {seen['usd']:.6f} USD"
    )


def plan_and_bill(name: str, rows: int, counts: bool, **settings: Any) -> None:
    with service(lambda text, times: steady(text, times) | {"wait": 0}, counts=counts) as (url, ended):
        _, plan, spent, _ = session(url, rows, **settings)
        bill = ended()["usd"]
    print(
        f"plan and bill, {name}: plan {plan:.6f} USD, {plan / bill - 1:+.1%} of the bill; "
        f"spent {spent:.6f}, billed {bill:.6f} USD, equal: {abs(spent - bill) < 1e-9}"
    )


def main() -> None:
    os.environ["ANTHROPIC_API_KEY"] = KEY
    quick = "--quick" in sys.argv
    throughput(400 if quick else 2_000)
    throughput(400 if quick else 2_000)
    with_faults(400)
    long = "Think of the customer's aim, not of the words that the message happens to contain. " * 40
    plan_and_bill("tokens counted", 400, True)
    plan_and_bill("tokens counted, a cached prefix", 400, True, instructions=long)
    plan_and_bill("tokens counted, batches", 400, True, batch=True)
    plan_and_bill("tokens estimated by characters", 400, False)
    if not quick:
        under_a_limit("a bucket of ten, told in headers", 400, burst=10)
        under_a_limit("a bucket of a minute, told in headers", 1_200)
        under_a_limit("a bucket of ten, nothing said but 429", 800, burst=10, told=None)


if __name__ == "__main__":
    main()
