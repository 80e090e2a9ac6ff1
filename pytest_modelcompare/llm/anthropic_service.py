"""Anthropic's services: messages, one by one and in batches, spoken through its SDK."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.http_errors import (
    checked,
    cut_off,
    limit_headers,
    passing,
    permanent,
    shown_words,
    uncounted,
)
from pytest_modelcompare.llm.provider import Access, Answer, Ended, GrammarTooLarge, Transient, Unanswered, UnknownBatch
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.pricing.price_list import Usage

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import Message
    from anthropic.types import Usage as BilledUsage

PROTOCOL = "Anthropic's Messages API"
TRY_AGAIN = (408, 409, 429)
"""Statuses below 500 that pass."""


def body(request: Request) -> dict[str, Any]:
    """The request as the SDK takes it. There is no temperature: the API has none."""
    config: dict[str, Any] = {}
    if request.menu:
        config["format"] = {"type": "json_schema", "schema": request.schema()}
    if request.effort:
        config["effort"] = request.effort
    last = request.cached_turns
    return {
        "model": request.model,
        "max_tokens": request.max_output_tokens,
        "system": content(request.system, cached=last == 0),
        "messages": [
            {"role": role, "content": content(text, cached=turn == last)}
            for turn, (role, text) in enumerate(request.messages, 1)
        ],
        **({"output_config": config} if config else {}),
    }


def counted(request: Request) -> dict[str, Any]:
    """The request as its tokens are counted."""
    asked = body(request)
    del asked["max_tokens"]
    return asked


def content(text: str, *, cached: bool) -> Any:
    """A text; as a block with a mark where the cache is to hold everything up to here."""
    return [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}] if cached else text


def answer_of(message: Message, headers: dict[str, str], model: str) -> Answer:
    """Text, stop reason and tokens by class.

    Raises:
        Uncounted: the response has no content, or no count of tokens, without which it has no price.
    """
    what = "no answer"
    try:
        text = "".join(block.text for block in message.content if block.type == "text")
        stop = message.stop_reason or "end_turn"
        what = "no count of tokens"
        usage = usage_of(message.usage)
    except (AttributeError, TypeError):
        raise uncounted("anthropic", model, what, PROTOCOL) from None
    return checked(Answer(text, stop, usage, headers), "anthropic", model, PROTOCOL)


def usage_of(usage: BilledUsage) -> Usage:
    """Tokens by class; thinking is billed as output and counted there."""
    written = usage.cache_creation_input_tokens or 0
    hour = usage.cache_creation.ephemeral_1h_input_tokens if usage.cache_creation else 0
    return Usage(
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_input_tokens or 0,
        written - hour,
        hour,
        batch=usage.service_tier == "batch",
        thinking_tokens=usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else 0,
    )


def words_of(error: Any) -> str:
    """The service's own words."""
    inner = error.body.get("error") if isinstance(error.body, dict) else None
    said = inner.get("message") if isinstance(inner, dict) else None
    return str(said or error.message)


def too_long(error: Any) -> bool:
    """One row's prompt does not fit: that row is wrong, the others go on."""
    return bool(error.status_code == 400 and "prompt is too long" in words_of(error).lower())


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


TIMEOUT_S = 120.0
COUNT_TIMEOUT_S = 10.0


class AnthropicProvider(AnthropicBatches):
    """The real service, or whatever speaks its protocol at `base_url`."""

    def __init__(self, access: Access, timeout_s: float = TIMEOUT_S) -> None:
        from anthropic import AsyncAnthropic

        self.secret = access.api_key or ""
        self.client: AsyncAnthropic = AsyncAnthropic(
            api_key=access.api_key, base_url=access.base_url, max_retries=0, timeout=timeout_s
        )

    async def ask(self, request: Request) -> Answer:
        import anthropic

        try:
            raw = await self.client.messages.with_raw_response.create(**body(request))
            message = await raw.parse()
        except (ValueError, RecursionError) as error:  # a proxy's page instead of JSON
            raise Transient(f"the response is not readable: {type(error).__name__}", sent=True) from None
        except anthropic.APIConnectionError as error:
            raise cut_off(error, self.client.base_url) from None
        except anthropic.APIStatusError as error:
            if too_long(error):
                return Answer("", "model_context_window_exceeded", Usage(0, 0))
            raise self.worded(error, request) from None  # the SDK's text may echo the key
        return answer_of(message, limit_headers(raw.headers), request.model)

    async def count_tokens(self, request: Request) -> int:
        """Input tokens as the service would bill them; asking costs nothing."""
        import anthropic

        try:
            found = await self.client.messages.count_tokens(**counted(request), timeout=COUNT_TIMEOUT_S)
        except (ValueError, anthropic.APIConnectionError) as error:
            raise Transient(f"no count: {type(error).__name__}") from None
        except anthropic.APIStatusError as error:
            raise self.worded(error, request) from None
        return found.input_tokens

    async def close(self) -> None:
        await self.client.close()

    def worded(self, error: Any, request: Request) -> Exception:
        """A status as one of our errors; the key is cut out of whatever the service echoes."""
        said = shown_words(words_of(error), self.secret)
        if error.status_code in TRY_AGAIN or error.status_code >= 500:
            return passing(error.status_code, said, error.response.headers)
        if error.status_code == 400 and request.menu and ("grammar" in said.lower() or "schema is too" in said.lower()):
            return GrammarTooLarge(said, request.form)
        return permanent(error.status_code, said, request)
