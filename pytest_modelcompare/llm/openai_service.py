"""OpenAI's Chat Completions, and whatever else speaks them at `base_url` (vLLM, Ollama). The SDK's retries are off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_modelcompare.errors import UnavailableError
from pytest_modelcompare.llm.http_errors import (
    checked,
    cut_off,
    limit_headers,
    passing,
    permanent,
    shown_words,
    uncounted,
)
from pytest_modelcompare.llm.provider import Access, Answer, GrammarTooLarge, Transient
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.pricing.price_list import Usage, priced_tier

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion
    from openai.types.completion_usage import CompletionUsage

PROTOCOL = "OpenAI's Chat Completions"
OWN_HOST = "api.openai.com"
"""Other addresses speak the protocol, and may refuse what is OpenAI's alone."""

STOPS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "content_filter"}
"""Its reasons to stop in the words of `Answer`."""


def is_own(base_url: str | None) -> bool:
    """Whether an address is OpenAI's own, one of its regions included."""
    host = urlsplit(base_url).hostname or "" if base_url else OWN_HOST
    return host == OWN_HOST or host.endswith(f".{OWN_HOST}")


def body(request: Request, limit_name: str, tier: str | None = None) -> dict[str, Any]:
    """The request as the SDK takes it. The temperature is the service's own: reasoning models refuse another.

    Args:
        tier: where the request names none; None: the service's own choice.
    """
    tier = request.service_tier or tier
    schema = {"name": "answer", "strict": True, "schema": request.schema()}
    return {
        "model": request.model,
        "messages": messages_of(request),
        limit_name: request.max_output_tokens,
        **({"response_format": {"type": "json_schema", "json_schema": schema}} if request.menu else {}),
        **({"reasoning_effort": request.effort} if request.effort else {}),
        **({"service_tier": tier} if tier else {}),
    }


def messages_of(request: Request) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in (("system", request.system), *request.messages)]


def counting(request: Request) -> dict[str, Any]:
    """The same as Responses take it, which alone are counted without being answered."""
    schema = {"type": "json_schema", "name": "answer", "strict": True, "schema": request.schema()}
    return {
        "model": request.model,
        "input": messages_of(request),
        **({"text": {"format": schema}} if request.menu else {}),
        **({"reasoning": {"effort": request.effort}} if request.effort else {}),
    }


def answer_of(completion: ChatCompletion, headers: dict[str, str], request: Request) -> Answer:
    """Text, stop reason and tokens by class.

    Raises:
        Uncounted: the response has no answer, or no count of tokens, without which it has no price.
    """
    what = "no answer"
    try:
        choice = completion.choices[0]
        text, ended = choice.message.content or "", choice.finish_reason or "stop"
        stop = "refusal" if choice.message.refusal else STOPS.get(ended, ended)
        what = "no count of tokens"
        usage = usage_of(completion.usage, str(completion.service_tier or ""))
    except (AttributeError, TypeError, LookupError):
        raise uncounted(request.provider, request.model, what, PROTOCOL) from None
    return checked(Answer(text, stop, usage, headers), request.provider, request.model, PROTOCOL)


def usage_of(usage: CompletionUsage | None, tier: str = "") -> Usage:
    """Tokens by class: the service counts cached ones among `prompt_tokens`, and thinking among `completion_tokens`.

    Raises:
        TypeError: there is none.
    """
    if usage is None:
        raise TypeError("no usage")
    details = usage.prompt_tokens_details
    read = (details.cached_tokens or 0) if details else 0
    written = (details.cache_write_tokens or 0) if details else 0
    thought = usage.completion_tokens_details.reasoning_tokens if usage.completion_tokens_details else 0
    return Usage(
        max(0, usage.prompt_tokens - read - written),
        usage.completion_tokens,
        read,
        written,
        tier=priced_tier(tier),
        thinking_tokens=thought or 0,
    )


def words_of(error: Any) -> str:
    """The service's own words."""
    inner = error.body if isinstance(error.body, dict) else {}
    return str(inner.get("message") or error.message)


def about_the_menu(error: Any, said: str) -> bool:
    """Whether it is the closed menu that the service cannot do."""
    low = said.lower()
    words = ("response_format", "json_schema", "grammar", "guided", "structured output")
    return error.param == "response_format" or any(word in low for word in words)


TIMEOUT_S = 120.0
COUNT_TIMEOUT_S = 20.0
TRY_AGAIN = (408, 409, 429)
NO_KEY = "none"
"""The SDK wants some key; a server of one's own that needs none ignores it."""

PLAIN_TIER = "default"
"""A project may be set to a dearer tier: a request that names none is served, and billed, by that."""

OUT_OF_MONEY = ("insufficient_quota", "billing_hard_limit_reached")
"""Codes of a 429 that no waiting helps against."""

OF_ONE_ROW = {
    "context_length_exceeded": "model_context_window_exceeded",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
}
"""Codes of a 400 that concern one text: that row is wrong, the others go on."""


class OpenAIProvider:
    """The real service, or whatever speaks its protocol at `base_url`."""

    def __init__(self, access: Access, timeout_s: float = TIMEOUT_S) -> None:
        from openai import AsyncOpenAI

        self.secret = access.api_key or ""
        self.client: AsyncOpenAI = AsyncOpenAI(
            api_key=access.api_key or NO_KEY, base_url=access.base_url, max_retries=0, timeout=timeout_s
        )
        # OpenAI's reasoning models refuse the old name, servers of one's own may not know the new one
        self.own = is_own(access.base_url)
        self.limit_name = "max_completion_tokens" if self.own else "max_tokens"
        self.tier = PLAIN_TIER if self.own else None
        """Of requests that name none."""

    async def ask(self, request: Request) -> Answer:
        import openai

        try:
            raw = await self.send(request)
            completion = raw.parse()
        except (ValueError, RecursionError) as error:  # a proxy's page instead of JSON
            raise Transient(f"the response is not readable: {type(error).__name__}", sent=True) from None
        except openai.APIConnectionError as error:
            raise cut_off(error, self.client.base_url) from None
        except openai.APIStatusError as error:
            if error.status_code == 400 and error.code in OF_ONE_ROW:
                return Answer("", OF_ONE_ROW[error.code], Usage(0, 0))
            raise self.worded(error, request) from None  # the SDK's text may echo the key
        return answer_of(completion, limit_headers(raw.headers), request)

    async def send(self, request: Request) -> Any:
        """Once; twice where the service knows the limit of an answer by its other name."""
        import openai

        named = self.limit_name
        create = self.client.chat.completions.with_raw_response.create
        try:
            return await create(**body(request, named, self.tier))
        except openai.BadRequestError as error:
            other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}[named]
            if error.param != named and other not in error.message:
                raise
            self.limit_name = other
            return await create(**body(request, other, self.tier))

    async def count_tokens(self, request: Request) -> int:
        """Input tokens of a request, counted by OpenAI without charge.

        Raises:
            UnavailableError: another server, which is asked for nothing that it may not know.
        """
        import openai

        if not self.own:
            raise UnavailableError("only OpenAI itself counts tokens")
        try:
            counted = await self.client.responses.input_tokens.count(**counting(request), timeout=COUNT_TIMEOUT_S)
        except (ValueError, openai.APIConnectionError) as error:
            raise Transient(f"no count: {type(error).__name__}") from None
        except openai.APIStatusError as error:
            raise self.worded(error, request) from None
        return counted.input_tokens

    async def close(self) -> None:
        await self.client.close()

    def worded(self, error: Any, request: Request) -> Exception:
        """A status as one of our errors; the key is cut out of whatever the service echoes."""
        said = shown_words(words_of(error), self.secret)
        status = error.status_code
        if (status in TRY_AGAIN or status >= 500) and error.code not in OUT_OF_MONEY:
            return passing(status, said, error.response.headers)
        if status in (400, 422) and request.menu and about_the_menu(error, said):
            return GrammarTooLarge(said, request.form)
        return permanent(status, said, request)
