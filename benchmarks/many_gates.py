"""How long 900 gates over 900 contestants of 500 rows take to judge: `python benchmarks/many_gates.py`.

Five kinds of gate in equal numbers, each over contestants of its own, their evidence at hand: nothing is loaded,
trained or asked. Ranking scores of half of the AUROC gates misorder so few rows that the wider interval is needed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.gates.judge import judge
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.records import Evidence, Predictions

ROWS, GATES = 500, 900
REQUIRED_SECONDS = 60.0
KINDS = {
    "accuracy, against a number": "c{a}.accuracy >= 0.90",
    "accuracy, paired with a margin": "c{a} beats c{b} on accuracy by 0.02",
    "macro F1, paired": "c{a} beats c{b} on f1",
    "AUROC, paired": "c{a} matches c{b} on auroc within 0.01",
    "F1 of one label, against a number": "c{a}.f1[l1] >= 0.90",
}


def contestants(n_labels: int, seed: int = 0) -> dict[str, Evidence]:
    """Answers by the highest of normal scores: right in some .80 to .99 of the rows."""
    rng = np.random.default_rng(seed)
    truth = np.arange(ROWS) % n_labels
    labels = tuple(f"l{number}" for number in range(n_labels))
    shared = rng.normal(size=(ROWS, n_labels))
    found = {}
    for number in range(GATES):
        separation = rng.uniform(1.5, 4.5)
        scores = probabilities(truth, separation, 0.7 * shared + 0.7 * rng.normal(size=shared.shape))
        answers = Predictions(scores.argmax(axis=1), scores)
        found[f"c{number}"] = Evidence(f"c{number}", "tfidf", labels, truth, predictions=(answers,), seeds=(0,))
    return found


def probabilities(truth: NDArray[np.int64], separation: float, noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape (n, K), rows sum to 1."""
    raw = noise.copy()
    raw[np.arange(len(truth)), truth] += separation
    powers = np.exp(raw)
    result: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description="How long 900 gates take to judge.")
    parser.add_argument("--labels", type=int, default=2, help="of the test rows; with more, AUROC is a mean over them")
    evidence = contestants(parser.parse_args().labels)
    names = list(KINDS)
    seconds, outcomes = dict.fromkeys(names, 0.0), Counter[str]()
    for number in range(GATES):
        kind = names[number % len(names)]
        sentence = KINDS[kind].format(a=number, b=(number + 1) % GATES)
        started = time.perf_counter()
        verdict = judge(GateSpec(sentence, (parse(sentence),)), evidence)
        seconds[kind] += time.perf_counter() - started
        outcomes[str(verdict.outcome)] += 1
    print(f"{GATES} gates over {GATES} contestants of {ROWS} rows: {dict(outcomes)}")
    for kind in names:
        print(f"  {kind:<36}{seconds[kind]:7.2f} s  {1000 * seconds[kind] * len(names) / GATES:7.2f} ms a gate")
    total = sum(seconds.values())
    print(f"  {'all':<36}{total:7.2f} s, required {REQUIRED_SECONDS:.0f}")
    return 0 if total <= REQUIRED_SECONDS and "error" not in outcomes else 1


if __name__ == "__main__":
    sys.exit(main())
