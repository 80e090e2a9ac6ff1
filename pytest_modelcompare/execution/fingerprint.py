"""A run's name: what was requested, so that what was made for it is found again."""

from __future__ import annotations

import hashlib
import json

from pytest_modelcompare.methods.base import ContestantSpec, LocalMethod


def run_fingerprint(method: LocalMethod, spec: ContestantSpec, seed: int, data_digest: str, weights_digest: str) -> str:
    """sha256 hex over data, settings as written, weights, engine version and seed.

    The device, precision and library versions are recorded beside the run, not
    keyed: a pull request on a CPU replays what a nightly GPU job trained. Weights
    count by content; the path they were found under does not. What only serves a
    training in another form has a name of its own, its training that of the
    contestant without: the same model served in three ways trains once.
    """
    settings = spec.settings.model_dump(mode="json", exclude={"seeds"})
    if weights_digest:
        settings.pop(spec.settings.main, None)
    requested = {
        "method": method.key,
        "engine": method.engine_version,
        "settings": settings,
        "seed": seed,
        "data": data_digest,
        "weights": weights_digest,
    }
    if method.trained_as(spec.settings) is not None:
        requested["serving"] = method.serving_version
    return hashlib.sha256(json.dumps(requested, sort_keys=True).encode()).hexdigest()
