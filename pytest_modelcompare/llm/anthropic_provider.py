"""Anthropic's Messages API through its SDK. Retries are ours: the SDK's are off, or they would multiply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_modelcompare.llm.anthropic_batches import AnthropicBatches
from pytest_modelcompare.llm.anthropic_messages import TRY_AGAIN, answer_of, body, counted, too_long, words_of
from pytest_modelcompare.llm.http_errors import cut_off, limit_headers, passing, permanent, shown_words
from pytest_modelcompare.llm.prompts import Request
from pytest_modelcompare.llm.provider import Access, Answer, GrammarTooLarge, Transient
from pytest_modelcompare.pricing.price_list import Usage

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

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
