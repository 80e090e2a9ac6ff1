"""Replies to requests: stored ones first, the rest asked for, within what may be spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_modelcompare.errors import LLMError, UnavailableError
from pytest_modelcompare.extras import require
from pytest_modelcompare.llm.answers import Journal, LLMOptions
from pytest_modelcompare.llm.batches import Batches
from pytest_modelcompare.llm.calling import Asker
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompting import address
from pytest_modelcompare.llm.provider import Access, BatchBook, BatchService, Provider, service_name
from pytest_modelcompare.llm.providers import api_key, provider_kind
from pytest_modelcompare.llm.purse import Purse
from pytest_modelcompare.llm.reply import Reply, reply_from
from pytest_modelcompare.llm.request import Request, first_record
from pytest_modelcompare.records.addresses import host_and_path, is_web_address, without_user


def client_for(settings: PromptSettings, base: Path) -> Provider:
    """Imports the provider's SDK.

    Raises:
        LLMError: there is no key, or the address is none.
        NotInstalledError: the SDK is not there.
    """
    kind, url = provider_kind(settings.provider), address(settings)
    if url is not None and kind.url_env is not None and not is_web_address(url):
        raise LLMError(f"`{without_user(url)}` is no address", fix=f"set {kind.url_env} to http://… or https://…")
    key = api_key(kind, settings.api_key_env, url)
    require(f"`prompt: {settings.model}`", kind.libraries)
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


@dataclass(slots=True)
class Fetcher:
    """Asks one contestant's service, and adds up what that took."""

    settings: PromptSettings
    journal: Journal
    options: LLMOptions
    base: Path
    calls: int = 0
    usd: float = 0.0
    held_usd: float = 0.0
    """What may have been billed unheard, or is under way in batches."""

    def stored(self, request: Request) -> Reply | None:
        return stored_reply(request, self.journal, self.options)

    def ask(
        self, missing: Sequence[Request], tell: Callable[[int, float], None], *, batch: bool = True
    ) -> dict[str, Reply]:
        """Replies by the request's key; each is stored the moment it arrives.

        Args:
            tell: called with the number of replies so far, and the USD spent on them.
            batch: whether they may go in batches where the suite says so.

        Raises:
            LLMError, BudgetError: not every request has an answer.
            GrammarTooLarge: the menu has too many labels for the service.
        """
        left = self.options.budget_usd - self.usd - self.held_usd
        settings = self.settings if batch else self.settings.model_copy(update={"batch": False})
        asker = asker_for(settings, self.journal, replace(self.options, budget_usd=left), self.base)
        try:
            new = asker.ask(missing, lambda done: tell(done, asker.purse.spent_usd))
        finally:
            spent = asker.purse
            self.options.note(0.0, asker.calls - asker.answers)  # the answers were noted one by one
            self.options.note_unheard(spent.unheard_usd, spent.unheard)
            self.options.note_held(spent.reserved_usd)  # still reserved: batches that are under way
            self.calls, self.usd = self.calls + asker.calls, self.usd + spent.spent_usd
            self.held_usd += spent.unheard_usd + spent.reserved_usd
        return {request.key(): reply for request, reply in zip(missing, new, strict=True)}

    def replies(self, requests: Sequence[Request], tell: Callable[[int, float], None]) -> list[Reply]:
        """One per request, the stored ones not asked for, none in a batch. Raises what `ask` raises."""
        found = {request.key(): self.stored(request) for request in requests}
        missing = distinct(request for request in requests if found[request.key()] is None)
        known = {key: reply for key, reply in found.items() if reply is not None}
        if missing:
            known |= self.ask(missing, tell, batch=False)
        return [known[request.key()] for request in requests]


def asker_for(settings: PromptSettings, journal: Journal, options: LLMOptions, base: Path) -> Asker:
    """Asks this contestant's service."""
    client, where = client_for(settings, base), address(settings)
    return Asker(
        client,
        journal,
        options.session,
        Purse(options.budget_usd, options.prices),
        options.retries,
        in_flight=settings.max_concurrency,
        stop=options.stop,
        batching=batches_for(settings, client, options.batches),
        paid=lambda usd: options.note(usd, 1),
        address=None if where is None else host_and_path(where),
    )


def distinct(requests: Iterable[Request]) -> Sequence[Request]:
    """One of each."""
    return list({request.key(): request for request in requests}.values())


def stored_reply(request: Request, journal: Journal, options: LLMOptions) -> Reply | None:
    """The stored answer; under `refresh` only one that this session asked for."""
    record = first_record(journal, request.possible_keys())
    if record is None or (options.mode == "refresh" and record["session"] != options.session):
        return None
    return reply_from(record)


def can_ask(settings: PromptSettings, options: LLMOptions) -> bool:
    """Whether this session may ask, and has a key where one is needed."""
    try:
        require_way_to_ask(settings, 1, 1, options, "")
    except (LLMError, UnavailableError):
        return False
    return True


def require_way_to_ask(settings: PromptSettings, missing: int, total: int, options: LLMOptions, recording: str) -> None:
    """What is missing must be askable.

    Args:
        recording: what is to be said of the contestant's recording; empty where it has none.
    """
    if not missing:
        return
    said = f"; {recording}" if recording else ""
    if options.mode == "replay":
        fix = "run once with --modelcompare-llm=auto and a key, or bring the store along"
        raise LLMError(
            f"{missing:,} of {total:,} answers of {settings.model} are not stored, and "
            f"--modelcompare-llm=replay asks for none{said}",
            fix="make the recording anew with a key: --modelcompare-llm=refresh" if recording else fix,
        )
    if options.mode == "off":
        raise UnavailableError(f"{settings.model} would be asked, and --modelcompare-llm=off")
    try:
        api_key(provider_kind(settings.provider), settings.api_key_env, address(settings))
    except LLMError as error:
        if not recording:
            raise
        what = f"{missing:,} of {total:,} answers of {settings.model} are missing; {recording}; {error.what}"
        raise LLMError(what, where=error.where, fix=error.fix) from error
