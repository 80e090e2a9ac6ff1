"""F1 of one class, exactly; macro F1 and its difference by BCa; the percentile bootstrap as what must not be used."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from pytest_modelcompare.methods.linear_probe import LinearProbe, LinearProbeSettings
from pytest_modelcompare.methods.local import Work
from pytest_modelcompare.metrics.classification import confusion_statistic, value_and_influence
from pytest_modelcompare.records import Dataset, Rows
from pytest_modelcompare.statistics.bootstrap import bca, bca_bounds, difference, too_few_per_class
from pytest_modelcompare.statistics.f_measure import exact_f1
from tests.statistics.acceptance.worlds import Errors, Labels

MACRO_F1 = confusion_statistic("f1")


@dataclass(frozen=True, slots=True)
class Joint:
    """Rows to draw test sets from; the figure on all of them is the truth."""

    truth: Labels
    answers: tuple[Labels, ...]
    """One contestant's, or both of a difference."""

    n_labels: int

    def drawn(self, rng: np.random.Generator, n: int) -> Joint:
        rows = rng.integers(0, len(self.truth), n)
        return Joint(self.truth[rows], tuple(answer[rows] for answer in self.answers), self.n_labels)

    def macro_f1(self) -> tuple[float, np.ndarray]:
        """The figure or the difference, and its influence."""
        found = [value_and_influence("f1", self.truth, answer, self.n_labels, None) for answer in self.answers]
        if len(found) == 1:
            return found[0]
        return found[0][0] - found[1][0], found[0][1] - found[1][1]


def relevant_rows(n: int, positives: int, recall: float, false_positives: float) -> Iterator[tuple[int, int, float]]:
    """(TP, rows that are or are called positive, probability) of every outcome that matters, rows drawn at random."""
    share, jaccard = (positives + false_positives) / n, positives * recall / (positives + false_positives)
    fewest, most = np.asarray(binom.ppf([1e-8, 1 - 1e-8], n, share)).astype(int)
    for m in range(fewest, most + 1):
        weights = binom.pmf(m, n, share) * binom.pmf(np.arange(m + 1), m, jaccard)
        yield from ((tp, m, weight) for tp, weight in enumerate(weights) if weight > 1e-8)


def enumerated(decide: Callable[[int, int], tuple[bool, bool]]) -> tuple[float, float]:
    """False passes and fails in per cent: 3,080 rows, 40 positives, recall .95, 2 false positives expected."""
    decisions = [(decide(tp, m), weight) for tp, m, weight in relevant_rows(3080, 40, 0.95, 2)]
    passes, fails = (100 * sum(weight for flags, weight in decisions if flags[side]) for side in (0, 1))
    return passes, fails


def exact(tp: int, m: int) -> tuple[bool, bool]:
    # TP 38, FP 2, FN 2 in expectation: the true F1 is 76 / 80
    found = exact_f1(tp, m - tp, 0, 0.95, 0.95)
    return found.p_above <= 0.05, found.p_below <= 0.05


def percentile(tp: int, m: int) -> tuple[bool, bool]:
    rng = np.random.default_rng(1000 * m + tp)
    counts = rng.multinomial(3080, [tp / 3080, (m - tp) / 3080, 1 - m / 3080], 2000)
    low, high = np.quantile(2 * counts[:, 0] / (2 * counts[:, 0] + counts[:, 1]), [0.05, 0.95])
    return bool(low >= 0.95), bool(high <= 0.95)


def bca_and_percentile(
    joint: Joint, n: int, runs: int, true_value: float | None = None, seed: int = 4
) -> tuple[Errors, Errors]:
    """Both procedures on the same 1,000 resamples of each test set."""
    rng = np.random.default_rng(seed)
    target = joint.macro_f1()[0] if true_value is None else true_value
    ours, naive = [], []
    for _ in range(runs):
        seen = joint.drawn(rng, n)
        value, influence = seen.macro_f1()
        cells, counts = np.unique(np.stack([seen.truth, *seen.answers]), axis=1, return_counts=True)
        resampled = rng.multinomial(n, counts / n, 1000).astype(float)
        values = difference(cells, resampled, MACRO_F1, joint.n_labels)
        _, _, p_above, p_below = bca_bounds(values, value, influence, target, 0.05)
        ours.append((p_above <= 0.05, p_below <= 0.05))
        low, high = np.quantile(values, [0.05, 0.95])
        naive.append((low >= target, high <= target))
    return Errors.of(ours), Errors.of(naive)


def even_joint(n_labels: int, accuracy: float, seed: int = 7) -> Joint:
    """Labels equally frequent, wrong answers spread evenly: macro F1 is the accuracy."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(n_labels), 20_000 // n_labels)
    wrong = (truth + rng.integers(1, n_labels, len(truth))) % n_labels
    return Joint(truth, (np.where(rng.random(len(truth)) < accuracy, truth, wrong),), n_labels)


def banking77(folder: Path, minilm: Path, scratch: Path) -> Joint:
    """A linear probe on MiniLM beside GPT-4's recorded answers, 3,080 rows, 77 labels."""

    def rows(name: str) -> list[dict[str, str]]:
        with gzip.open(folder / "banking77" / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    labels = tuple(sorted({row["category"] for row in rows("train")}))
    number = {label: index for index, label in enumerate(labels)}
    train, test = (
        Rows(
            tuple(row["text"] for row in part),
            np.array([number[row["category"]] for row in part]),
            tuple(map(str, range(len(part)))),
        )
        for part in (rows("train"), rows("test"))
    )
    dataset = Dataset(labels, {}, train, None, test, "banking77")
    probe = LinearProbe().run(LinearProbeSettings(model=str(minilm)), Work(dataset, 0, "cpu", scratch, scratch))
    gpt4 = np.array([number.get(row["prediction"], -1) for row in rows("predictions-gpt-4")])
    return Joint(test.labels, (probe.predictions.labels, gpt4), len(labels))


def test_the_exact_test_of_one_class_holds_five_percent_on_forty_positives():
    assert max(enumerated(exact)) <= 5
    assert enumerated(exact) == pytest.approx((2.5, 3.0), abs=0.3)


def test_the_percentile_bootstrap_would_pass_false_claims_about_one_class_twice_as_often():
    assert enumerated(percentile)[0] == pytest.approx(11.2, abs=1.5)
    assert enumerated(percentile)[0] > 6


def test_bca_holds_macro_f1_of_twenty_labels_where_percentile_fails_true_claims():
    ours, naive = bca_and_percentile(even_joint(20, 0.9), 200, 600)
    assert ours.at_most(6)
    assert naive.fails.exceeds(6)


def test_four_rows_a_label_decide_nothing():
    # 300 rows over 77 labels: 3.9 each, and some label has none or few
    rng, joint = np.random.default_rng(3), even_joint(77, 0.9)
    reasons = [too_few_per_class(joint.drawn(rng, 300).truth, 77, None) for _ in range(200)]
    assert all(reason is not None for reason in reasons)
    seen = joint.drawn(rng, 300)
    found = bca(seen.truth, seen.answers, MACRO_F1, 77, 0.9, 0.95, seen.macro_f1()[1], resamples=200)
    assert found.undecided_because is not None


@pytest.mark.slow
def test_bca_holds_the_difference_of_macro_f1_on_banking77(shared_data: Path, minilm_folder: Path, tmp_path: Path):
    ours, naive = bca_and_percentile(banking77(shared_data, minilm_folder, tmp_path), 1000, 1500)
    assert ours.near(4.8, 4.5)
    assert ours.at_most(6)
    assert naive.passes.exceeds(6)
    assert naive.passes.near(10.0)
