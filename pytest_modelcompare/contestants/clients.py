"""The client that asks a contestant's service."""

from __future__ import annotations

from pathlib import Path

from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.contestants.prompting import address
from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.batch_service import BatchBook, BatchService, service_name
from pytest_modelcompare.llm.batches import Batches
from pytest_modelcompare.llm.provider import Access, Provider
from pytest_modelcompare.llm.providers import api_key, provider_kind
from pytest_modelcompare.records.addresses import is_web_address, without_user


def client_for(settings: PromptSettings, base: Path) -> Provider:
    """Imports the provider's SDK.

    Raises:
        LLMError: there is no key, or the address is none.
        UnavailableError: the SDK is not installed.
    """
    kind, url = provider_kind(settings.provider), address(settings)
    if url is not None and kind.url_env is not None and not is_web_address(url):
        raise LLMError(f"`{without_user(url)}` is no address", fix=f"set {kind.url_env} to http://… or https://…")
    key = api_key(kind, settings.api_key_env, url)
    return kind.connect(Access(settings.model.partition(":")[2], key, url, base))


def batches_for(settings: PromptSettings, client: Provider, book: BatchBook) -> Batches | None:
    """How answers come in batches; None where they do not and none are under way."""
    if not isinstance(client, BatchService) or not (settings.batch or waiting_keys(settings, book)):
        return None
    return Batches(client, book, service_name(settings.model, address(settings)), settings.batch)


def waiting_keys(settings: PromptSettings, book: BatchBook) -> set[str]:
    """The first digits of the keys of requests that are under way in batches."""
    if not provider_kind(settings.provider).batches:
        return set()
    return {key for keys in book.open(service_name(settings.model, address(settings))).values() for key in keys}
