"""The hooks that a conftest.py may implement. Loaded in every pytest run, so it imports pytest alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_modelcompare.llm.provider import ProviderKind
    from pytest_modelcompare.methods.base import Method
    from pytest_modelcompare.metrics.own import OwnMetric
    from pytest_modelcompare.pricing.prices import Prices


@pytest.hookspec(historic=True)
def pytest_modelcompare_contestants(config: pytest.Config) -> Sequence[Method] | None:
    """Methods that contestants of a suite may have beside the built-in ones: `NAME: …` in the suite.

    A method says what its settings are, which jobs it needs, also those of other contestants, and what their
    results show: the same as every built-in one. Called once in every process that compares, whenever the
    conftest is found. A method counts in the whole session, also for suites in other folders.

    Args:
        config: of the pytest run.

    Returns:
        what to make known; a key that is built in is an error.
    """


@pytest.hookspec(historic=True)
def pytest_modelcompare_providers(config: pytest.Config) -> Sequence[ProviderKind] | None:
    """Providers of LLMs that suites may name beside the built-in ones: `prompt: NAME:MODEL`.

    Called once in every process that compares, whenever the conftest is found.

    Args:
        config: of the pytest run.

    Returns:
        what to make known; a name that is built in is an error.
    """


@pytest.hookspec(historic=True)
def pytest_modelcompare_metrics(config: pytest.Config) -> Sequence[OwnMetric] | None:
    """Metrics that gates may name beside the built-in ones: `contestant.NAME`.

    Called once in every process that compares, whenever the conftest is found. A metric counts in the
    whole session, also for suites in other folders.

    Args:
        config: of the pytest run.

    Returns:
        what to make known; a name that is built in is an error.
    """


@pytest.hookspec(historic=True)
def pytest_modelcompare_prices(config: pytest.Config) -> Mapping[str, Prices] | None:
    """Prices of LLMs that no price table lists, or that are yours alone: `PROVIDER:MODEL` → prices.

    A suite's own `prices:` come before them, the price table after them. Called once in every process
    that compares, whenever the conftest is found.

    Args:
        config: of the pytest run.

    Returns:
        prices in USD per million tokens; a negative one, or a name without a provider, is an error.
    """
