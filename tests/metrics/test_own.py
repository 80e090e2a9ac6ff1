"""A project's own metric is estimated like a built-in one, or is undecided where that would be a promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.inference import infer
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.question import question_of
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.metrics.own import Answered, OwnMetric, own_metric, register
from pytest_modelcompare.metrics.own_figures import own_figure
from pytest_modelcompare.metrics.table import table_figures
from pytest_modelcompare.records import Evidence, Inference, Predictions

LABELS = ("ham", "spam")
RNG = np.random.default_rng(3)
TRUTH = RNG.integers(0, 2, 400)
ANSWER = np.where(RNG.random(400) < 0.8, TRUTH, 1 - TRUTH)
OTHER = np.where(RNG.random(400) < 0.7, TRUTH, 1 - TRUTH)
Adds = Callable[..., OwnMetric]


@pytest.fixture
def adds() -> Iterator[Adds]:
    """Registers a metric called `mine` until the test is over."""
    forgets = []

    def add(measure: Callable[[Answered], object], **facts: object) -> OwnMetric:
        metric = OwnMetric("mine", "A test's.", measure, **facts)  # type: ignore[arg-type]
        forgets.append(register(metric))
        return metric

    yield add
    for forget in forgets:
        forget()


def evidence(answer: np.ndarray = ANSWER, truth: np.ndarray = TRUTH, name: str = "a") -> Evidence:
    return Evidence(name, "tfidf", LABELS, truth, predictions=(Predictions(answer),), seeds=(0,))


def inferred(sentence: str, *sides: Evidence) -> Inference:
    return infer(question_of(parse(sentence)), {side.name: side for side in sides}, 0.95)


def share_right(rows: Answered) -> float:
    return float((rows.truth == rows.answers).mean())


def test_a_function_alone_gets_the_influence_of_the_built_in_metric(adds: Adds):
    adds(share_right)
    own, built_in = estimate("mine", evidence()), estimate("accuracy", evidence())
    assert own.value == built_in.value
    assert own.influence == pytest.approx(built_in.influence, abs=1e-12)


def test_left_out_rows_give_a_curved_figure_its_derivative(adds: Adds):
    def f1(rows: Answered) -> float:
        hits = [((rows.truth == one) & (rows.answers == one)).sum() for one in rows.labels]
        named = [(rows.truth == one).sum() + (rows.answers == one).sum() for one in rows.labels]
        return float(np.mean([2 * hit / max(all_of, 1) for hit, all_of in zip(hits, named, strict=True)]))

    adds(f1)
    own, built_in = estimate("mine", evidence()), estimate("f1", evidence())
    assert own.influence == pytest.approx(built_in.influence, rel=0.02, abs=1e-5)


def test_rows_of_scores_are_left_out_one_by_one(adds: Adds):
    scores = RNG.dirichlet(np.ones(2), 400)
    side = Evidence("a", "tfidf", LABELS, TRUTH, predictions=(Predictions(ANSWER, scores),), seeds=(0,))

    def brier(rows: Answered) -> float:
        hit = rows.truth[:, None] == np.array(rows.labels)
        return float(((rows.scores - hit) ** 2).sum(axis=1).mean())

    adds(brier, scores=True, high=2.0, higher_is_better=False)
    own, built_in = estimate("mine", side), estimate("brier", side)
    assert own.value == pytest.approx(built_in.value)
    assert own.influence == pytest.approx(built_in.influence, abs=1e-12)
    with pytest.raises(GateError, match="gives no scores, which mine needs"):
        estimate("mine", evidence())


def test_no_answer_is_an_empty_name(adds: Adds):
    adds(lambda rows: float((rows.answers == "").mean()))
    assert estimate("mine", evidence(np.where(np.arange(400) < 100, -1, ANSWER))).value == 0.25


def test_a_difference_is_paired(adds: Adds):
    adds(share_right)
    found = inferred("a beats b on mine", evidence(), evidence(OTHER, name="b"))
    built_in = inferred("a beats b on accuracy", evidence(), evidence(OTHER, name="b"))
    assert found.value == pytest.approx(built_in.value)
    assert (found.low, found.high) == pytest.approx((built_in.low, built_in.high), abs=0.005)
    assert found.p_above < 0.05


def test_under_a_hundred_rows_nothing_is_decided(adds: Adds):
    adds(share_right)
    assert inferred("a.mine >= 0.1", evidence(ANSWER[:100], TRUTH[:100])).undecided_because is None
    few = inferred("a.mine >= 0.1", evidence(ANSWER[:99], TRUTH[:99]))
    assert few.undecided_because == "99 rows are too few for an interval of mine: it takes 100"


def test_a_figure_that_jumps_is_undecided(adds: Adds):
    # 1 where at least half of the rows are right: no row alone changes it, or all of them do
    adds(lambda rows: float((rows.truth == rows.answers).mean() >= (TRUTH == ANSWER).mean()))
    found = inferred("a.mine >= 0.5", evidence())
    assert "no interval can rest on it" in str(found.undecided_because)


def test_a_rounded_figure_is_undecided_though_no_row_alone_changes_it(adds: Adds):
    adds(lambda rows: round(float((rows.truth == rows.answers).mean()), 1))
    found = inferred("a.mine >= 0.75", evidence())
    assert "does not follow its influence" in str(found.undecided_because)


def test_the_same_answers_under_other_labels_are_another_figure(adds: Adds):
    metric = adds(lambda rows: 1 / len(rows.labels))
    same = evidence().predictions[0]
    values = [own_figure(metric, replace(evidence(), labels=labels), same)[0] for labels in (LABELS, (*LABELS, "no"))]
    assert values == [1 / 2, 1 / 3]


def test_an_influence_of_another_scale_is_undecided(adds: Adds):
    def in_hundreds(rows: Answered) -> tuple[float, np.ndarray]:
        right = rows.truth == rows.answers
        return float(right.mean()), 0.1 * (right - right.mean()) / len(rows)  # ten times too small

    adds(in_hundreds)
    assert "does not follow its influence" in str(inferred("a.mine >= 0.75", evidence()).undecided_because)
    assert table_figures(evidence())["mine"].low is None


def test_rows_that_agree_say_nothing_where_one_could_cost_any_sum(adds: Adds):
    adds(lambda rows: 0.0, high=float("inf"), higher_is_better=False, unit="USD")
    assert inferred("a.mine <= 5", evidence(TRUTH)).undecided_because is not None


def test_the_table_has_it_with_its_interval(adds: Adds):
    adds(share_right)
    found = table_figures(evidence())["mine"]
    assert found.low is not None
    assert found.low < found.value < (found.high or 0)


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        (lambda rows: 1.5, "`mine` is 1.5, and says that it lies between 0 and 1"),
        (lambda rows: float("nan"), "`mine` is nan"),
        (lambda rows: rows.nothing, "`mine` failed on 400 rows: AttributeError"),
        (lambda rows: (0.5, np.zeros(3)), "an influence of shape 3"),
    ],
)
def test_what_is_no_figure_is_an_error_that_names_the_metric(adds: Adds, measure: Callable[..., object], said: str):
    adds(measure)
    with pytest.raises(GateError, match=said.replace("(", r"\(")):
        estimate("mine", evidence())


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"name": "Cohen's kappa"}, "is no name for a metric"),
        ({"name": "beats"}, "is no name for a metric"),
        ({"name": "accuracy"}, "is built in"),
        ({"name": "mine", "low": 1.0}, "has no range from 1 to 1"),
    ],
)
def test_a_metric_that_cannot_be_named_is_refused(facts: dict[str, object], said: str):
    with pytest.raises(GateError, match=said):
        register(OwnMetric(**{"definition": "", "measure": share_right, **facts}))  # type: ignore[arg-type]


def test_a_metric_is_forgotten_with_the_run_that_added_it():
    forget = register(OwnMetric("mine", "", share_right))
    assert METRICS["mine"].own
    forget()
    assert "mine" not in METRICS
    assert own_metric("mine") is None
