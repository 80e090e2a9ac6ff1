"""OpenAI's Chat Completions, and whatever else speaks them at `base_url` (vLLM, Ollama). The SDK's retries are off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_modelcompare.errors import LLMError, UnavailableError
from pytest_modelcompare.llm.http_errors import limit_headers, permanent, retry_after, shown_words
from pytest_modelcompare.llm.prompts import Request
from pytest_modelcompare.llm.provider import Access, Answer, GrammarTooLarge, Transient
from pytest_modelcompare.pricing.price_list import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion
    from openai.types.completion_usage import CompletionUsage

TIMEOUT_S = 120.0
TRY_AGAIN = (408, 409, 429)
NO_KEY = "none"
"""The SDK wants some key; a server of one's own that needs none ignores it."""

OUT_OF_MONEY = ("insufficient_quota", "billing_hard_limit_reached")
"""Codes of a 429 that no waiting helps against."""

PRICED_TIERS = ("flex", "priority", "fast")
"""Tiers with a price of their own; a project may be set to one of them."""

STOPS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "content_filter"}
"""Its reasons to stop in the words of `Answer`."""

OF_ONE_ROW = {
    "context_length_exceeded": "model_context_window_exceeded",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
}
"""Codes of a 400 that concern one text: that row is wrong, the others go on."""


class OpenAIProvider:
    """The real service, or whatever speaks its protocol at `base_url`."""

    def __init__(self, access: Access, timeout_s: float = TIMEOUT_S) -> None:
        try:
            from openai import AsyncOpenAI
        except ImportError as error:
            raise UnavailableError(
                "the provider `openai` needs its SDK", fix='pip install "pytest-modelcompare[openai]"'
            ) from error
        self.secret = access.api_key or ""
        self.client: AsyncOpenAI = AsyncOpenAI(
            api_key=access.api_key or NO_KEY, base_url=access.base_url, max_retries=0, timeout=timeout_s
        )
        # OpenAI's reasoning models refuse the old name, servers of one's own may not know the new one
        self.limit_name = "max_tokens" if access.base_url else "max_completion_tokens"

    async def ask(self, request: Request) -> Answer:
        import openai

        try:
            raw = await self.send(request)
            completion = raw.parse()
        except ValueError as error:  # a proxy's page instead of JSON
            raise Transient(f"the response is not readable: {type(error).__name__}", sent=True) from None
        except openai.APIConnectionError as error:
            raise Transient(f"no connection: {type(error.__cause__ or error).__name__}", sent=True) from None
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
            return await create(**body(request, named))
        except openai.BadRequestError as error:
            other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}[named]
            if error.param != named and other not in error.message:
                raise
            self.limit_name = other
            return await create(**body(request, other))

    async def close(self) -> None:
        await self.client.close()

    def worded(self, error: Any, request: Request) -> Exception:
        """A status as one of our errors; the key is cut out of whatever the service echoes."""
        said = shown_words(words_of(error), self.secret)
        status = error.status_code
        if (status in TRY_AGAIN or status >= 500) and error.code not in OUT_OF_MONEY:
            headers = limit_headers(error.response.headers)
            return Transient(f"{status}: {said}", retry_after(error.response.headers), status=status, headers=headers)
        if status in (400, 422) and request.menu and about_the_menu(error, said):
            return GrammarTooLarge(said, request.form)
        return permanent(status, said, request)


def body(request: Request, limit_name: str) -> dict[str, Any]:
    """The request as the SDK takes it. The temperature is the service's own: reasoning models refuse another."""
    turns = [("system", request.system), *request.messages]
    schema = {"name": "answer", "strict": True, "schema": request.schema()}
    return {
        "model": request.model,
        "messages": [{"role": role, "content": text} for role, text in turns],
        limit_name: request.max_output_tokens,
        **({"response_format": {"type": "json_schema", "json_schema": schema}} if request.menu else {}),
        **({"reasoning_effort": request.effort} if request.effort else {}),
    }


def answer_of(completion: ChatCompletion, headers: dict[str, str], request: Request) -> Answer:
    """Text, stop reason and tokens by class.

    Raises:
        LLMError: the response has no answer, or no count of tokens, without which it has no price.
    """
    choices, usage = getattr(completion, "choices", None), getattr(completion, "usage", None)
    if not choices or usage is None:
        what = "no count of tokens" if choices else "no answer"
        raise LLMError(
            f"{request.provider} replied with {what}",
            where=f"model {request.model}",
            fix="the service must speak OpenAI's Chat Completions, `usage` included",
        )
    choice = choices[0]
    stop = STOPS.get(choice.finish_reason, choice.finish_reason or "end_turn")
    return Answer(
        choice.message.content or "",
        "refusal" if choice.message.refusal else stop,
        usage_of(usage, str(getattr(completion, "service_tier", ""))),
        headers,
    )


def usage_of(usage: CompletionUsage, tier: str = "") -> Usage:
    """Tokens by class: the service counts cached ones among `prompt_tokens`, and thinking among `completion_tokens`."""
    details = usage.prompt_tokens_details
    read = (details.cached_tokens or 0) if details else 0
    written = (details.cache_write_tokens or 0) if details else 0
    thought = usage.completion_tokens_details.reasoning_tokens if usage.completion_tokens_details else 0
    return Usage(
        max(0, usage.prompt_tokens - read - written),
        usage.completion_tokens,
        read,
        written,
        tier=tier if tier in PRICED_TIERS else "",
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
