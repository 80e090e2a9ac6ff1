"""The cost of a whole set of answers, request by request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.pricing.price_list import Usage, answer_cost_usd, price_note
from pytest_modelcompare.pricing.prices import PriceTable
from pytest_modelcompare.records import Cost


def answers_cost(
    usages: Sequence[Usage | None], dates: Sequence[datetime], model: str, prices: PriceTable | None = None
) -> Cost:
    """Cost per test row, each request priced by itself at its own date.

    Raises:
        GateError: a row has no token counts, or the model no known price.
    """
    missing = sum(usage is None for usage in usages)
    if missing:
        raise GateError(f"{missing} of {len(usages)} answers of {model} have no token counts, so they have no cost")
    counted = [usage for usage in usages if usage is not None]
    usd = [float(answer_cost_usd(model, usage, at, prices)) for usage, at in zip(counted, dates, strict=True)]
    batch = all(usage.batch for usage in counted)
    tiers = {usage.tier for usage in counted}
    tier = tiers.pop() if len(tiers) == 1 else ""
    tokens = float(np.mean([usage.total for usage in counted]))
    return Cost(np.array(usd), True, tokens, price_note(model, max(dates), prices, batch=batch, tier=tier))
