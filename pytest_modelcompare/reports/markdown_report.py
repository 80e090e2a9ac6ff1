"""The report as Markdown, for a pull request or a step's summary: the verdict, the table, the rest folded away."""

from __future__ import annotations

import re

from pytest_modelcompare.records.printable import obeyed_by_none
from pytest_modelcompare.records.report import GateReport, SessionReport, SuiteReport
from pytest_modelcompare.reports.gate_details import details
from pytest_modelcompare.reports.headline import headline, said, shown_path, worst_first
from pytest_modelcompare.reports.notes import described, notes, shown_name, spent
from pytest_modelcompare.reports.numbers import plural
from pytest_modelcompare.reports.table import BLANK, WORDS, columns_of
from pytest_modelcompare.reports.winners import winners

SIGNS = {"pass": "✅", "fail": "❌", "error": "❌", "undecided": "❔", "skipped": "➖"}
MOST_CHARACTERS = 60_000
"""A comment on a pull request takes 65,536."""

MOST_GATES = 100
MOST_CONTESTANTS = 60
LONGEST_NOTE = 400


def render_markdown(report: SessionReport) -> str:
    """The whole report, cut at a line where it would not fit into a comment."""
    parts = [suite_part(suite) for suite in report.suites]
    end = f"\n<sub>{plain(spent(report))}</sub>\n"
    text = "\n".join(parts)
    room = MOST_CHARACTERS - len(end)
    if len(text) > room:
        text = (
            closed(text[: text.rindex("\n", 0, room - 200)]) + "\n\nCut here: the whole stands in the other reports.\n"
        )
    return text + end


def closed(text: str) -> str:
    """Folds that a cut left open are ended."""
    return text + "\n\n</details>" * (text.count("<details>") - text.count("</details>"))


def suite_part(suite: SuiteReport) -> str:
    """One suite: what does not hold, the contestants, then folded what holds and how it was measured."""
    verdict = headline(suite)
    gates = worst_first(suite.gates)
    open_ones = [gate for gate in gates if gate.outcome not in ("pass", "skipped")]
    quiet_ones = [gate for gate in gates if gate.outcome in ("pass", "skipped")]
    parts = [
        f"## {SIGNS[verdict.outcome]} {plain(suite.name)}: {verdict.text}",
        f"{code(shown_path(suite))} {plain(described(suite))}"
        if suite.data.get("test_rows")
        else code(shown_path(suite)),
        gate_table(open_ones),
        contestants_table(suite),
        folded(f"{plural(len(quiet_ones), 'gate')} more", gate_table(quiet_ones)),
        folded("What stands behind", "\n".join(behind(open_ones))),
        folded("How it was measured", "\n".join(f"- {plain(note[:LONGEST_NOTE])}" for note in notes(suite))),
    ]
    return obeyed_by_none("\n\n".join(part for part in parts if part) + "\n")


def gate_table(gates: list[GateReport]) -> str:
    if not gates:
        return ""
    lines = ["| | gate | result |", "|---|---|---|"]
    for gate in gates[:MOST_GATES]:
        outcome = f"{SIGNS[gate.outcome]}&nbsp;{gate.outcome}"
        lines.append(f"| {outcome} | {code(gate.gate, in_table=True)} | {plain(said(gate))} |")
    if len(gates) > MOST_GATES:
        lines.append(f"| | and {len(gates) - MOST_GATES:,} more | |")
    return "\n".join(lines)


def contestants_table(suite: SuiteReport) -> str:
    """Every column that anyone fills, the best by value in bold."""
    rows = {**suite.contestants, **suite.references}
    if not rows:
        return ""
    columns = [one for one in columns_of(suite) if any(one.cell(row) != BLANK for row in rows.values())]
    best = {one.title: winners(suite, one.metric) for one in columns if one.metric}

    def cell(name: str, title: str, text: str) -> str:
        return f"**{plain(text)}**" if name in best.get(title, ()) else plain(text)

    head = ["contestant", *(one.title for one in columns)]
    aligned = [":--" if title in ("contestant", *WORDS) else "--:" for title in head]
    lines = [f"| {' | '.join(map(plain, head))} |", f"|{'|'.join(aligned)}|"]
    for name, row in list(rows.items())[:MOST_CONTESTANTS]:
        shown = code(shown_name(name, row).strip(), in_table=True)
        cells = [cell(name, one.title, one.cell(row)) for one in columns]
        lines.append(f"| {'↳ ' if row.member_of else ''}{shown} | {' | '.join(cells)} |")
    if len(rows) > MOST_CONTESTANTS:
        lines.append(f"| and {len(rows) - MOST_CONTESTANTS:,} more |" + " |" * len(columns))
    return "\n".join(lines)


def behind(gates: list[GateReport]) -> list[str]:
    """Rows that flipped and parts that differ, of each gate that does not hold."""
    found = []
    for gate in gates[:MOST_GATES]:
        if lines := details(gate):
            found += [f"- {code(gate.gate)}", *(f"  - {plain(line)}" for line in lines)]
    return found


def folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>" if body else ""


def plain(text: str) -> str:
    """Text that is shown as it is: no markup, no HTML, nobody mentioned, on one line."""
    line = " ".join(text.split())
    line = re.sub(r"([\\`*_\[\]#|~$])", r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;"))
    return line.replace("@", "@\u200b").replace(
        "://", ":\u200b//"
    )  # else `@name` tells somebody, an address becomes a link


def code(text: str, *, in_table: bool = False) -> str:
    """A code span with any text in it."""
    line = " ".join(text.split()) or " "
    if in_table:
        line = line.replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"
