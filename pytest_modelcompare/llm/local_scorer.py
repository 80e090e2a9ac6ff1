"""A causal language model in this process: how likely it finds each label as the continuation of the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.inference.classify import softmax
from pytest_modelcompare.inference.device import choose_device
from pytest_modelcompare.inference.precision import autocast, freeze_for_inference, keep_head_in_fp32
from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer, load_weights
from pytest_modelcompare.inference.reference import model_folder
from pytest_modelcompare.inference.stand_in import random_weights, small_config
from pytest_modelcompare.llm.local_prompt import continuation, prompt_tokens
from pytest_modelcompare.llm.prompts import Request
from pytest_modelcompare.records import Device

if TYPE_CHECKING:
    import torch

LABELS_AT_ONCE = 16


@dataclass(slots=True)
class LabelScorer:
    """Log-probabilities of labels. What prompts have in common at their beginning is computed once."""

    model: Any
    tokenizer: Any
    max_tokens: int
    """Prompt and label together."""

    device: Device
    size_mb: float
    _labels: dict[tuple[str, ...], list[list[int]]] = field(default_factory=dict)
    _prefix: tuple[list[int], Any] | None = None

    @property
    def parameters(self) -> int:
        return sum(weights.numel() for weights in self.model.parameters())

    def tokens(self, request: Request) -> list[int]:
        return prompt_tokens(self.tokenizer, request.system, request.messages)

    def log_likelihoods(self, request: Request, menu: tuple[str, ...]) -> NDArray[np.float64] | None:
        """ln P(label and its end | prompt), shape (len(menu),); None where the prompt is too long.

        The end counts, so that a label which begins another is not favoured.
        """
        import torch

        if menu not in self._labels:
            self._labels[menu] = [continuation(self.tokenizer, label) for label in menu]
        labels = self._labels[menu]
        prompt = self.tokens(request)
        if len(prompt) + max(map(len, labels)) > self.max_tokens:
            return None
        with torch.inference_mode(), autocast(self.device):
            first, cache = self.read(prompt)
            parts = [
                self.of_labels(first, cache, labels[start : start + LABELS_AT_ONCE])
                for start in range(0, len(labels), LABELS_AT_ONCE)
            ]
        return np.concatenate(parts)

    def read(self, prompt: list[int]) -> tuple[torch.Tensor, Any]:
        """Log-probabilities of the token after the prompt, shape (vocabulary,), and the prompt's keys and values."""
        known, cache = self._prefix or ([], None)
        shared = min(common_length(known, prompt), len(prompt) - 1)
        cache = copy_of(cache, shared) if cache is not None and shared else copy_of(None, 0)
        output = self.model(input_ids=self.batch([prompt[shared:]]), past_key_values=cache, use_cache=True)
        if self._prefix is None or shared < len(known):
            # shrinks to what prompts have in common, within two of them
            keep = shared if self._prefix is not None and shared else len(prompt)
            self._prefix = (prompt[:keep], copy_of(output.past_key_values, keep))
        return output.logits[0, -1].float().log_softmax(-1), output.past_key_values

    def of_labels(self, first: torch.Tensor, cache: Any, labels: Sequence[list[int]]) -> NDArray[np.float64]:
        """Sums over each label's tokens, shape (len(labels),); padding on the right is never looked at."""
        import torch

        width = max(map(len, labels)) - 1
        total = first[torch.tensor([tokens[0] for tokens in labels], device=first.device)].clone()
        if width:
            inputs = self.batch([tokens[:-1] + [0] * (width + 1 - len(tokens)) for tokens in labels])
            output = self.model(input_ids=inputs, past_key_values=copy_of(cache, None, len(labels)), use_cache=True)
            after = output.logits.float().log_softmax(-1)  # (labels, width, vocabulary)
            for row, tokens in enumerate(labels):
                for at, token in enumerate(tokens[1:]):
                    total[row] += after[row, at, token]
        return np.asarray(total.double().cpu().numpy(), np.float64)

    def batch(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        import torch

        return torch.tensor(rows, dtype=torch.long, device=self.device.kind)


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length


def copy_of(cache: Any, length: int | None, repeats: int = 1) -> Any:
    """The first `length` keys and values of every layer, for `repeats` rows; all layers keep everything."""
    from transformers import DynamicCache

    copied = DynamicCache()
    for number, layer in enumerate(cache.layers if cache is not None else ()):
        keys, values = (one[:, :, :length].expand(repeats, -1, -1, -1) for one in (layer.keys, layer.values))
        copied.update(keys, values, number)
    return copied


def probabilities(log_likelihoods: NDArray[np.float64]) -> NDArray[np.float64]:
    """Among the labels of the menu, shape (K,), sums to 1."""
    shares: NDArray[np.float64] = softmax(log_likelihoods[None])[0]
    return shares


def load_scorer(
    reference: str, base: Path, device: str, *, precision: str = "auto", smoke: bool = False
) -> LabelScorer:
    """The causal language model that a reference names, frozen and ready.

    Raises:
        ModelError: it is not there, or cannot be loaded.
    """
    from transformers import AutoModelForCausalLM

    chosen, size = choose_device(device, precision), 0
    if smoke:
        config, encoder = small_config(reference, base, AutoModelForCausalLM, [reference])
        model = random_weights(AutoModelForCausalLM, config, reference)
    else:
        folder = model_folder(reference, base)
        config = load_config(folder, reference)
        encoder = load_tokenizer(folder, config, None, reference)
        model = load_weights(AutoModelForCausalLM, folder, config, "safetensors", reference)
        size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    tokenizer = encoder.tokenizer
    limit = min(int(tokenizer.model_max_length), int(getattr(config, "max_position_embeddings", None) or 2**31))
    head = keep_head_in_fp32(model, config.vocab_size)
    return LabelScorer(freeze_for_inference(model, chosen, head), tokenizer, limit, chosen, size / 2**20)
