"""Figures, and arithmetic between them, read from left to right by recursive descent."""

from __future__ import annotations

from pytest_modelcompare.gates.claims import Arithmetic, Expression, Metric, Number, number_text, quoted_label
from pytest_modelcompare.gates.tokens import FORMS, GateSyntaxError, Token, tokens, unquoted
from pytest_modelcompare.records.hints import did_you_mean

DEEPEST = 50


class ExpressionParser:
    """A sentence, and how far it has been read."""

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
            near = did_you_mean(self.token.text.casefold(), [text]) if self.token.kind == "name" else None
            raise self.error(f"expected `{text}`{self.found()}", hint=near or hint)
        return self.take()

    def found(self) -> str:
        return f", found `{self.token.text}`" if self.token.text else ", but the sentence ends"

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error("too deeply nested", hint=None)

    def expression(self) -> Expression:
        self.deeper()
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
            self.deeper()
            inner = self.factor()
            self.depth -= 1
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
