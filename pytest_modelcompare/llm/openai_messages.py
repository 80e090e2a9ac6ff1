"""A request as OpenAI's SDK takes it, and what it gives back as our records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_modelcompare.llm.http_errors import checked, uncounted
from pytest_modelcompare.llm.provider import Answer
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.pricing.price_list import Usage, priced_tier

if TYPE_CHECKING:
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
