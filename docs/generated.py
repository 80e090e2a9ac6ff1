"""An mkdocs hook: `<!-- generated: NAME -->` in a page becomes what the code says of itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pytest_modelcompare.cli import COMMANDS
from pytest_modelcompare.metrics import reference as metrics
from pytest_modelcompare.plugin import VALUED
from pytest_modelcompare.suite import reference as suites

MARK = re.compile(r"<!-- generated: (\w+) -->")


def options() -> str:
    """A table row per option with a value, from the plugin's own list."""
    head = ["| option | ini | default | meaning |", "|---|---|---|---|"]
    rows = [
        f"| `--modelcompare-{name}={escaped(metavar)}` | `modelcompare_{name}` | {default or '–'} | {escaped(text)} |"
        for name, default, _, metavar, text in VALUED
    ]
    return "\n".join(head + rows) + "\n"


def commands() -> str:
    """A table row per sub-command."""
    rows = [f"| `modelcompare {name}` | {escaped(text)} |" for name, (_, text) in COMMANDS.items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows]) + "\n"


def escaped(text: str) -> str:
    """A bar would end the table's cell."""
    return text.replace("|", "\\|")


SOURCES: dict[str, Callable[[], str]] = {
    "metrics": metrics.markdown,
    "suites": suites.markdown,
    "options": options,
    "commands": commands,
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """mkdocs calls this with each page's text."""
    return MARK.sub(lambda match: SOURCES[match.group(1)](), markdown)
