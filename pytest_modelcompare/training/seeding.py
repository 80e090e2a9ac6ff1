"""One seed for everything random in a training, and the caller's randomness untouched."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seeded(seed: int, kind: str) -> Iterator[None]:
    """Python's and torch's generators start from `seed`; afterwards they are as they were.

    On CUDA, only deterministic algorithms are chosen where there are any.
    """
    import torch

    before = random.getstate()
    deterministic, warned = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    with torch.random.fork_rng(enabled=True, devices=range(torch.cuda.device_count()) if kind == "cuda" else []):
        random.seed(seed)
        torch.manual_seed(seed)
        if kind == "cuda":
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True, warn_only=True)
        try:
            yield
        finally:
            random.setstate(before)
            torch.use_deterministic_algorithms(deterministic, warn_only=warned)
