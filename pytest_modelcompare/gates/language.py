"""From a sentence to a claim, errors with their column."""

from __future__ import annotations

from pytest_modelcompare.gates.claims import Beats, Claim, Comparison, DoesNotRegress, Matches, Measure
from pytest_modelcompare.gates.expressions import ExpressionParser
from pytest_modelcompare.gates.tokens import FORMS, GateSyntaxError
from pytest_modelcompare.records.hints import did_you_mean

VERBS = ("beats", "matches", "does")


def parse(text: str) -> Claim:
    """The claim that a sentence makes.

    Raises:
        GateSyntaxError: with the column inside the sentence.
    """
    return Parser(text).claim()


def contestant_named(text: str) -> str:
    """A contestant's name as the suite holds it: `a[C = 1e1,D=2]` is `a[C=10, D=2]`; other text stays."""
    try:
        parser = Parser(text)
        name = parser.contestant()
    except GateSyntaxError:
        return text
    return name if parser.token.kind == "end" else text


class Parser(ExpressionParser):
    """One sentence."""

    def claim(self) -> Claim:
        claim = self.sentence() or self.comparison()
        if self.token.kind != "end":
            if self.token.text in ("and", "or", "&", "|"):
                raise self.error(
                    f"a gate is one claim; `{self.token.text}` joins two", hint="write two gates, or `any_of:`"
                )
            if self.token.text in ("<", "<=", ">", ">="):
                raise self.error("a gate compares once", hint="write two gates")
            raise self.error(f"unexpected `{self.token.text}` after the claim", hint=self.hint_at_the_end(claim))
        return claim

    def sentence(self) -> Claim | None:
        """`A beats B …`, `A matches B …`, `A does not regress …`, or None where it is a comparison."""
        start = self.at
        if self.token.kind != "name":
            return None
        column = self.token.column
        name = self.contestant()
        verb = self.token.text if self.token.kind == "name" else ""
        if verb not in VERBS:
            self.require_no_other_verb(name)
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
            near = did_you_mean(self.token.text.casefold(), ["within"]) if self.token.kind == "name" else None
            raise self.error("`matches` needs its margin", hint=near or "write `… within 0.01`")
        return Matches(name, other, measure, within, column, b_column)

    def require_no_other_verb(self, name: str) -> None:
        """Two words side by side are a sentence, and this one's verb is none.

        Raises:
            GateSyntaxError: with the nearest verb.
        """
        if self.token.kind != "name":
            return
        verb, following = self.token.text, self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if following.text in ("<", "<=", ">", ">="):
            raise self.error(f"`{name} {verb}` is no figure", hint=f"write `{name}.{verb}`")
        raise self.error(f"`{verb}` is no verb of a gate", hint=did_you_mean(verb.casefold(), VERBS) or FORMS)

    def hint_at_the_end(self, claim: Claim) -> str:
        """What a word after a claim may have been meant for."""
        margin = "by" if isinstance(claim, Beats) else "within"
        if isinstance(claim, Comparison) or self.token.kind != "name":
            return FORMS
        if self.token.text in ("by", "within"):
            return f"here the margin is `{margin} X`"
        return did_you_mean(self.token.text.casefold(), [margin]) or FORMS

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

    def measure(self) -> Measure:
        self.expect("on")
        if self.token.kind != "name":
            raise self.error(f"expected a metric{self.found()}")
        token = self.take()
        argument = self.argument()
        return Measure(token.text, self.label(), argument, token.column)

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
