"""What a conftest.py adds to the language of suites: methods, providers, metrics, prices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.llm import providers
from pytest_modelcompare.methods import registry
from pytest_modelcompare.metrics import own
from pytest_modelcompare.pricing import prices

T = TypeVar("T")


def listen(config: pytest.Config, *, kept: bool = False) -> None:
    """Make known what every conftest adds, those too that are found later, for as long as this run lasts.

    Args:
        kept: for as long as the process lasts.
    """

    def each(register: Callable[[T], Callable[[], None]]) -> Callable[[Iterable[T]], None]:
        def add(found: Iterable[T]) -> None:
            for one in found:
                known(register, one)

        return add

    def known(register: Callable[[T], Callable[[], None]], one: T) -> None:
        try:
            forget = register(one)
        except ModelCompareError as error:
            raise pytest.UsageError(str(error)) from None
        if not kept:
            config.add_cleanup(forget)

    asked, hook = {"config": config}, config.pluginmanager.hook
    hook.pytest_modelcompare_providers.call_historic(result_callback=each(providers.register), kwargs=asked)
    hook.pytest_modelcompare_contestants.call_historic(result_callback=each(registry.register), kwargs=asked)
    hook.pytest_modelcompare_metrics.call_historic(result_callback=each(own.register), kwargs=asked)
    hook.pytest_modelcompare_prices.call_historic(
        result_callback=lambda table: known(prices.register, table), kwargs=asked
    )
