"""Texts of others on a terminal and in a log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO, Any

KEPT = "\n\t"

COLOURS = r"\x1b\[[0-9;]*m"
"""Whoever reads a log for commands may leave them out."""

COMMAND = re.compile(rf"(?m)^((?:{COLOURS}|\s)*):(?=(?:{COLOURS})*:)")
"""GitHub's runner obeys `::command::` where nothing but white space stands before it.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

BRACKET = re.compile(rf"#(?=(?:{COLOURS})*#(?:{COLOURS}|\w)*\[)")
"""`##[command]`, `##vso[…]` of Azure Pipelines, `##teamcity[…]`: wherever they stand in a line."""


def printable(text: str) -> str:
    """A text in which control characters are spelled out: what a model says must not steer a terminal."""
    return "".join(one if one in KEPT or one.isprintable() else ascii(one)[1:-1] for one in text)


def obeyed_by_none(text: str) -> str:
    """Lines of a log without commands to the service that runs the build: what would begin one is spelled out.

    To be applied last, when lines are as they will be printed.
    """
    return BRACKET.sub(r"\\u0023", COMMAND.sub(r"\1\\u003a", text))


@dataclass
class ObeyedByNone:
    """A stream that passes on what `obeyed_by_none` leaves of the lines written to it."""

    stream: IO[str]
    fresh: bool = True
    """Whether a line begins with what is written next."""

    def write(self, text: str) -> int:
        first, end, rest = text.partition("\n")
        first = obeyed_by_none(first) if self.fresh else BRACKET.sub(r"\\u0023", first)
        self.stream.write(first + end + obeyed_by_none(rest))
        if text:
            blank = not re.sub(COLOURS, "", text).strip()
            self.fresh = text.endswith("\n") or (self.fresh and not end and blank)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
