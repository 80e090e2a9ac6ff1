"""What a provider of LLMs does: one request, one reply, and errors that say whether to try again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.wording import Form
from pytest_modelcompare.pricing.price_list import Usage
from pytest_modelcompare.records.addresses import without_user
from pytest_modelcompare.store.batches import SentBatch, starts


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    text: str
    stop_reason: str
    """`end_turn`, or what leaves no answer: refusal, content_filter, max_tokens, model_context_window_exceeded."""

    usage: Usage
    headers: Mapping[str, str] = field(default_factory=dict)
    """What the service said of its limits: its rate-limit headers, names in lower case. Not stored."""


class Transient(Exception):
    """Worth trying again: too many requests, overloaded, a server's error, a dropped connection.

    Args:
        reason: in words, without anything secret.
        retry_after_s: how long the service wants to be left alone, if it said so.
        sent: whether the request may have been answered, and billed, without our hearing of it.
        unreached: the address, where no connection to it was made: the service knows nothing of the request.
        status: the HTTP status; None without a response.
        headers: as in `Answer`.
    """

    def __init__(
        self,
        reason: str,
        retry_after_s: float | None = None,
        *,
        sent: bool = False,
        unreached: str | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.unreached = unreached
        self.sent = sent
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.status = status
        self.headers = headers or {}


class Uncounted(LLMError):
    """A response that does not say what it took. It cannot be used, and it may have been billed."""


class GrammarTooLarge(Exception):
    """The service cannot restrict answers of this form: too many labels, or no such ability.

    Args:
        said: the service's own words.
        form: what was asked for; the other forms are not concerned.
    """

    def __init__(self, said: str, form: Form = "label") -> None:
        super().__init__(said)
        self.form: Form = form


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


@dataclass(frozen=True, slots=True)
class Access:
    """What a provider needs to reach its service."""

    model: str
    """Without the provider's name."""

    api_key: str | None
    """From the environment; None where none is set and none is needed."""

    base_url: str | None
    """An address other than the provider's own."""

    base: Path
    """The suite's folder."""


@dataclass(frozen=True, slots=True)
class ProviderKind:
    """One provider as suites name it: `prompt: NAME:MODEL`."""

    name: str
    """Lower case letters, digits, `_` and `-`, beginning with a letter."""

    connect: Callable[[Access], Provider]
    """Makes a client. Imports its SDK no sooner."""

    key_env: str | None = None
    """The environment variable that holds its key, unless the suite says another; None: it needs no key."""

    url_env: str | None = None
    """The environment variable with another address, where its SDK reads one."""

    key_needed_elsewhere: bool = True
    """Whether another address needs the key too, even where the suite names no variable."""

    largest_menu: int = 100
    """More labels than this are never sent as a closed menu; the answer is then free text, checked here."""

    batches: bool = False
    """Whether its client is a `BatchService` too."""

    counts_tokens: bool = False
    """Whether its client has `count_tokens(request)`, which costs nothing."""

    libraries: tuple[str, ...] = ()
    """What its client is made with, of the libraries that extras install."""


__all__ = ["Access", "Answer", "GrammarTooLarge", "LLMError", "Provider", "ProviderKind", "Transient", "Usage"]


@dataclass(frozen=True, slots=True)
class Ended:
    """A batch that the service is done with."""

    at: datetime
    kept: bool = True
    """False: its results are no longer there."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What became of a request in a batch that has no answer."""

    kind: str
    """errored, expired or canceled."""


class UnknownBatch(LLMError):
    """The service does not know a batch: it was deleted, or belongs to the key of another workspace."""


@runtime_checkable
class BatchService(Protocol):
    """What a provider's client can do beside single requests. Each raises Transient and LLMError as `ask` does."""

    def batch_bytes(self, request: Request) -> int:
        """What a request adds to a batch's size."""

    async def create_batch(self, requests: Sequence[Request]) -> str:
        """Send a batch; each request goes by its key. Returns the batch's id."""

    async def lost_batch(self, size: int, known: Collection[str], since: datetime) -> str | None:
        """The id of a batch of this size that was made since and is not known: its response was cut off."""

    async def batch_ended(self, batch: str) -> Ended | None:
        """None while it is under way.

        Raises:
            UnknownBatch: the service has none of this id for this key.
        """

    def batch_results(self, batch: str) -> AsyncIterator[tuple[str, Answer | Unanswered]]:
        """Key and answer of each request, in any order."""


class BatchBook(Protocol):
    """Which batches are under way, kept beyond this process."""

    def open(self, service: str) -> Mapping[str, Collection[str]]:
        """Batch id → the first digits of its requests' keys."""

    def known(self) -> Collection[str]:
        """The ids of all batches that were ever opened, of whatever service."""

    def unheard(self, service: str) -> Sequence[SentBatch]:
        """Batches that were about to be sent, and whose id nobody heard."""

    def sending(self, service: str, keys: Sequence[str]) -> None: ...

    def unsent(self, service: str, keys: Sequence[str]) -> None: ...

    def opened(self, service: str, batch: str, keys: Sequence[str]) -> None: ...

    def closed(self, service: str, batch: str) -> None: ...


@dataclass(slots=True)
class NoBook:
    """Remembers batches for as long as it lives."""

    batches: dict[str, list[str]] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)

    def open(self, service: str) -> Mapping[str, Collection[str]]:  # noqa: ARG002
        return dict(self.batches)

    def known(self) -> Collection[str]:
        return self.ever

    def unheard(self, service: str) -> Sequence[SentBatch]:  # noqa: ARG002
        return ()

    def sending(self, service: str, keys: Sequence[str]) -> None:
        pass

    def unsent(self, service: str, keys: Sequence[str]) -> None:
        pass

    def opened(self, service: str, batch: str, keys: Sequence[str]) -> None:  # noqa: ARG002
        self.ever.add(batch)
        self.batches[batch] = starts(keys)

    def closed(self, service: str, batch: str) -> None:  # noqa: ARG002
        self.batches.pop(batch, None)


def service_name(model: str, base_url: str | None) -> str:
    """Under which a book keeps the batches of one model at one address."""
    return f"{model} {without_user(base_url or '')}".strip()
