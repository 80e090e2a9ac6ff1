"""Prices that a suite or a project gives itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pytest_modelcompare.errors import GateError

MODEL = re.compile(r"[a-z][a-z0-9_-]*:.+")


@dataclass(frozen=True, slots=True)
class Prices:
    """A suite's own prices of one model, in USD per million tokens."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    """None: as `input`."""

    cache_write: Decimal | None = None
    """None: as `input`."""

    batch: Decimal = Decimal("0.5")
    """Share of these prices that a request in a batch costs."""


PriceTable = Mapping[str, Prices]
"""`provider:model` to prices."""

_added: dict[str, Prices] = {}


def register(table: PriceTable) -> Callable[[], None]:
    """Make prices known in this process.

    Returns:
        what makes them unknown again.

    Raises:
        GateError: a name has no provider, a price is negative.
    """
    for model, prices in table.items():
        if not MODEL.fullmatch(model):
            raise GateError(f"`{model}` is no name of a model", fix="write `provider:model`, as in `prompt:`")
        given = (prices.input, prices.output, prices.cache_read, prices.cache_write)
        if any(price is not None and not 0 <= Decimal(price) < Decimal("inf") for price in given):
            raise GateError(f"{model} has a price that is none", fix="USD per million tokens, 0 or more")
    _added.update(table)

    def forget() -> None:
        for model, prices in table.items():
            if _added.get(model) is prices:
                del _added[model]

    return forget


def added_price(model: str) -> Prices | None:
    """What a conftest says of a model."""
    return _added.get(model)
