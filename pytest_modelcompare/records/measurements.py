"""Times, sizes and prices of a contestant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


Extent = Literal["whole", "until_decided", "look"]
"""How long was measured: as long as a measurement takes at most, or until its bounds were narrow; until the gates were
decided; or a moment, as no gate asks for it."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long each prediction took, one row at a time, warm-up excluded."""

    milliseconds: NDArray[np.float64]
    """Shape (m,). Wall-clock time per timed request, in the order measured."""

    blocks: NDArray[np.int64]
    """Shape (m,). Which interleaved block each belongs to; equal numbers of two contestants ran side by side."""

    machine: str
    """The hardware in words, e.g. "AMD EPYC, 2 cores". Latencies compare only within one machine."""

    session: str
    """Identifies the measuring session; only latencies of one session are compared."""

    date: str
    """ISO 8601, UTC."""

    device: str = ""
    """cpu, cuda or mps; empty for what does not run here."""

    extent: Extent = "whole"

    @property
    def n_blocks(self) -> int:
        return len(set(self.blocks.tolist()))


@dataclass(frozen=True, slots=True)
class Throughput:
    """Predictions per second at the best batch size tried, in interleaved blocks."""

    rows_per_s: NDArray[np.float64]
    """Shape (blocks,)."""

    tokens_per_row: float
    """Mean tokens per row without padding; NaN where the contestant has no tokenizer."""

    batch_size: int
    machine: str
    session: str
    extent: Extent = "whole"

    @property
    def n_blocks(self) -> int:
        return len(self.rows_per_s)


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a trained or local contestant takes. NaN where it was not measured."""

    train_seconds: float = float("nan")
    train_memory_mb: float = float("nan")
    inference_memory_mb: float = float("nan")
    size_mb: float = float("nan")
    parameters: float = float("nan")


@dataclass(frozen=True, slots=True)
class Cost:
    """What predictions cost in steady use, in USD, with what was assumed."""

    usd_per_row: NDArray[np.float64]
    """Shape (n,) per test row for an LLM; shape (blocks,) per measuring block for a local model."""

    per_test_row: bool
    """True: `usd_per_row` aligns with the test rows and pairs with other such costs."""

    tokens_per_row: float
    """Mean tokens per row (input and output of an LLM; input of a local model); NaN if unknown."""

    assumptions: str
    """E.g. "0.10/0.50 USD per million tokens in/out (genai-prices 2026-10-01)" or "5.40 USD/h at 50 %"."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a contestant predicts on a named device, or on texts of a fixed length."""

    latencies: Latencies
    throughput: Throughput | None = None
    """None at a fixed length."""

    memory_mb: float = float("nan")
    """What its weights and work space take there, in 2**20 bytes."""

    cost: Cost | None = None
    no_cost_because: str = ""
