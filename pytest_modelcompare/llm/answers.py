"""What asking an LLM takes, and what it gives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.llm.provider import BatchBook, NoBook
from pytest_modelcompare.llm.retries import Retries
from pytest_modelcompare.pricing.prices import PriceTable
from pytest_modelcompare.records import Cost, Latencies, Predictions
from pytest_modelcompare.records.report import FailureExample
from pytest_modelcompare.store.index import TokenSums


@dataclass(frozen=True, slots=True)
class AskPlan:
    """What asking would take."""

    total: int
    missing: int
    """Requests that would be made; equal texts make one."""

    usd_estimate: float
    input_tokens_estimate: int
    output_tokens_estimate: int
    basis: str = ""
    """What the tokens were estimated from, in words."""

    error: float | None = None
    """Relative: the bill is expected within as much of the estimate, above and below; None: not known."""

    search: int = 0
    """Of these requests, those that a search for a prompt makes, at most."""

    waiting: int = 0
    """Requests under way in batches that earlier sessions sent."""

    is_searched: bool = True
    """Whether a prompt that was to be searched is chosen."""

    key: str = ""
    """sha256 hex over everything that would be asked."""


def unheard(usd: float, calls: int) -> None:
    """Where nobody keeps books."""


def unheld(usd: float) -> None:
    """The same, of what is under way."""


@dataclass(frozen=True, slots=True)
class LLMOptions:
    """How a session asks."""

    mode: Literal["auto", "replay", "refresh", "off"]
    budget_usd: float
    """What may still be spent."""

    session: str
    prices: PriceTable | None = None
    retries: Retries = field(default_factory=Retries)
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the session is interrupted: no more is asked."""

    batches: BatchBook = field(default_factory=NoBook)
    """Remembers the batches under way."""

    note: Callable[[float, int], None] = unheard
    """Told the USD spent and the calls made: of every answer the moment it is kept, of calls without one when asking
    ends."""

    note_unheard: Callable[[float, int], None] = unheard
    """Told the USD that may have been billed for requests whose answer was not heard, and how many these are."""

    note_held: Callable[[float], None] = unheld
    """Told the USD that batches may cost that are still under way."""


@dataclass(frozen=True, slots=True)
class Stages:
    """Asking in parts, until enough is known."""

    order: NDArray[np.int64]
    """Shape (n,). Row numbers in the order they are asked."""

    ends: tuple[int, ...]
    """How many rows of the order are answered at the end of each part, ascending; the last is n."""

    enough: Callable[[NDArray[np.int64], NDArray[np.bool_]], bool]
    """Given the label number of every test row and which rows are answered, both (n,): whether asking may stop."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An LLM's answers on the test rows."""

    predictions: Predictions
    latencies: Latencies | None
    cost: Cost | None
    """Of the plain answers; what only the scores cost is not in it."""

    no_cost_because: str
    recorded: str
    """When the answers were given: a date or a range."""

    calls: int
    usd: float
    stored: int
    notes: list[str]
    decisive: list[str] = field(default_factory=list)
    """Those of the notes that verdicts rest on."""

    scores_cost: Cost | None = None
    """What was asked for scores alone, per test row; None where nothing was, or where it has no price."""

    failure_examples: Mapping[str, Sequence[FailureExample]] = field(default_factory=dict)
    """By kind of failure, the first few."""

    rows: NDArray[np.int64] | None = None
    """Shape (m,), ascending: the test rows that were asked, and that all figures here are of; None: all."""

    first: Answered | None = None
    """The same on the rows of the first part alone, a number fixed beforehand; None where rows were not asked in
    parts."""


class Journal(Protocol):
    """Where answers are kept."""

    def get(self, key: str) -> dict[str, Any] | None: ...

    def put(self, key: str, record: dict[str, Any]) -> None: ...

    def tokens_of(self, model: str) -> TokenSums | None: ...
