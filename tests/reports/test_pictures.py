"""What the page's charts show, worked out by hand."""

from __future__ import annotations

from pytest_modelcompare.records.report import ContestantReport, GateReport, MetricReport, SuiteReport
from pytest_modelcompare.reports.html.by_label import heat_map, most_confused
from pytest_modelcompare.reports.html.gate_lines import picture
from pytest_modelcompare.reports.html.learning import efficiency, sweeps
from pytest_modelcompare.reports.html.times import break_even, crossings, spendings
from pytest_modelcompare.reports.html.tradeoffs import COST, Point, pareto_front, tradeoff
from pytest_modelcompare.reports.winners import winners


def contestant(
    accuracy: float, cost: float | None = None, train_cost: float | None = None, **facts: object
) -> ContestantReport:
    metrics = {"accuracy": MetricReport(accuracy, accuracy - 0.01, accuracy + 0.01, 100)}
    if cost is not None:
        metrics["cost_per_1k"] = MetricReport(cost)
    if train_cost is not None:
        metrics["train_cost"] = MetricReport(train_cost)
    return ContestantReport("fine_tune", "m", stored=False, metrics=metrics, **facts)  # type: ignore[arg-type]


def suite(**contestants: ContestantReport) -> SuiteReport:
    return of(contestants)


def of(contestants: dict[str, ContestantReport]) -> SuiteReport:
    return SuiteReport("s.yaml", "S", {"labels": ["a", "b", "c"]}, contestants, [])


def point(name: str, x: float, y: float) -> Point:
    return Point(name, x, y, None, None, 0, "", "")


def test_the_front_holds_those_that_nobody_beats_in_both():
    points = [
        point("dear", 9, 0.9),
        point("cheap", 1, 0.7),
        point("worse", 5, 0.6),
        point("same", 9, 0.8),
        point("tie", 2, 0.7),
    ]
    assert [one.name for one in pareto_front(points)] == ["cheap", "dear"]


def test_who_has_no_price_is_named_below_the_picture():
    chart = tradeoff(suite(a=contestant(0.9, 1.0), b=contestant(0.8, 0.01), c=contestant(0.7)), COST)
    assert chart is not None
    assert "Not drawn, for want of a price: c." in chart.caption
    assert "Pareto front: b, a;" in chart.caption
    assert chart.data["log"]  # a hundred times apart


def test_lines_cross_where_the_dearer_training_has_paid_for_itself():
    # 3 USD more to train, 2 USD less per 1,000: after 1,500 predictions
    found = crossings(
        spendings(suite(small=contestant(0.9, 1.0, 5.0, train_rows=9), other=contestant(0.8, 3.0, 2.0, train_rows=9)))
    )
    assert [(one.cheaper, one.than, round(one.predictions)) for one in found] == [("small", "other", 1500)]


def test_a_training_of_unknown_cost_is_not_taken_for_free():
    chart = break_even(
        suite(a=contestant(0.9, 1.0, 5.0, train_rows=9), b=contestant(0.8, 3.0), c=contestant(0.8, 3.0, train_rows=9))
    )
    assert chart is not None
    assert [one["name"] for one in chart.data["series"]] == ["a", "b"]
    assert "want of a price: c." in chart.caption


def test_members_of_a_sweep_over_training_rows_are_one_curve_per_other_setting():
    members = {
        f"bert[learning_rate={rate}, train.fraction={share}]": contestant(
            0.8 + share / 10, member_of="bert", train_rows=int(1000 * share)
        )
        for rate in ("1e-05", "2e-05")
        for share in (0.25, 1)
    }
    best = "bert[learning_rate=1e-05, train.fraction=1]"
    world = {"bert": contestant(0.9, selected=best, train_rows=1000), **members, "gpt": contestant(0.85)}
    chart = efficiency(of(world))
    assert chart is not None
    curves = {one["name"]: [point[0] for point in one["points"]] for one in chart.data["series"]}
    assert curves == {"bert[learning_rate=1e-05]": [250, 1000], "bert[learning_rate=2e-05]": [250, 1000]}
    assert chart.data["lines"] == [{"name": "gpt", "y": 0.85}]
    swept = sweeps(of(world))
    assert swept is not None
    assert [one["setting"] for one in swept.data["sweeps"]["bert"] if one["selected"]] == [
        "learning_rate=1e-05, train.fraction=1"
    ]


def test_without_two_sizes_there_is_no_data_efficiency_to_show():
    assert efficiency(suite(a=contestant(0.9, train_rows=100), b=contestant(0.8, train_rows=100))) is None


def test_the_hardest_class_stands_first():
    figures = {
        label: {"f1": f1, "precision": f1, "recall": f1, "n": 5} for label, f1 in (("a", 0.9), ("b", 0.2), ("c", 0.5))
    }
    chart = heat_map(suite(one=contestant(0.6, per_label=figures)))
    assert chart is not None
    assert chart.data["labels"] == ["b", "c", "a"]
    assert chart.data["values"]["F1"] == [[0.2], [0.5], [0.9]]


def test_mistakes_are_listed_without_what_is_right():
    found = most_confused(suite(one=contestant(0.6, confusion=[[0, 0, 50], [1, 2, 7], [2, -1, 3]])))
    assert found == {"one": [{"true": "b", "answered": "c", "rows": 7}, {"true": "c", "answered": None, "rows": 3}]}


def test_the_best_is_by_the_metrics_own_direction_and_none_where_most_share_it():
    world = suite(a=contestant(0.9, 1.0), b=contestant(0.8, 0.5), c=contestant(0.9, 0.5))
    assert winners(world, "cost_per_1k") == frozenset()
    assert winners(suite(a=contestant(0.9, 1.0), b=contestant(0.8, 0.5)), "cost_per_1k") == {"b"}
    assert winners(suite(a=contestant(0.9), b=contestant(0.8)), "accuracy") == {"a"}


def test_a_cost_of_nothing_is_the_best_cost():
    assert winners(suite(a=contestant(0.9, 0.0), b=contestant(0.8, 0.5)), "cost_per_1k") == {"a"}


def test_an_interval_is_drawn_in_its_places():
    # from 0 (the threshold) to 0.04: 12 % to 88 % of the width, so 0.01 lies at 31 %
    gate = GateReport(
        "g", None, "s::g", 1, "pass", "", difference={"value": 0.025, "low": 0.01, "high": 0.04}, threshold=0.0
    )
    drawn = picture(gate)
    assert drawn is not None
    assert (drawn.threshold, drawn.low, drawn.value, drawn.high) == (12.0, 31.0, 59.5, 88.0)
    unbounded = GateReport(
        "g", None, "s::g", 1, "pass", "", difference={"value": 1.0, "low": 0.5, "high": None}, threshold=0.0
    )
    assert picture(unbounded) is None
