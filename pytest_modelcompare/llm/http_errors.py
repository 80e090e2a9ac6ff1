"""What every service behind HTTP says when it refuses, and of its limits."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.provider import Answer, Transient, Uncounted
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.records.addresses import host_and_path

LONGEST_WORDS = 300

GAVE_UP = (408, 502, 504, 520, 524)
"""Statuses of a server or a gateway that waited in vain: what stands behind it may have answered, and billed. The last
two are Cloudflare's words for 502 and 504."""


def shown_words(said: str, secret: str) -> str:
    """A service's words, cut short, without the key that it may echo."""
    safe = said.replace(secret, "…") if secret else said
    return safe[:LONGEST_WORDS]


def cut_off(error: BaseException, address: object, *, sent: bool = True) -> Transient:
    """A connection that was not made, broke, or was not answered in time.

    Args:
        error: the SDK's, with the cause that its HTTP client names.
        address: that was called.
        sent: whether what is sent may leave something behind at the service.
    """
    import httpx2

    cause = error.__cause__ or error
    unmade = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol)
    unsent = (*unmade, httpx2.PoolTimeout, httpx2.LocalProtocolError)
    why = reason_of(cause)
    return Transient(
        f"no connection: {type(cause).__name__}" + (f", {why}" if why else ""),
        sent=sent and not isinstance(cause, unsent),
        unreached=host_and_path(str(address)) if isinstance(cause, unmade) else None,
    )


def reason_of(error: BaseException) -> str:
    """The operating system's words, such as "Connection refused"; empty where it said nothing."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno:
            # asyncio has words of its own for a refused connection; name resolution counts below zero
            return os.strerror(seen.errno) if seen.errno > 0 else str(seen.strerror)
        if isinstance(seen, BaseExceptionGroup):
            return next((why for one in seen.exceptions if (why := reason_of(one))), "")
        seen = seen.__cause__ or seen.__context__
    return ""


def passing(status: int, said: str, headers: Mapping[str, str]) -> Transient:
    """A status that may be another one soon."""
    return Transient(
        f"{status}: {said}",
        retry_after(headers),
        sent=status in GAVE_UP,
        status=status,
        headers=limit_headers(headers),
    )


def uncounted(provider: str, model: str, what: str, protocol: str) -> Uncounted:
    """A response with a status of success and without what makes it an answer.

    Args:
        what: is missing.
        protocol: that the service should speak.
    """
    return Uncounted(
        f"{provider} replied with {what}",
        where=f"model {model}",
        fix=f"the service must speak {protocol}, `usage` included",
    )


def checked(answer: Answer, provider: str, model: str, protocol: str) -> Answer:
    """An answer whose parts are what they should be: SDKs hand on what a service sends, unseen.

    Raises:
        Uncounted: they are not.
    """
    if not answer.usage.is_counted:
        raise uncounted(provider, model, "no count of tokens", protocol)
    if not isinstance(answer.text, str) or not isinstance(answer.stop_reason, str):
        raise uncounted(provider, model, "no answer", protocol)
    return answer


def permanent(status: int, said: str, request: Request) -> LLMError:
    """A refusal that no retry would change."""
    return LLMError(
        f"{request.provider} refuses for good ({status}): {said}",
        where=f"model {request.model}",
        fix="check the key, the model's name and the account; answers so far are stored",
    )


def limit_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """What a response says of rate limits, names in lower case."""
    lower = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in lower.items() if "ratelimit" in name or name.startswith("retry-after")}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from `retry-after-ms` or `retry-after`, which is a number or a date; None without."""
    for name, divisor in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / divisor
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    date = parsedate_tz(headers.get("retry-after", ""))
    return None if date is None else max(0.0, mktime_tz(date) - time.time())
