"""What a service that answers in batches can do, and what is remembered of batches under way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.provider import Answer
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.records.addresses import without_user
from pytest_modelcompare.store.batches import SentBatch, starts


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
