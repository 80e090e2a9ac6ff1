"""Every provider by its name: the built-in ones, and those that a conftest adds."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.provider import Access, Provider, ProviderKind

LOCAL = "local"
"""Models that run in this process; they are timed and priced like every local contestant."""

NAME = re.compile(r"[a-z][a-z0-9_-]*")


def anthropic(access: Access) -> Provider:
    from pytest_modelcompare.llm.anthropic_service import AnthropicProvider

    return AnthropicProvider(access)


def openai(access: Access) -> Provider:
    from pytest_modelcompare.llm.openai_service import OpenAIProvider

    return OpenAIProvider(access)


def local(access: Access) -> Provider:
    from pytest_modelcompare.llm.local_model import LocalProvider, load_scorer

    return LocalProvider(load_scorer(access.model, access.base, "auto"))


BUILT_IN = {
    kind.name: kind
    for kind in (
        ProviderKind(
            "anthropic",
            anthropic,
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_BASE_URL",
            batches=True,
            counts_tokens=True,
            libraries=("anthropic",),
        ),
        ProviderKind(
            "openai",
            openai,
            "OPENAI_API_KEY",
            "OPENAI_BASE_URL",
            key_needed_elsewhere=False,
            largest_menu=250,
            counts_tokens=True,
            libraries=("openai",),
        ),
        ProviderKind(LOCAL, local, libraries=("torch", "transformers")),
    )
}
_added: dict[str, ProviderKind] = {}


def register(kind: ProviderKind) -> Callable[[], None]:
    """Make a provider known in this process.

    Returns:
        what makes it unknown again.

    Raises:
        LLMError: its name is no name, or belongs to a built-in provider.
    """
    if not NAME.fullmatch(kind.name):
        raise LLMError(
            f"`{kind.name}` is no name for a provider", fix="lower case letters, digits, _ and -, a letter first"
        )
    if kind.name in BUILT_IN:
        raise LLMError(f"the provider `{kind.name}` is built in", fix="give yours another name")
    _added[kind.name] = kind

    def forget() -> None:
        if _added.get(kind.name) is kind:
            del _added[kind.name]

    return forget


def provider_names() -> list[str]:
    return [*BUILT_IN, *_added]


def provider_kind(name: str) -> ProviderKind:
    """The provider of that name.

    Raises:
        LLMError: nobody made it known.
    """
    kind = BUILT_IN.get(name) or _added.get(name)
    if kind is None:
        raise LLMError(f"unknown provider `{name}`", fix=f"known are {', '.join(provider_names())}")
    return kind


def api_key(kind: ProviderKind, named: str | None, base_url: str | None) -> str | None:
    """The key from the environment; None where none is needed.

    Args:
        named: the variable that the suite names; then it must be set.
        base_url: another address, which may need no key.

    Raises:
        LLMError: there is none, and both ways out are named; or it cannot be one.
    """
    name = named or kind.key_env
    key = os.environ.get(name, "").strip() if name else ""
    if key and not (key.isascii() and key.isprintable()):
        raise LLMError(
            f"what {name} holds is no API key: it has characters that no header can carry", fix="copy it anew"
        )
    if key:
        return key
    if name is None or (named is None and base_url is not None and not kind.key_needed_elsewhere):
        return None
    raise LLMError(
        f"no API key in {name}, and answers are missing from the store",
        fix=f"set {name} to ask for them, or leave LLM gates out with --modelcompare-llm=off",
    )
