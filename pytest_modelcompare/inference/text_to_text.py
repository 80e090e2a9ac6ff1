"""Labels as text that an encoder-decoder generates: its training loss, and its scores.

A label's score is the log-likelihood of its whole text, end token included,
teacher-forced: log P(label | text) = Σ log P(token | text, tokens before). It is
not divided by the length: with the end token in it, this is the probability that
exactly this text is generated, so a softmax over the labels is P(label | text,
one of the labels was generated), and labels of any length compare fairly. It is
also what the training maximises (Raffel et al. 2020, https://arxiv.org/abs/1910.10683).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.errors import ModelError

if TYPE_CHECKING:
    import torch

LabelTokens = tuple[tuple[int, ...], ...]
"""Per label, the tokens that are to be generated; the end token is the last."""

NOT_A_TOKEN = -100
"""Stands after a shorter label's tokens; counts for nothing."""


def label_tokens(tokenizer: Any, labels: Sequence[str], where: str) -> LabelTokens:
    """Every label's name as the tokens that the decoder is to generate.

    Raises:
        ModelError: two labels are the same to the tokenizer.
    """
    found = tokenizer(text_target=list(labels), split_special_tokens=True)["input_ids"]
    end = tokenizer.eos_token_id
    tokens = tuple(tuple(ids) if end is None or ids[-1:] == [end] else (*ids, end) for ids in found)
    first: dict[tuple[int, ...], str] = {}
    for label, ids in zip(labels, tokens, strict=True):
        if ids in first:
            raise ModelError(
                f"the labels `{first[ids]}` and `{label}` are the same to the model's tokenizer",
                where=where,
                fix="rename one of them with `data: {labels: …}`, or leave `head: text_to_text` out",
            )
        first[ids] = label
    return tokens


@dataclass(frozen=True, slots=True)
class GenerationLosses:
    """What training minimises: minus the log-likelihood of each row's label text."""

    tokens: LabelTokens
    label_smoothing: float = 0.0
    """Share of each token's target that is spread over the vocabulary."""

    def __call__(self, model: Any, batch: Mapping[str, torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
        """Losses of shape (rows,) in nats, for label numbers of shape (rows,)."""
        import torch

        longest = max(map(len, self.tokens))
        padded = [[*ids, *[NOT_A_TOKEN] * (longest - len(ids))] for ids in self.tokens]
        wanted = torch.tensor(padded, device=labels.device)[labels]  # (rows, longest)
        before = wanted.roll(1, dims=1)
        before[:, 0] = model.config.decoder_start_token_id
        before[before == NOT_A_TOKEN] = model.config.pad_token_id or 0  # read by nothing that counts
        logits = model(**batch, decoder_input_ids=before, use_cache=False).logits.float()  # (rows, longest, vocabulary)
        losses = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2),
            wanted,
            ignore_index=NOT_A_TOKEN,
            reduction="none",
            label_smoothing=self.label_smoothing,
        )
        return losses.sum(dim=1)


@dataclass(frozen=True, slots=True)
class LabelScores:
    """Shaped like a classification model's output."""

    logits: torch.Tensor
    """Shape (rows, n_labels): log-likelihoods of the labels' texts."""


@dataclass(frozen=True, slots=True)
class LabelScorer:
    """An encoder-decoder that answers as a classification model does."""

    model: Any
    tokens: LabelTokens

    def __call__(self, **batch: torch.Tensor) -> LabelScores:
        """Encode once, decode every label's text from the same cache: cost grows with the number of labels."""
        import torch

        given = {
            "encoder_outputs": self.model.get_encoder()(**batch, return_dict=True),
            "attention_mask": batch["attention_mask"],
        }
        n_rows, device = len(batch["input_ids"]), batch["input_ids"].device
        start = torch.full((n_rows, 1), self.model.config.decoder_start_token_id, device=device)
        begun = self.model(**given, decoder_input_ids=start, use_cache=True)
        first = begun.logits[:, 0].float().log_softmax(dim=-1)  # (rows, vocabulary)
        cache = begun.past_key_values
        scores = torch.empty(n_rows, len(self.tokens), device=device)
        for number, ids in enumerate(self.tokens):
            scores[:, number] = first[:, ids[0]]
            if len(ids) == 1:
                continue
            forced = torch.tensor(ids, device=device).expand(n_rows, -1)  # (rows, tokens)
            went_on = self.model(**given, decoder_input_ids=forced[:, :-1], past_key_values=cache, use_cache=True)
            steps = went_on.logits.float().log_softmax(dim=-1)
            scores[:, number] += steps.gather(2, forced[:, 1:, None]).sum(dim=(1, 2))
            cache.crop(1 - len(ids))  # back to the start token
        return LabelScores(scores)

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        return iter(self.model.parameters())

    def buffers(self) -> Iterator[torch.Tensor]:
        return iter(self.model.buffers())
