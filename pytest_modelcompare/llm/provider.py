"""What a provider of LLMs does: one request, one reply, and errors that say whether to try again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.prompts import Request
from pytest_modelcompare.pricing.price_list import Usage


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    text: str
    stop_reason: str
    usage: Usage


class Transient(Exception):
    """Worth trying again: too many requests, overloaded, a server's error, a dropped connection.

    Args:
        reason: in words, without anything secret.
        retry_after_s: how long the service wants to be left alone, if it said so.
        sent: whether the request may have been answered, and billed, without our hearing of it.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None, *, sent: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent
        self.reason = reason
        self.retry_after_s = retry_after_s


class GrammarTooLarge(Exception):
    """The service cannot restrict an answer to so many labels."""


class Provider(Protocol):
    """One service. Wrapped by storing, pace and budget, which are the same for all."""

    async def ask(self, request: Request) -> Answer:
        """Make one request.

        Raises:
            Transient: try again.
            GrammarTooLarge: ask for free text.
            LLMError: for good; carries the service's own words.
        """

    async def close(self) -> None:
        """Give back connections."""


__all__ = ["Answer", "GrammarTooLarge", "LLMError", "Provider", "Transient"]
