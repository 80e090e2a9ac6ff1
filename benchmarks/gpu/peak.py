"""What the device reaches: a large bf16 matrix product, and a copy from its memory to its memory."""

from __future__ import annotations

import statistics

from benchmarks.gpu.world import Sizes, seconds_of

ROUNDS = 20


def measure_peak(sizes: Sizes) -> dict[str, float]:
    """TFLOP/s and GB/s (2**30 bytes, read and written), medians over single rounds on random numbers."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    width = sizes.matrix
    a, b = (torch.randn(width, width, device=device).to(torch.bfloat16) for _ in range(2))
    given = torch.randn(sizes.copied_mib << 18, device=device)
    copy = torch.empty_like(given)
    products = [seconds_of(lambda: a @ b)[0] for _ in range(ROUNDS)][3:]
    copies = [seconds_of(lambda: copy.copy_(given))[0] for _ in range(ROUNDS)][3:]
    read_and_written = 2 * given.numel() * given.element_size() / 2**30
    return {
        "bf16_tflops": 2 * width**3 / statistics.median(products) / 1e12,
        "copy_gib_per_s": read_and_written / statistics.median(copies),
    }
