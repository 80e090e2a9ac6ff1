"""One seed for everything random in a training, and the caller's randomness untouched."""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def seeded_randomness(seed: int, kind: str) -> Iterator[None]:
    """Python's, numpy's and torch's generators start from `seed`; afterwards they are as they were.

    On CUDA, only deterministic algorithms are chosen where there are any.
    """
    import torch

    before, numpy_before = random.getstate(), np.random.get_state()  # noqa: NPY002  # what models draw from
    deterministic, warned = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    with torch.random.fork_rng(enabled=True, devices=range(torch.cuda.device_count()) if kind == "cuda" else []):
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        torch.manual_seed(seed)
        if kind == "cuda":
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True, warn_only=True)
            # with them, torch would also write to all memory that it is about to overwrite
            torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        try:
            with warnings.catch_warnings():
                # where there is no deterministic algorithm; a project's filters may make errors of warnings
                warnings.filterwarnings("ignore", message=".*deterministic")
                yield
        finally:
            random.setstate(before)
            np.random.set_state(numpy_before)  # noqa: NPY002
            torch.use_deterministic_algorithms(deterministic, warn_only=warned)
            torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
