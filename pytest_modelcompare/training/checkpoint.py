"""Where a training stands, in one file that is there whole or not at all."""

from __future__ import annotations

import errno
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

Facts = dict[str, Any]
NAME = "checkpoint.safetensors"


def write_checkpoint(folder: Path, tensors: Mapping[str, torch.Tensor], facts: Facts) -> None:
    """Replace the folder's checkpoint by one rename; until then the last one is whole.

    Raises:
        OSError: the disk is full; the last checkpoint is kept.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{NAME}.part"
    try:
        save_file({name: one.contiguous() for name, one in tensors.items()}, made, {"facts": json.dumps(facts)})
        made.replace(folder / NAME)
    except SafetensorError as error:
        raise OSError(errno.ENOSPC, str(error)) from error
    finally:
        made.unlink(missing_ok=True)


def read_checkpoint(folder: Path, conditions: Facts) -> tuple[dict[str, torch.Tensor], Facts] | None:
    """Tensors and facts of the folder's checkpoint; None without one, or where it was made under other conditions."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / NAME, framework="pt") as file:
            facts = json.loads(file.metadata()["facts"])
            if facts["conditions"] != json.loads(json.dumps(conditions)):
                return None
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118  # it is no mapping
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def model_tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers by name, each once however many places share it."""
    return {name: tensor.detach() for name, tensor in (*model.named_parameters(), *model.named_buffers())}


def set_model_tensors(model: torch.nn.Module, tensors: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, tensor in model_tensors(model).items():
            tensor.copy_(tensors[name])


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """What the optimiser remembers of each parameter, named `number/what`."""
    state = optimizer.state_dict()["state"]
    return {f"{number}/{what}": value for number, values in state.items() for what, value in values.items()}


def set_optimizer_tensors(optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, what = name.partition("/")
        state.setdefault(int(number), {})[what] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def random_tensors(kind: str) -> dict[str, torch.Tensor]:
    """torch's random states, on the CPU and on the device that trains."""
    states = {"torch": torch.random.get_rng_state()}
    return {**states, "cuda": torch.cuda.get_rng_state()} if kind == "cuda" else states


def random_facts() -> Facts:
    """Python's and numpy's random states."""
    name, keys, place, has_gauss, gauss = np.random.get_state(legacy=True)  # noqa: NPY002
    return {"python": random.getstate(), "numpy": [name, np.asarray(keys).tolist(), place, has_gauss, gauss]}


def set_random(tensors: Mapping[str, torch.Tensor], facts: Facts) -> None:
    torch.random.set_rng_state(tensors["torch"])
    if "cuda" in tensors:
        torch.cuda.set_rng_state(tensors["cuda"])
    version, numbers, gauss = facts["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = facts["numpy"]
    np.random.set_state((name, np.array(keys, np.uint32), *rest))  # noqa: NPY002


def tensors_under(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose names begin so, without that beginning."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
