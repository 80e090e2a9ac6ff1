"""What every report says beside the figures: the data, what changes how figures read, what the session used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_modelcompare.records.printable import printable
from pytest_modelcompare.records.report import ContestantReport, OwnMetricReport, SessionReport, Spend, SuiteReport
from pytest_modelcompare.reports.numbers import plural, share, usd
from pytest_modelcompare.reports.table import LEGEND_OF_ABOUT, some_are_about

WORTH_A_CASCADE = 0.005
"""Accuracy that a cascade must gain over the better of its two to be mentioned."""

AS_ASKED = "as asked"
"""How most answers should be read; the others are counted."""

LONGEST_QUOTE = 40
"""Characters of a text that a note quotes."""


def shown_name(name: str, row: ContestantReport) -> str:
    """A contestant's name; of a sweep's member, what it adds to the name above."""
    return name if row.member_of is None else f" {name.removeprefix(row.member_of)[1:-1]}"


def described(suite: SuiteReport) -> str:
    data = suite.data
    if not data.get("test_rows"):
        return f"· {suite.path}"
    labels = plural(len(data["labels"]), "label")
    held_out = f"{data['validation_rows']:,} validation rows, " if data.get("validation_rows") else ""
    return f"· {labels}, {data['train_rows']:,} training rows, {held_out}{data['test_rows']:,} test rows"


@dataclass(frozen=True, slots=True)
class Note:
    """What changes how figures read."""

    text: str
    decisive: bool = False
    """Whether it bears on a gate's verdict or on a cost."""


def notes(suite: SuiteReport) -> list[str]:
    """What changes how the figures read: data warnings, assumptions behind costs, dates of recordings."""
    about = [LEGEND_OF_ABOUT] if some_are_about(suite) else []
    return about + [note.text for note in all_notes(suite)]


def all_notes(suite: SuiteReport) -> list[Note]:
    """Every note; those that bear on a verdict or a cost are marked."""
    found = [Note(f"data: {warning}", decisive=True) for warning in suite.data.get("warnings", [])]
    if (judged := suite.data.get("judged")) and judged["times"] > 1:
        models = plural(judged["models"], "distinct model")
        since = f"since {judged['since'][:10]}"
        said = f"these test rows were judged in {judged['times']:,} sessions, with {models}, {since}"
        found.append(Note(said, decisive=True))
    found += [Note(own_metric_note(name, own)) for name, own in suite.own_metrics.items()]
    costs = shared(suite, lambda row: row.cost_assumptions)
    found += [Note(f"{names}: cost at {text}", decisive=True) for text, names in costs]
    for name, row in suite.contestants.items():
        found += [Note(f"{name}: {one.text}", one.decisive) for one in contestant_notes(row)]
    timed = shared(suite, lambda row: row.timing_machine)
    return [*found, *(Note(f"{names}: timed one row at a time on {text}") for text, names in timed)]


def contestant_notes(row: ContestantReport) -> list[Note]:
    """What is to be known of one row of the table."""
    found = [Note(f"answers given {row.recorded}")] if row.recorded else []
    if row.failures:
        kinds = ", ".join(f"{number} {kind}" for kind, number in row.failures.items())
        found.append(Note(f"rows without a usable answer count as wrong ({kinds})", decisive=True))
        found += [Note(text) for text in example_notes(row)]
    if row.read_as.keys() - {AS_ASKED}:
        found.append(Note(f"labels were read {format_readings(row)}"))
    found += [Note(text, decisive=text in row.decisive_notes) for text in row.notes]
    return [*found, *(Note(text) for text in cascade_notes(row))]


def format_readings(row: ContestantReport) -> str:
    """E.g. "96 as asked, 4 in JSON", the most frequent first."""
    return ", ".join(f"{number:,} {how}" for how, number in sorted(row.read_as.items(), key=lambda pair: -pair[1]))


def own_metric_note(name: str, own: OwnMetricReport) -> str:
    """What a metric of the project says of itself."""
    unit = f", in {own.unit}" if own.unit else ""
    return f"{name}: {own.definition.rstrip('.')}{unit}; {'higher' if own.higher_is_better else 'lower'} is better"


def example_notes(row: ContestantReport) -> list[str]:
    """A few rows of each kind of failure, on one line."""
    return [
        f"{kind}, e.g. " + "; ".join(f"row {one.id}: {short(one.text)} → {short(one.answer)}" for one in examples)
        for kind, examples in row.failure_examples.items()
    ]


def short(text: str) -> str:
    """The beginning of a text as a quotation of one line."""
    line = printable(" ".join(text.split()))
    return f"“{line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + '…'}”"


def cascade_notes(row: ContestantReport) -> list[str]:
    """Where handing the least sure rows to another contestant would beat both."""
    found = []
    for other, hand_over in row.deferral.items():
        alone = max(hand_over["small_accuracy"], hand_over["other_accuracy"])
        gain = hand_over["cascade_accuracy"] - alone
        if gain >= WORTH_A_CASCADE and hand_over["threshold"] is not None:
            found.append(
                f"a cascade that asks {other} below a confidence of {share(hand_over['threshold'])} "
                f"({hand_over['deferred_share']:.0%} of the rows) would reach {share(hand_over['cascade_accuracy'])} "
                "on these rows; tune it on others"
            )
    return found


def shared(suite: SuiteReport, text_of: Callable[[ContestantReport], str | None]) -> list[tuple[str, str]]:
    """A text that several contestants share, with their names."""
    by_text: dict[str, list[str]] = {}
    for name, row in suite.contestants.items():
        if text := text_of(row):
            by_text.setdefault(text, []).append(name)
    return [(text, ", ".join(names)) for text, names in by_text.items()]


def perhaps_billed(spend: Spend) -> list[str]:
    """What the services may have billed beside what is counted; empty where there is nothing of the kind."""
    requests = plural(spend.perhaps_billed, "request")
    return [f"{requests} perhaps billed, up to {usd(spend.perhaps_billed_usd)} USD"] if spend.perhaps_billed else []


def spent(report: SessionReport) -> str:
    """What this session used, in one line."""
    spend = report.spend
    parts = [plural(spend.trainings, "training"), f"{plural(spend.stored_runs, 'run')} from the store"]
    if spend.calls or spend.stored_answers:
        parts += [plural(spend.calls, "LLM call"), f"{plural(spend.stored_answers, 'answer')} from the store"]
        parts.append(f"{usd(spend.usd)} USD")
        parts += perhaps_billed(spend)
    return "this session: " + ", ".join(parts)
