"""From a sentence to a claim: a tokenizer and a recursive descent, errors with their column."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.claims import (
    Arithmetic,
    Beats,
    Claim,
    Comparison,
    DoesNotRegress,
    Expression,
    Matches,
    Measure,
    Metric,
    Number,
    number_text,
    quoted_label,
)

FORMS = "a gate is `A.metric >= number`, `A beats B on metric [by X]` or `A matches B on metric within X`"
DEEPEST = 50
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


def parse(text: str) -> Claim:
    """The claim that a sentence makes.

    Raises:
        GateSyntaxError: with the column inside the sentence.
    """
    return Parser(text).claim()


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


class Parser:
    """One sentence, read from left to right."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.token
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def error(self, message: str, token: Token | None = None, hint: str | None = FORMS) -> GateSyntaxError:
        token = token or self.token
        return GateSyntaxError(message, token.column, max(len(token.text), 1), hint)

    def expect(self, text: str, hint: str | None = FORMS) -> Token:
        if self.token.text != text or self.token.kind == "string":
            raise self.error(f"expected `{text}`{self.found()}", hint=hint)
        return self.take()

    def found(self) -> str:
        return f", found `{self.token.text}`" if self.token.text else ", but the sentence ends"

    def claim(self) -> Claim:
        claim = self.sentence() or self.comparison()
        if self.token.kind != "end":
            if self.token.text in ("and", "or", "&", "|"):
                raise self.error(
                    f"a gate is one claim; `{self.token.text}` joins two", hint="write two gates, or `any_of:`"
                )
            if self.token.text in ("<", "<=", ">", ">="):
                raise self.error("a gate compares once", hint="write two gates")
            raise self.error(f"unexpected `{self.token.text}` after the claim")
        return claim

    def sentence(self) -> Claim | None:
        """`A beats B …`, `A matches B …`, `A does not regress …`, or None where it is a comparison."""
        start = self.at
        if self.token.kind != "name":
            return None
        column = self.token.column
        name = self.contestant()
        verb = self.token.text if self.token.kind == "name" else ""
        if verb not in ("beats", "matches", "does"):
            self.at = start
            return None
        self.take()
        if verb == "does":
            self.expect("not")
            self.expect("regress")
            measure = self.measure()
            return DoesNotRegress(name, measure, self.margin("within"), column)
        b_column = self.token.column
        other = self.contestant()
        measure = self.measure()
        if verb == "beats":
            return Beats(name, other, measure, self.margin("by") or 0.0, column, b_column)
        within = self.margin("within")
        if within is None:
            raise self.error("`matches` needs its margin", hint="write `… within 0.01`")
        return Matches(name, other, measure, within, column, b_column)

    def contestant(self) -> str:
        """A name, or a sweep member `name[setting=value, …]` as the sweep calls it."""
        if self.token.kind != "name":
            raise self.error(f"expected a contestant{self.found()}")
        name = self.take().text
        if self.token.text != "[":
            return name
        opened, texts = 0, []
        while self.token.kind != "end":
            opened += {"[": 1, "]": -1}.get(self.token.text, 0)
            texts.append(as_named(self.take()))
            if not opened:
                return name + "".join(texts)
        raise self.error(f"expected `]`{self.found()}")

    def measure(self) -> Measure:
        self.expect("on")
        if self.token.kind != "name":
            raise self.error(f"expected a metric{self.found()}")
        token = self.take()
        return Measure(token.text, self.label(), token.column)

    def margin(self, word: str) -> float | None:
        if self.token.text != word:
            return None
        self.take()
        sign = -1.0 if self.token.text == "-" and self.take() else 1.0
        if self.token.kind != "number":
            raise self.error(
                f"expected a number{self.found()}", hint=f"the margin is a number in the metric's unit: `{word} 0.02`"
            )
        return sign * self.number().value

    def label(self) -> str | None:
        """`[label]`, quoted where it is no plain word."""
        if self.token.text != "[":
            return None
        self.take()
        if self.token.kind not in ("name", "string", "number"):
            raise self.error(
                f"expected a label{self.found()}", hint='quote labels that are no plain word: f1["my label"]'
            )
        token = self.take()
        label = unquoted(token.text) if token.kind == "string" else token.text
        self.expect("]", hint='quote labels that are no plain word: f1["my label"]')
        return label

    def comparison(self) -> Comparison:
        column = self.token.column
        left = self.expression()
        operator = self.token
        if operator.text in ("==", "!=", "="):
            raise self.error(f"`{operator.text}` is no claim that a sample can decide", hint="use <, <=, > or >=")
        if operator.text not in ("<", "<=", ">", ">="):
            raise self.error(f"expected <, <=, > or >={self.found()}")
        self.take()
        return Comparison(left, operator.text, self.expression(), column)

    def expression(self) -> Expression:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error("too deeply nested", hint=None)
        left = self.term()
        while self.token.text in ("+", "-") and self.token.kind == "op":
            operator = self.take()
            left = Arithmetic(operator.text, left, self.term(), operator.column)
        self.depth -= 1
        return left

    def term(self) -> Expression:
        left = self.factor()
        while self.token.text in ("*", "/") and self.token.kind == "op":
            operator = self.take()
            left = Arithmetic(operator.text, left, self.factor(), operator.column)
        return left

    def factor(self) -> Expression:
        token = self.token
        if token.text == "-":
            self.take()
            inner = self.factor()
            if isinstance(inner, Number):
                return Number(-inner.value, token.column)
            return Arithmetic("-", Number(0.0, token.column), inner, token.column)
        if token.kind == "number":
            return self.number()
        if token.text == "(":
            self.take()
            inner = self.expression()
            self.expect(")")
            return inner
        if token.kind == "name":
            return self.metric()
        raise self.error(f"expected a metric or a number{self.found()}")

    def number(self) -> Number:
        token = self.take()
        value = float(token.text)
        if value in (float("inf"), float("-inf")):
            raise self.error("a number too large", token, hint=None)
        return Number(value, token.column)

    def metric(self) -> Metric:
        first = self.token
        contestant = self.contestant()
        if self.token.text == "(":
            raise self.error(f"`{contestant}(…)`: gates call no functions", first)
        if self.token.text != ".":
            raise self.error(f"`{contestant}` alone is no figure", first, hint=f"write `{contestant}.accuracy`")
        self.take()
        if self.token.kind != "name":
            raise self.error(f"expected a metric{self.found()}")
        named = self.take()
        argument = self.argument()
        label = self.label()
        return Metric(contestant, named.text, label, argument, first.column, named.column)

    def argument(self) -> str | None:
        """`(cpu)`, `(128)`, `(cpu, 128)`, `(OTHER)`."""
        if self.token.text != "(":
            return None
        self.take()
        hint = (
            "only a device (`latency_p95_ms(cpu)`), a length in tokens (`latency_p95_ms(cpu, 128)`) or the other side "
            "(`break_even(OTHER)`) stands in parentheses"
        )
        parts: list[str] = []
        while not parts or self.token.text == ",":
            if parts:
                self.take()
            if self.token.kind not in ("name", "number"):
                raise self.error(f"expected a device, a length or a contestant{self.found()}", hint=hint)
            parts.append(self.take().text if self.token.kind == "number" else self.contestant())
        self.expect(")", hint=hint)
        return ", ".join(parts)


def as_named(token: Token) -> str:
    """A word of a sweep member's name: however a value is written, it is one value."""
    if token.kind == "number":
        return number_text(float(token.text))
    if token.kind == "string":
        return quoted_label(unquoted(token.text))
    return ", " if token.text == "," else token.text


def contestant_named(text: str) -> str:
    """A contestant's name as the suite holds it: `a[C = 1e1,D=2]` is `a[C=10, D=2]`; other text stays."""
    try:
        parser = Parser(text)
        name = parser.contestant()
    except GateSyntaxError:
        return text
    return name if parser.token.kind == "end" else text


def unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
