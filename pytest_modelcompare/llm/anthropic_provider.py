"""Anthropic's Messages API through its SDK. Retries are ours: the SDK's are off, or they would multiply."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.prompts import Request, answer_schema
from pytest_modelcompare.llm.provider import Answer, GrammarTooLarge, Transient
from pytest_modelcompare.pricing.price_list import Usage

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import Message

TIMEOUT_S = 120.0
TRY_AGAIN = (408, 409, 429)


def api_key(name: str) -> str:
    """The key from the environment.

    Raises:
        LLMError: there is none; names both ways out.
    """
    key = os.environ.get(name, "").strip()
    if not key:
        raise LLMError(
            f"no API key in {name}, and answers are missing from the store",
            fix=f"set {name} to ask for them, or leave LLM gates out with --modelcompare-llm=off",
        )
    return key


class AnthropicProvider:
    """The real service, or whatever speaks its protocol at `base_url`."""

    def __init__(self, key_name: str, base_url: str | None, timeout_s: float = TIMEOUT_S) -> None:
        from anthropic import AsyncAnthropic

        self.secret = api_key(key_name)
        self.client: AsyncAnthropic = AsyncAnthropic(
            api_key=self.secret, base_url=base_url, max_retries=0, timeout=timeout_s
        )

    async def ask(self, request: Request) -> Answer:
        import anthropic

        try:
            message = await self.client.messages.create(**body(request))
        except anthropic.APIConnectionError as error:
            raise Transient(f"no connection: {type(error.__cause__ or error).__name__}", sent=True) from None
        except anthropic.APIStatusError as error:
            raise self.worded(error, request) from None  # the SDK's text may echo the key
        return answer_of(message)

    async def close(self) -> None:
        await self.client.close()

    def worded(self, error: Any, request: Request) -> Exception:
        """A status as one of our errors; the key is cut out of whatever the service echoes."""
        said = words_of(error).replace(self.secret, "…")
        if error.status_code in TRY_AGAIN or error.status_code >= 500:
            return Transient(f"{error.status_code}: {said}", retry_after(error))
        if error.status_code == 400 and request.menu and ("grammar" in said.lower() or "schema is too" in said.lower()):
            return GrammarTooLarge(said)
        return LLMError(
            f"{request.provider} refuses for good ({error.status_code}): {said}",
            where=f"model {request.model}",
            fix="check the key, the model's name and the account; answers so far are stored",
        )


def body(request: Request) -> dict[str, Any]:
    """The request as the SDK takes it. There is no temperature: the API has none."""
    config: dict[str, Any] = {}
    if request.menu:
        config["format"] = {"type": "json_schema", "schema": answer_schema(request.menu)}
    if request.effort:
        config["effort"] = request.effort
    return {
        "model": request.model,
        "max_tokens": request.max_output_tokens,
        "system": request.system,
        "messages": [{"role": role, "content": text} for role, text in request.messages],
        **({"output_config": config} if config else {}),
    }


def answer_of(message: Message) -> Answer:
    """Text, stop reason and tokens by class."""
    usage = message.usage
    written = usage.cache_creation_input_tokens or 0
    hour = usage.cache_creation.ephemeral_1h_input_tokens if usage.cache_creation else 0
    counted = Usage(
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_input_tokens or 0,
        written - hour,
        hour,
        batch=usage.service_tier == "batch",
    )
    text = "".join(block.text for block in message.content if block.type == "text")
    return Answer(text, message.stop_reason or "end_turn", counted)


def words_of(error: Any) -> str:
    """The service's own words."""
    inner = error.body.get("error") if isinstance(error.body, dict) else None
    said = inner.get("message") if isinstance(inner, dict) else None
    return str(said or error.message)[:300]


def retry_after(error: Any) -> float | None:
    """Seconds from the header `retry-after`."""
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None
