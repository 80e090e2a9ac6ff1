"""A run's name holds what was asked for, and nothing of where it ran."""

from __future__ import annotations

import pytest

from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.linear_probe import LinearProbe, LinearProbeSettings
from pytest_modelcompare.methods.local import run_fingerprint


def fingerprint(seed: int = 0, data: str = "d", weights: str = "w", name: str = "probe", **settings: object) -> str:
    spec = ContestantSpec(name, "linear_probe", LinearProbeSettings(**{"model": "./here", **settings}))  # type: ignore[arg-type]
    return run_fingerprint(LinearProbe(), spec, seed, data, weights)


@pytest.mark.parametrize("change", [{"seed": 1}, {"data": "e"}, {"weights": "v"}, {"C": 3.0}, {"precision": "fp32"}])
def test_another_request_has_another_name(change: dict[str, object]):
    assert fingerprint(**change) != fingerprint()  # type: ignore[arg-type]


def test_the_contestants_name_and_the_path_of_equal_weights_do_not_count():
    assert fingerprint(name="other", model="/there") == fingerprint()


def test_a_new_engine_version_is_another_run(monkeypatch: pytest.MonkeyPatch):
    before = fingerprint()
    monkeypatch.setattr(LinearProbe, "engine_version", LinearProbe.engine_version + 1)
    assert fingerprint() != before
