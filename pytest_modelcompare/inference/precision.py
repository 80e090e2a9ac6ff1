"""bf16 or fp16 where it is harmless: matrix products, never the logits."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.records import Device

if TYPE_CHECKING:
    import torch


def autocast(device: Device) -> AbstractContextManager[Any]:
    """bf16 or fp16 autocast where the device's precision says so, else nothing."""
    import torch

    return torch.autocast(device.kind, half_type(device) or torch.bfloat16, enabled=half_type(device) is not None)


def half_type(device: Device) -> torch.dtype | None:
    """The 16-bit type that matrix products are computed in; None in fp32."""
    import torch

    return {"bf16": torch.bfloat16, "fp16": torch.float16}.get(device.precision)


def keep_head_in_fp32(model: torch.nn.Module, n_labels: int) -> torch.nn.Module | None:
    """Compute the last layer's logits in fp32 inside autocast: bf16 ties labels that differ.

    Returns:
        The layer, the last linear one with `n_labels` outputs; None without one.
    """
    import torch

    linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    heads = [module for module in linear if module.out_features == n_labels]
    if not heads:
        return None
    head = heads[-1]

    def forward(rows: torch.Tensor) -> torch.Tensor:
        with torch.autocast(rows.device.type, enabled=False):
            return torch.nn.functional.linear(rows.float(), head.weight, head.bias)

    head.forward = forward  # type: ignore[method-assign,assignment]
    return head


def freeze_for_inference(
    model: torch.nn.Module, device: Device, head: torch.nn.Module | None = None
) -> torch.nn.Module:
    """Evaluation mode; in bf16 and fp16 the linear layers' weights are cast once.

    Autocast would cast them anew in every call; the numbers are the same.
    """
    import torch

    model.eval().requires_grad_(False)
    half = half_type(device)
    if half is not None:
        for module in model.modules():
            if isinstance(module, torch.nn.Linear) and module is not head:
                module.to(half)
    return model.to(device.kind)
