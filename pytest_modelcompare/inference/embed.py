"""Texts as vectors from a frozen encoder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.device import choose_device
from pytest_modelcompare.inference.model_reference import model_folder
from pytest_modelcompare.inference.precision import autocast, freeze_for_inference
from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer, load_weights
from pytest_modelcompare.inference.random_models import random_weights, small_config
from pytest_modelcompare.inference.token_ids import Encoder, batches_by_length, tokens_at_once
from pytest_modelcompare.records import Device
from pytest_modelcompare.records.progress import Progress, Watch, silent

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Embedder:
    """A frozen encoder, its tokenizer and its pooling, on its device."""

    model: Any
    encoder: Encoder
    pooling: str
    """mean or cls."""

    device: Device
    size_mb: float
    """Its weight files, in 2**20 bytes."""

    @property
    def parameters(self) -> int:
        return sum(weights.numel() for weights in self.model.parameters())

    def embed(self, texts: Sequence[str], batch_size: int = 64, watch: Watch = silent) -> NDArray[np.float32]:
        """Shape (n, width); rows have length 1, as sentence encoders are trained to be compared."""
        import torch

        encoded = self.encoder.encode(texts)
        found: dict[int, NDArray[np.float32]] = {}
        with torch.inference_mode(), autocast(self.device):
            for rows in batches_by_length(encoded.lengths, batch_size, tokens_at_once(self.device.kind)):
                batch = self.encoder.batch(encoded, rows, self.device.kind)
                states = self.model(**batch).last_hidden_state.float()  # (batch, tokens, width)
                vectors = torch.nn.functional.normalize(
                    pool_tokens(states, batch["attention_mask"], self.pooling), dim=1
                )
                found.update(zip(rows.tolist(), vectors.cpu().numpy(), strict=True))
                watch(Progress(len(found), len(texts), "embed"))
        return np.stack([found[row] for row in range(len(found))])


def pool_tokens(states: torch.Tensor, mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """Token vectors (batch, tokens, width) as one per text: the mean of real tokens, or the first of them."""
    import torch

    if pooling == "cls":
        first = mask.argmax(dim=1)
        return states[torch.arange(len(states), device=states.device), first]
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)


def pooling_of(folder: Path, wanted: str, where: str) -> str:
    """mean or cls: as the suite says, else as `1_Pooling/config.json` says, else mean.

    Raises:
        ModelError: the model was trained with a pooling that is not known here.
    """
    path = folder / "1_Pooling" / "config.json"
    if wanted != "auto" or not path.is_file():
        return "mean" if wanted == "auto" else wanted
    said = json.loads(path.read_text(encoding="utf-8"))
    on = {key.removeprefix("pooling_mode_") for key, value in said.items() if value is True and "pooling_mode_" in key}
    names = on or {str(said.get("pooling_mode", "mean"))}
    known = {"mean_tokens": "mean", "mean": "mean", "cls_token": "cls", "cls": "cls"}
    if len(names) != 1 or not names <= known.keys():
        raise ModelError(
            f"the model pools by {', '.join(sorted(names))}", where=where, fix="say `pooling: mean` or `pooling: cls`"
        )
    return known[names.pop()]


def load_embedder(
    reference: str,
    base: Path,
    device: str,
    *,
    precision: str = "auto",
    pooling: str = "auto",
    max_length: int | None = None,
    weights: str = "safetensors",
    smoke: bool = False,
) -> Embedder:
    """The encoder a reference names, frozen and ready.

    Raises:
        ModelError: it is not there, or cannot be loaded.
    """
    from transformers import AutoModel

    chosen = choose_device(device, precision)
    if smoke:
        config, encoder = small_config(reference, base, AutoModel, ["a text"], max_length=max_length)
        frozen = freeze_for_inference(encoder_part(random_weights(AutoModel, config, reference)), chosen)
        return Embedder(frozen, encoder, "mean" if pooling == "auto" else pooling, chosen, 0.0)
    folder = model_folder(reference, base, weights=weights)
    config = load_config(folder, reference)
    encoder = load_tokenizer(folder, config, max_length, reference)
    model = encoder_part(load_weights(AutoModel, folder, config, weights, reference))
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors")) or sum(
        path.stat().st_size for path in folder.glob("pytorch_model*.bin")
    )
    frozen = freeze_for_inference(model, chosen)
    return Embedder(frozen, encoder, pooling_of(folder, pooling, reference), chosen, size / 2**20)


def encoder_part(model: Any) -> Any:
    """The encoder of an encoder-decoder; any other model whole."""
    return model.get_encoder() if getattr(model.config, "is_encoder_decoder", False) else model
