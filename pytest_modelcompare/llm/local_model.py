"""A causal language model in this process: requests as its tokens, likelihoods of labels, answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.inference.classifiers import softmax
from pytest_modelcompare.inference.device import choose_device
from pytest_modelcompare.inference.model_reference import model_folder
from pytest_modelcompare.inference.precision import autocast, freeze_for_inference, keep_head_in_fp32
from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer, load_weights
from pytest_modelcompare.inference.random_models import random_weights, small_config
from pytest_modelcompare.llm.provider import Answer
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.wording import ANSWER_KEY
from pytest_modelcompare.pricing.price_list import Usage
from pytest_modelcompare.records import Device

if TYPE_CHECKING:
    import torch

LEAD = "Label:"
END = "\n"


def prompt_tokens(tokenizer: Any, system: str, messages: Sequence[tuple[str, str]]) -> list[int]:
    """Everything up to where the label begins.

    What looks like a special token in a text stays text.
    """
    if tokenizer.chat_template is None:
        return encoded(tokenizer, plain_text(system, messages), special=True)
    from jinja2 import TemplateError

    turns = [{"role": role, "content": harmless(tokenizer, text)} for role, text in messages]
    try:
        return templated(tokenizer, [{"role": "system", "content": system}, *turns])
    except TemplateError:  # some templates know no system role
        first = {"role": "user", "content": f"{system}\n\n{turns[0]['content']}"}
        return templated(tokenizer, [first, *turns[1:]])


def templated(tokenizer: Any, turns: list[dict[str, str]]) -> list[int]:
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]


def plain_text(system: str, messages: Sequence[tuple[str, str]]) -> str:
    """Task and menu, then each text with its label behind `Label:`; the last one's is missing."""
    parts = [system]
    for role, text in messages:
        if role == "user":
            parts.append(f"{text}\n{LEAD}")
        else:
            parts[-1] += f" {text}"
    return "\n\n".join(parts)


def continuation(tokenizer: Any, label: str) -> list[int]:
    """A label and its end as they follow on a prompt."""
    if tokenizer.chat_template is not None:
        return [*encoded(tokenizer, label), tokenizer.eos_token_id]
    # the tokens behind `Label:` depend on what they follow
    lead = encoded(tokenizer, LEAD)
    return encoded(tokenizer, f"{LEAD} {label}{END}")[len(lead) :]


def encoded(tokenizer: Any, text: str, *, special: bool = False) -> list[int]:
    """Tokens of a text; `special` puts the model's own beginning before it, and never an end behind it."""
    tokens = [int(token) for token in tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]]
    begins = special and tokenizer.bos_token_id is not None
    return [tokenizer.bos_token_id, *tokens] if begins else tokens


def harmless(tokenizer: Any, text: str) -> str:
    """A text in which no special token is recognised."""
    for token in tokenizer.all_special_tokens:
        if token in text:
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text


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


class LocalProvider:
    """The scorer behind the protocol: answers with the likeliest label of the menu."""

    def __init__(self, scorer: LabelScorer) -> None:
        self.scorer = scorer

    async def ask(self, request: Request) -> Answer:
        """The likeliest label, as JSON.

        Raises:
            LLMError: the request has no menu: this provider chooses, it does not write.
        """
        if request.menu is None:
            raise LLMError("a local model chooses among labels, and the request has none", where=request.model)
        usage = Usage(len(self.scorer.tokens(request)), 0)
        found = self.scorer.log_likelihoods(request, request.menu)
        if found is None:
            return Answer("", "model_context_window_exceeded", usage)
        return Answer(json.dumps({ANSWER_KEY: request.menu[int(found.argmax())]}), "end_turn", usage)

    async def close(self) -> None:
        """There is nothing to give back."""
