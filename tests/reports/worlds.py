"""Reports to render: a large one, made by the code that makes real ones, and one with hostile texts."""

from __future__ import annotations

import numpy as np

from pytest_modelcompare.execution.by_label import behind_the_figures
from pytest_modelcompare.execution.calibrated import calibration_of
from pytest_modelcompare.gates.flipped import flips
from pytest_modelcompare.metrics.table import table_figures
from pytest_modelcompare.records import Cost, Evidence, Footprint, Latencies, Predictions
from pytest_modelcompare.records.report import ContestantReport, GateReport, SessionReport, Spend, SuiteReport

WORDS = [
    "my",
    "card",
    "has",
    "not",
    "arrived",
    "yet",
    "and",
    "the",
    "transfer",
    "I",
    "made",
    "last",
    "week",
    "is",
    "still",
    "pending",
    "why",
    "was",
    "I",
    "charged",
]
METHODS = ("fine_tune", "linear_probe", "tfidf", "prompt", "predictions")
HOSTILE = "<script>window.hacked = 1</script></script><img src=x onerror='window.hacked=1'> @everyone `|` **b**"


def large_report(n_contestants: int = 10, n_labels: int = 77, n_rows: int = 10_000) -> SessionReport:
    """Contestants from weak to strong, a sweep over training rows, gates with flipped rows, earlier sessions."""
    rng = np.random.default_rng(0)
    labels = tuple(f"intent_{number:02}" for number in range(n_labels))
    truth = rng.integers(n_labels, size=n_rows)
    texts = [" ".join(rng.choice(WORDS, 12)) + f" {row}" for row in range(n_rows)]
    found = [
        evidence(rng, f"model_{number}", METHODS[number % 5], 0.70 + 0.25 * number / n_contestants, truth, labels)
        for number in range(n_contestants)
    ]
    contestants = {one.name: contestant(one) for one in found}
    contestants["small"] = contestant(
        evidence(rng, "small", "fine_tune", 0.9, truth, labels), selected="small[train.fraction=1]"
    )
    for fraction, share in ((0.1, 0.74), (0.25, 0.82), (0.5, 0.87), (1, 0.9)):
        name = f"small[train.fraction={fraction}]"
        member = evidence(rng, name, "fine_tune", share, truth, labels)
        contestants[name] = contestant(
            member,
            member_of="small",
            train_rows=int(9000 * fraction),
            validation={"accuracy": share + 0.01, "log_loss": 0.3},
        )
    gates = [
        gate(number, left, right, texts) for number, (left, right) in enumerate(zip(found[1:], found, strict=False))
    ]
    gates.append(
        GateReport("model_0.auroc >= 0.9", None, "banking.modelcompare.yaml::x", 40, "error", "model_0 has no scores")
    )
    data = {"train_rows": 9000, "validation_rows": 1000, "test_rows": n_rows, "labels": list(labels), "leaked_rows": 6}
    data |= {"warnings": ["6 of 10,000 test texts also stand in train"], "digest": "ab" * 32, "judged": None}
    reference = ContestantReport("reference", "TF-IDF", stored=True, metrics=table_figures(found[-1]))
    suite = SuiteReport(
        "/home/me/banking.modelcompare.yaml",
        "Banking intents",
        data,
        contestants,
        gates,
        len(gates),
        {"(tf-idf)": reference},
        history(gates[0]),
    )
    machine = {"name": "AMD EPYC, 2 cores", "cores": 2, "python": "3.12.3", "system": "Linux"}
    return SessionReport("2026-03-02T09:30:00+00:00", machine, Spend(1.23, 400, 9600, 3, 2), [suite])


def evidence(
    rng: np.random.Generator, name: str, method: str, share: float, truth: np.ndarray, labels: tuple[str, ...]
) -> Evidence:
    """Right with a probability of `share`, else an answer nearby, now and then none."""
    n, k = len(truth), len(labels)
    wrong = (truth + rng.geometric(0.4, n)) % k
    answers = np.where(rng.random(n) < share, truth, wrong)
    scores = None
    if method in ("fine_tune", "linear_probe", "tfidf"):
        confidence = rng.beta(6, 2, n)
        scores = np.repeat(((1 - confidence) / (k - 1))[:, None], k, axis=1)
        scores[np.arange(n), answers] = confidence
    else:
        answers = np.where(rng.random(n) < 0.01, -1, answers)
    trained = method in ("fine_tune", "linear_probe", "tfidf")
    per_row = 10 ** rng.uniform(-7.5, -6.5) if trained else 10 ** rng.uniform(-5, -3)
    times = rng.lognormal(1.5 if trained else 6.3, 0.3, 400)
    return Evidence(
        name,
        method,
        labels,
        truth,
        predictions=(Predictions(answers, scores),),
        seeds=(0,) if trained else (),
        model=f"org/{name}",
        machine="AMD EPYC, 2 cores" if trained else None,
        latencies=Latencies(times, np.arange(400) // 20, "AMD EPYC, 2 cores", "s", "2026-03-02"),
        footprint=Footprint(train_seconds=80.0, size_mb=88.0, parameters=22e6) if trained else Footprint(),
        cost=Cost(np.full(n, per_row), per_test_row=True, tokens_per_row=30.0, assumptions="0.10 USD per hour"),
        train_cost_usd=0.08 if trained else None,
    )


def contestant(found: Evidence, train_rows: int = 9000, **facts: object) -> ContestantReport:
    trained = found.train_cost_usd is not None
    return ContestantReport(
        found.method,
        found.model,
        stored=False,
        machine=found.machine,
        versions={"torch": "2.9.0"} if trained else {},
        metrics=table_figures(found),
        train_rows=train_rows if trained else None,
        seeds=list(found.seeds),
        runs=["5f0c" * 16] if trained else [],
        cost_assumptions="0.10 USD per hour, half of it used" if trained else "0.10/0.50 USD per million tokens",
        timing_machine="AMD EPYC, 2 cores",
        timing_date="2026-03-02T09:00:00+00:00",
        notes=["4 % of the test rows are cut at 256 tokens"] if trained else [],
        calibration=calibration_of(found),
        **behind_the_figures(found),
        **facts,  # type: ignore[arg-type]
    )


def gate(number: int, left: Evidence, right: Evidence, texts: list[str]) -> GateReport:
    """`left beats right`, with its flipped rows."""
    found = flips(left, right)
    values = [(one.predictions[0].labels == one.truth).mean() for one in (left, right)]
    difference = float(values[0] - values[1])
    outcome = ("pass", "fail", "undecided")[number % 3]
    bounds = {"value": difference, "low": difference - 0.008, "high": difference + 0.008}
    threshold = {"pass": 0.0, "fail": difference + 0.012, "undecided": difference + 0.003}[outcome]
    alone = [[flip for flip in found if flip.left_is_right is side] for side in (True, False)]

    def name(label: int) -> str | None:
        return None if label < 0 else left.labels[label]

    rows = [
        {
            "id": str(flip.row),
            "text": texts[flip.row],
            "label": left.labels[left.truth[flip.row]],
            "left": name(flip.left_answer),
            "right": name(flip.right_answer),
            "alone": "left" if flip.left_is_right else "right",
            "confidence": flip.confidence,
            "confidence_of": "left" if flip.confidence_of_left else "right",
        }
        for side in alone
        for flip in side[:200]
    ]
    sentence = f"{left.name} beats {right.name} on accuracy by {max(threshold, 0):.3g}"
    return GateReport(
        sentence,
        None,
        f"banking.modelcompare.yaml::{sentence}",
        20 + number,
        outcome,
        f"{difference:+.3f} ({difference - 0.008:+.3f} to {difference + 0.008:+.3f})",
        test="Tango score",
        method="Tango score",
        target="this trained model",
        difference=bounds,
        threshold=threshold,
        left={"text": f"{left.name}.accuracy", "value": float(values[0]), "low": None, "high": None},
        right={"text": f"{right.name}.accuracy", "value": float(values[1]), "low": None, "high": None},
        n=len(texts),
        p_value=0.01,
        p_pass=0.01,
        p_fail=0.99,
        p_holm=0.04,
        judged={"times": 9, "models": 4, "since": "2026-01-12T08:00:00+00:00", "p_times_models": 0.04},
        flipped={
            "left": left.name,
            "right": right.name,
            "left_alone": len(alone[0]),
            "right_alone": len(alone[1]),
            "rows": rows,
        },
        parts=[{"where": "length is long", "outcome": "fail", "value": -0.011, "p_value": 0.02, "n": 1010}],
    )


def history(of: GateReport) -> dict[str, list[dict[str, object]]]:
    """Twelve earlier sessions of one gate."""
    assert of.difference is not None
    return {
        of.gate: [
            {
                "created": f"2026-02-{day:02}T04:00:00+00:00",
                "commit": "0123abcd" * 5,
                "branch": "main",
                "outcome": "pass" if day % 4 else "undecided",
                "value": 0.02 + 0.001 * (day % 5),
                "low": 0.012 + 0.001 * (day % 5),
                "high": 0.028 + 0.001 * (day % 5),
                "threshold": 0.0,
            }
            for day in range(1, 13)
        ]
    }


def hostile_report(hostile: str = HOSTILE) -> SessionReport:
    """Every text that comes from a user's files tries to be markup."""
    row = {"id": hostile, "text": hostile, "label": hostile, "left": hostile, "right": None, "alone": "right"}
    flipped = {
        "left": "a",
        "right": "b",
        "left_alone": 0,
        "right_alone": 1,
        "rows": [{**row, "confidence": 0.9, "confidence_of": "left"}],
    }
    gates = [GateReport(f'a.f1["{hostile}"] >= 0.5', hostile, f"s::{hostile}", 3, "fail", hostile, flipped=flipped)]
    truth = np.array([0, 1] * 20)
    labels = (hostile, "other")
    rng = np.random.default_rng(0)
    contestants = {name: contestant(evidence(rng, name, "tfidf", 0.6, truth, labels)) for name in ("a", "b")}
    contestants = {
        name: type(one)(**{**{key: getattr(one, key) for key in one.__slots__}, "model": hostile, "notes": [hostile]})
        for name, one in contestants.items()
    }
    data = {
        "train_rows": 1,
        "test_rows": 40,
        "labels": list(labels),
        "leaked_rows": 0,
        "warnings": [hostile],
        "digest": "d",
    }
    suite = SuiteReport("s.modelcompare.yaml", hostile, data, contestants, gates, 1)
    return SessionReport("2026-03-02T09:30:00+00:00", {"name": hostile}, Spend(), [suite])
