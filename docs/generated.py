"""An mkdocs hook: `<!-- generated: NAME -->` in a page becomes what the code says of itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pytest_modelcompare import hookspecs
from pytest_modelcompare.cli import COMMANDS
from pytest_modelcompare.metrics import reference as metrics
from pytest_modelcompare.plugin import VALUED, pytest_addoption
from pytest_modelcompare.reports.schema import report_schema
from pytest_modelcompare.suite import reference as suites

MARK = re.compile(r"<!-- generated: (\w+) -->")
TITLE = re.compile(r"^# (\d+)\. (.+)$", re.MULTILINE)
DOCS = Path(__file__).parent


class Declared:
    """Stands for a parser, pytest's or argparse's, and keeps what is declared to it."""

    def __init__(self) -> None:
        self.options: list[tuple[tuple[str, ...], dict[str, Any]]] = []
        self.ini: list[tuple[str, str, str, Any]] = []
        self.actions: list[tuple[str, Declared]] = []

    def getgroup(self, *_: str) -> Declared:
        return self

    def addoption(self, *names: str, **facts: Any) -> None:
        self.options.append((names, facts))

    add_argument = addoption

    def addini(self, name: str, text: str, **facts: Any) -> None:
        self.ini.append((name, text, facts["type"], facts["default"]))

    def add_subparsers(self, **_: Any) -> Declared:
        return self

    def add_parser(self, name: str, **_: Any) -> Declared:
        self.actions.append((name, Declared()))
        return self.actions[-1][1]


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def options() -> str:
    """A table row per option with a value, from the plugin's own list."""
    rows = (
        (
            f"`--modelcompare-{name}={escaped(metavar)}`",
            f"`modelcompare_{name}`" if f"modelcompare_{name}" in ini_names() else "–",
            str(default or "–"),
            escaped(text),
        )
        for name, default, _, metavar, text in VALUED
    )
    return table(("option", "ini", "default", "meaning"), rows)


def ini_names() -> set[str]:
    return {name for name, *_ in declared_to_pytest().ini}


def declared_to_pytest() -> Declared:
    found: Any = Declared()
    pytest_addoption(found)
    return found


def ini() -> str:
    """A table row per ini option, as pytest is told of it."""
    rows = (
        (f"`{name}`", kind, shown(default), escaped(text)) for name, text, kind, default in declared_to_pytest().ini
    )
    return table(("ini", "type", "default", "meaning"), rows)


def shown(default: Any) -> str:
    text = (
        " ".join(default)
        if isinstance(default, list)
        else str(default).lower()
        if isinstance(default, bool)
        else default
    )
    return f"`{text}`" if text else "–"


def commands() -> str:
    """A table row per sub-command."""
    rows = ((f"`modelcompare {name}`", escaped(text)) for name, (_, text) in COMMANDS.items())
    return table(("command", "what it does"), rows)


def arguments() -> str:
    """Every sub-command's arguments."""
    parts = []
    for name, (declare, _) in COMMANDS.items():
        found: Any = Declared()
        declare(found)
        for action, one in [("", found), *found.actions]:
            if one.options:
                title = f"### `modelcompare {' '.join((name, action)).strip()}`"
                parts.append(f"{title}\n\n{table(('argument', 'meaning'), argument_rows(one))}")
    return "\n".join(parts)


def argument_rows(found: Declared) -> Iterator[tuple[str, ...]]:
    for names, facts in found.options:
        metavar = facts.get("metavar") or "|".join(facts.get("choices", ()))
        value = " ".join(metavar) if isinstance(metavar, tuple) else metavar
        flag = names[0].startswith("-")
        said = f"{', '.join(names)} {value}".strip() if flag else value or names[0]
        yield f"`{escaped(said)}`", escaped(facts.get("help", ""))


def report() -> str:
    """Every record of report.json, from its schema."""
    schema = report_schema()
    parts, waiting, told = [], [("The file", schema)], set[str]()
    while waiting:
        name, one = waiting.pop(0)
        if name not in told and "properties" in one:
            told.add(name)
            inside = re.findall(r"'#/\$defs/(\w+)'", str(one["properties"]))
            waiting += [(below, schema["$defs"][below]) for below in inside]
            fields = one["properties"].items()
            rows = ((f"`{key}`", kind(field), escaped(field.get("description", ""))) for key, field in fields)
            parts.append(f"## {name}\n\n{one.get('description', '')}\n\n{table(('field', 'type', 'meaning'), rows)}")
    return "\n".join(parts)


def kind(field: dict[str, Any]) -> str:
    """A JSON type in words; records link to their table."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(" or ".join(kind(one) for one in field["anyOf"]).split(" or ")))
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return f"list of {kind(field['items'])}" if field.get("items") else "list"
    inside = field.get("additionalProperties")
    if field.get("type") == "object":
        return f"by name: {kind(inside)}" if isinstance(inside, dict) else "object"
    said = field.get("type", "anything")
    return " or ".join(said) if isinstance(said, list) else said


def hooks() -> str:
    """Every hook that a conftest may implement, with its docstring."""
    found = [(name, one) for name, one in vars(hookspecs).items() if name.startswith("pytest_modelcompare_")]
    return "\n".join(
        f"### `{name}(config)`\n\n{inspect.cleandoc(one.__doc__ or '').partition('Args:')[0].strip()}\n"
        for name, one in found
    )


def decisions() -> str:
    """The titles of the decision pages."""
    lines = ["| | decision |", "|---|---|"]
    for page in sorted((DOCS / "decisions").glob("0*.md")):
        number, title = TITLE.findall(page.read_text(encoding="utf-8"))[0]
        lines.append(f"| {number} | [{title}]({page.name}) |")
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """A bar would end the table's cell."""
    return text.replace("|", "\\|")


SOURCES: dict[str, Callable[[], str]] = {
    "metrics": metrics.markdown,
    "suites": suites.markdown,
    "options": options,
    "ini": ini,
    "commands": commands,
    "arguments": arguments,
    "report": report,
    "hooks": hooks,
    "decisions": decisions,
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """mkdocs calls this with each page's text."""
    return MARK.sub(lambda match: SOURCES[match.group(1)](), markdown)
