"""Anthropic's Message Batches API through its SDK."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.anthropic_messages import TRY_AGAIN, answer_of, body, words_of
from pytest_modelcompare.llm.batch_service import Ended, Unanswered, UnknownBatch
from pytest_modelcompare.llm.http_errors import cut_off, passing, shown_words
from pytest_modelcompare.llm.provider import Answer, Transient
from pytest_modelcompare.llm.request import Request

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

CLOCKS_DIFFER = timedelta(minutes=5)
BELATED = timedelta(hours=1)
"""A batch may be made so long after it was first sent: retries take their time."""

RECENT = 100
"""Batches looked through for one whose response was cut off."""


class AnthropicBatches:
    """What the client of Anthropic can do beside single requests."""

    client: AsyncAnthropic
    secret: str

    def batch_bytes(self, request: Request) -> int:
        return len(json.dumps(entry(request)).encode()) + 2

    async def create_batch(self, requests: Sequence[Request]) -> str:
        with in_our_words(self.client, self.secret, sent=True):
            made = await self.client.messages.batches.create(requests=[entry(request) for request in requests])
        return made.id

    async def lost_batch(self, size: int, known: Collection[str], since: datetime) -> str | None:
        with in_our_words(self.client, self.secret):
            page = await self.client.messages.batches.list(limit=RECENT)
        for batch in page.data:
            counts = batch.request_counts
            total = counts.processing + counts.succeeded + counts.errored + counts.expired + counts.canceled
            then = since - CLOCKS_DIFFER <= batch.created_at <= since + BELATED
            if batch.id not in known and total == size and then:
                return batch.id
        return None

    async def batch_ended(self, batch: str) -> Ended | None:
        import anthropic

        with in_our_words(self.client, self.secret):
            try:
                found = await self.client.messages.batches.retrieve(batch)
            except anthropic.NotFoundError:
                raise UnknownBatch(f"anthropic knows no batch {batch} for this key") from None
        if found.processing_status != "ended":
            return None
        return Ended(found.ended_at or datetime.now(UTC), kept=found.results_url is not None)

    async def batch_results(self, batch: str) -> AsyncIterator[tuple[str, Answer | Unanswered]]:
        with in_our_words(self.client, self.secret):
            async for line in await self.client.messages.batches.results(batch):
                result = line.result
                if result.type == "succeeded":
                    answer = answer_of(result.message, {}, result.message.model)
                    yield line.custom_id, replace(answer, usage=replace(answer.usage, batch=True))
                else:
                    yield line.custom_id, Unanswered(result.type)


def entry(request: Request) -> Any:
    """One request of a batch; its key is 64 characters long, as long as an id may be."""
    return {"custom_id": request.key(), "params": body(request)}


@contextmanager
def in_our_words(client: AsyncAnthropic, secret: str, *, sent: bool = False) -> Iterator[None]:
    """The SDK's errors as ours; the key is cut out of whatever the service echoes.

    Args:
        sent: whether a connection that breaks may leave something behind at the service.
    """
    import anthropic
    import httpx2

    try:
        yield
    except (anthropic.APIConnectionError, httpx2.TransportError) as error:
        raise cut_off(error, client.base_url, sent=sent) from None
    except anthropic.APIStatusError as error:
        said, status = shown_words(words_of(error), secret), error.status_code
        if status in TRY_AGAIN or status >= 500:
            failed = passing(status, said, error.response.headers)
            failed.sent = sent and (failed.sent or status >= 500)  # looking for a batch costs less than a second one
            raise failed from None
        raise LLMError(
            f"anthropic refuses a batch for good ({status}): {said}",
            fix="check the key and the account, or leave `batch` out; answers so far are stored",
        ) from None
    except (ValueError, RecursionError) as error:  # a proxy's page instead of JSON, or a line that was cut
        raise Transient(f"the response is not readable: {type(error).__name__}", sent=sent) from None
