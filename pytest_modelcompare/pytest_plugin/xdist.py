"""What only a run under pytest-xdist needs: the workers' findings and their progress reach the controller."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_modelcompare.pytest_plugin.collected import Collected
from pytest_modelcompare.pytest_plugin.progress import RELAY
from pytest_modelcompare.pytest_plugin.xdist_progress import Relay, relay_for


class Hooks:
    """Registered when pytest-xdist is installed: pytest refuses hooks that nobody declared."""

    def __init__(self, collected: Collected) -> None:
        self.collected = collected
        self.relay: Relay | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where to say how far it is."""
        self.collected.workers_session = node.workerinput["testrunuid"]
        self.relay = self.relay or relay_for(node.config)
        if self.relay is not None:
            node.workerinput[RELAY] = str(self.relay.path)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ARG002
        """Take over what a worker found."""
        if output := getattr(node, "workeroutput", {}).get("modelcompare"):
            self.collected.take_over(output)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """No line comes between those of the summary."""
        if self.relay is not None:
            self.relay.close()
            self.relay = None
