"""The hooks that a conftest.py may implement. Loaded in every pytest run, so it imports pytest alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_modelcompare.llm.provider import ProviderKind


@pytest.hookspec(historic=True)
def pytest_modelcompare_providers(config: pytest.Config) -> Sequence[ProviderKind] | None:
    """Providers of LLMs that suites may name beside the built-in ones: `prompt: NAME:MODEL`.

    Called once in every process that compares, whenever the conftest is found.

    Args:
        config: of the pytest run.

    Returns:
        what to make known; a name that is built in is an error.
    """
