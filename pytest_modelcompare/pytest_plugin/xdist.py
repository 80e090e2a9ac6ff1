"""What only a run under pytest-xdist needs: the workers' findings reach the controller."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_modelcompare.pytest_plugin.collected import Collected


class Hooks:
    """Registered when pytest-xdist is installed: pytest refuses hooks that nobody declared."""

    def __init__(self, collected: Collected) -> None:
        self.collected = collected

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ARG002
        """Take over what a worker found."""
        if output := getattr(node, "workeroutput", {}).get("modelcompare"):
            self.collected.take_over(output)
