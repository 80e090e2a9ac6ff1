"""The words, numbers and signs of a sentence, and the error that says where one does not belong."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_modelcompare.errors import GateError

FORMS = "a gate is `A.metric >= number`, `A beats B on metric [by X]` or `A matches B on metric within X`"
TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?P<percent>%)?)
    |(?P<name>[^\W\d]\w*)
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<op><=|>=|==|!=|<|>|=|[-+*/().,\[\]])""",
    re.VERBOSE,
)


class GateSyntaxError(GateError):
    """A sentence that is no gate.

    Args:
        column: 1-based, within the sentence.
        width: characters to underline.
    """

    def __init__(self, message: str, column: int, width: int = 1, hint: str | None = None) -> None:
        super().__init__(message, where=f"column {column}", fix=hint)
        self.column = column
        self.width = width


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    column: int


def tokens(text: str) -> list[Token]:
    """Words, numbers and signs; the last token is an empty one at the end."""
    found = []
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise GateSyntaxError(f"unexpected `{text[position]}`", position + 1, 1, FORMS)
        if match.group("percent"):
            share = number_of_percent(match.group())
            raise GateSyntaxError(
                "percentages are not numbers here", position + 1, len(match.group()), f"write {share}"
            )
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), position + 1))
        position = match.end()
    return [*found, Token("end", "", max(len(text.rstrip()), 1))]


def number_of_percent(text: str) -> str:
    return f"{float(text[:-1]) / 100:g}"


def unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
