"""A contestant's settings as a report may show them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.records.addresses import without_user

if TYPE_CHECKING:
    from pytest_modelcompare.methods.base import ContestantSpec

QUERY_OF_ADDRESS = re.compile(r"(://[^?\s]*)\?\S*")
"""Signed links carry their key there."""


def settings_written(spec: ContestantSpec) -> dict[str, Any]:
    """Every setting that has a value, defaults included, as JSON types; addresses without user, password and query."""
    found = spec.settings.model_dump(mode="json", exclude_none=True)
    return {name: without_secrets(value) for name, value in found.items()}


def without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return QUERY_OF_ADDRESS.sub(r"\1", without_user(value))
    if isinstance(value, list):
        return [without_secrets(one) for one in value]
    return {name: without_secrets(one) for name, one in value.items()} if isinstance(value, dict) else value
