"""The arguments of every sub-command, declared apart from their work, so that `--help` loads none of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

Parser = argparse.ArgumentParser
STORE = ".modelcompare"


def accept(parser: Parser) -> None:
    suites(parser)
    parser.add_argument("--diff", action="store_true", help="show what would change, write nothing")
    store(parser)


def answers(parser: Parser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    text = "the whole prompt of a test row, and its stored answer"
    show = actions.add_parser("show", help=text, description=text)
    suite(show)
    show.add_argument("contestant", metavar="CONTESTANT", help="a `prompt:` contestant of the suite")
    show.add_argument("row", metavar="ROW", help="a test row's id: the `id` column, else its position from 0")
    store(show)
    text = "stored answers as a recording beside the suite, to be committed"
    out = actions.add_parser("export", help=text, description=text)
    suite(out)
    out.add_argument("contestant", metavar="CONTESTANT", help="a `prompt:` contestant of the suite")
    out.add_argument("file", metavar="FILE", nargs="?", help="a .jsonl or .jsonl.gz file (default: its `recording`)")
    store(out)
    text = "a recording's answers into the store"
    into = actions.add_parser("import", help=text, description=text)
    into.add_argument("file", metavar="FILE", help="a recording, as `answers export` writes it")
    store(into)
    text = "batches of requests that were sent and not collected yet"
    batches = actions.add_parser("batches", help=text, description=text)
    text = "give one up: its requests are asked, and paid, once more"
    batches.add_argument("--forget", metavar="ID", help=text)
    store(batches)


def check(parser: Parser) -> None:
    suites(parser)


def completion(parser: Parser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="the shell it is for")


def export(parser: Parser) -> None:
    suite(parser)
    parser.add_argument("contestant", metavar="CONTESTANT", help="a `fine_tune:` contestant that was trained")
    parser.add_argument("folder", metavar="DIR", help="a folder that is new or empty")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="which of its seeds (default: the first)")
    store(parser)


def history(parser: Parser) -> None:
    text = "a suite file, or a folder with suites (default: this folder)"
    parser.add_argument("suite", nargs="?", default=".", metavar="SUITE", help=text)
    parser.add_argument("gate", nargs="?", metavar="GATE", help="its name, its sentence, or a part of it")
    text = "two commits, branches or sessions: row by row where the test rows are the same"
    parser.add_argument("--compare", nargs=2, metavar=("A", "B"), help=text)
    parser.add_argument("--last", type=count, default=20, metavar="N", help="sessions shown (default: 20)")
    store(parser)


def init(parser: Parser) -> None:
    parser.add_argument("--data", metavar="FILE", help="csv, tsv, jsonl, json, parquet or xlsx with texts and labels")
    parser.add_argument("--text", metavar="COLUMN", help="the column with the text (default: the longest texts)")
    parser.add_argument("--label", metavar="COLUMN", help="the column with the label (default: few distinct values)")
    parser.add_argument("--columns", metavar="NAMES", help="of a file without a header: its columns, by commas")
    parser.add_argument("--test", metavar="FILE", help="test rows (default: a fifth of the rows is set aside)")
    parser.add_argument(
        "--llm", metavar="PROVIDER:MODEL", help="an LLM to compare with, e.g. anthropic:claude-haiku-5-5"
    )
    parser.add_argument("--output", metavar="FILE", help="the suite (default: DATA.modelcompare.yaml, here)")


def plan(parser: Parser) -> None:
    suites(parser)
    modes = ("auto", "replay", "refresh", "off")
    parser.add_argument("--llm", choices=modes, default="auto", help="as --modelcompare-llm (default: auto)")
    parser.add_argument("--fresh", action="store_true", help="as --modelcompare-fresh: stored runs do not count")
    store(parser)


def power(parser: Parser) -> None:
    suites(parser)
    text = "share of rows that only one of two contestants gets right (default: 0.15)"
    parser.add_argument("--discordance", type=share, default=0.15, metavar="SHARE", help=text)
    parser.add_argument(
        "--store", default=STORE, metavar="DIR", help=f"where files named by URL are kept (default: {STORE})"
    )


def recommend(parser: Parser) -> None:
    results(parser)
    text = "most milliseconds for the 95th percentile of latency"
    parser.add_argument("--max-latency-ms", type=amount, metavar="MS", help=text)
    parser.add_argument("--max-cost-per-1k", type=amount, metavar="USD", help="most USD per 1,000 predictions")
    parser.add_argument("--max-size-mb", type=amount, metavar="MB", help="most MB for the weights on disk")
    parser.add_argument("--min-accuracy", type=share, metavar="SHARE", help="least accuracy")
    parser.add_argument("--per-month", type=amount, metavar="N", help="predictions a month; training once counts too")
    text = "accuracy that a lower price is worth (default: 0.01)"
    parser.add_argument("--within", type=share, default=0.01, metavar="SHARE", help=text)
    store(parser)


def report(parser: Parser) -> None:
    text = "a suite file, for its last session in the store; or a report.json"
    parser.add_argument("suite", metavar="SUITE", help=text)
    text = ".json, .html or .md, repeatable (default: the summary, here)"
    parser.add_argument("-o", "--output", action="append", default=[], metavar="FILE", help=text)
    store(parser)


def schema(parser: Parser) -> None:
    parser.add_argument("--report", action="store_true", help="of report.json instead of suite files")


def store_command(parser: Parser) -> None:
    store(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    text = "remove runs, timings and caches that no session has used for so long; downloads and history stay"
    prune = actions.add_parser("prune", help=text, description=text)
    prune.add_argument("--older-than", type=amount, required=True, metavar="DAYS", help="days since it was last used")
    text = "keep runs that accepted records (*.accepted.json below this folder) name"
    prune.add_argument("--keep-accepted", action="store_true", help=text)
    prune.add_argument("--answers", action="store_true", help="LLM answers too, which were paid for")
    prune.add_argument("--dry-run", action="store_true", help="say what would go, remove nothing")


def suites(parser: Parser) -> None:
    text = "suite files, or folders with suites (default: this folder)"
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=text)


def suite(parser: Parser) -> None:
    parser.add_argument("suite", metavar="SUITE", help="a suite file")


def results(parser: Parser) -> None:
    text = "a suite file or a folder with suites, for their last session in the store (default: this folder); or a "
    parser.add_argument("suite", nargs="?", default=".", metavar="SUITE", help=f"{text}report.json")


def store(parser: Parser) -> None:
    parser.add_argument("--store", default=STORE, metavar="DIR", help=f"the store (default: {STORE})")


def share(text: str) -> float:
    """A number above 0, at most 1."""
    value = float(text)
    if not 0 < value <= 1:
        raise ValueError(text)
    return value


def amount(text: str) -> float:
    """A finite number, 0 or more."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


def count(text: str) -> int:
    """A whole number, 1 or more."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


COMMANDS: Mapping[str, tuple[Callable[[Parser], None], str]] = {
    "init": (init, "write a suite that runs, out of a file with texts and labels"),
    "check": (check, "look at suite files without running anything"),
    "plan": (plan, "what would be trained and asked, and what it would cost"),
    "power": (power, "how likely each gate is to pass if it is true, before anything is trained or asked"),
    "report": (report, "stored results in any format: the summary, .html, .md, .json"),
    "history": (history, "what earlier sessions found, and what changed between two commits"),
    "recommend": (recommend, "which contestant to ship within stated limits, and how well that is shown"),
    "answers": (answers, "look at what LLMs are asked and what they answered"),
    "accept": (accept, "accept what `does not regress` gates find, or show what would change"),
    "export": (
        export,
        "write a trained contestant as a folder that transformers or onnxruntime loads, with a model card",
    ),
    "store": (store_command, "how large the store is; remove what was not used for long"),
    "schema": (schema, "print the JSON schema of suite files, for editors, or of report.json"),
    "completion": (completion, "print what a shell needs to complete this command"),
}
"""Sub-command → its arguments and its help; the work is in the module of that name."""
