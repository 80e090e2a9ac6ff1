"""What the local methods share: their training rows, predictions and predictors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import DataError
from pytest_modelcompare.inference.classifiers import softmax
from pytest_modelcompare.methods.base import Predictor, Work
from pytest_modelcompare.records import Predictions, Rows

if TYPE_CHECKING:
    from pytest_modelcompare.inference.token_ids import Encoder

SMOKE_ROWS = 64


def training_rows(work: Work) -> Rows:
    """The rows to train on; a few of every label in a smoke run.

    Raises:
        DataError: the suite names none.
    """
    train = work.dataset.train
    if train is None or len(train) == 0:
        raise DataError("there are no rows to train on", fix="name them: `data: {train: …}`")
    return few_rows(train) if work.smoke else train


def rows_to_predict(work: Work) -> Rows:
    return few_rows(work.dataset.test) if work.smoke else work.dataset.test


def validated(work: Work, predict: Callable[[Rows], Predictions]) -> Predictions | None:
    """What `predict` says of the validation rows; None where there are none."""
    rows = work.dataset.validation
    if rows is None:
        return None
    return predict(few_rows(rows) if work.smoke else rows)


def few_rows(rows: Rows) -> Rows:
    """Some rows, two per label at first, at most SMOKE_ROWS."""
    ranks = [int((rows.labels[:at] == label).sum()) for at, label in enumerate(rows.labels[:5000])]
    chosen = np.sort(np.argsort(ranks, kind="stable")[:SMOKE_ROWS])
    texts, ids = tuple(rows.texts[at] for at in chosen), tuple(rows.ids[at] for at in chosen)
    groups = None if rows.groups is None else rows.groups[chosen]
    return replace(rows, texts=texts, labels=rows.labels[chosen], ids=ids, groups=groups, columns={})


def scored(logits: NDArray[np.floating[Any]], scores_from: str) -> Predictions:
    """The label with the highest logit, and softmax scores."""
    scores = softmax(logits)
    return Predictions(logits.argmax(axis=1).astype(np.int64), scores, scores_from)


def cut_note(share: float, max_length: int) -> tuple[str, ...]:
    """Says so when texts are cut."""
    return (f"{share:.1%} of the test rows fill {max_length} tokens or are cut there",) if share else ()


@dataclass
class LocalPredictor(Predictor):
    """A function from texts to labels, with its tokenizer and the memory it took."""

    label: Callable[[Sequence[str]], object]
    encoder: Encoder | None = None
    megabytes: float = float("nan")
    batch_sizes: tuple[int, ...] = (32, 128)

    def predict(self, texts: Sequence[str]) -> object:
        return self.label(texts)

    def tokens(self, texts: Sequence[str]) -> int | None:
        return None if self.encoder is None else int(self.encoder.encode(texts).lengths.sum())

    def memory_mb(self) -> float:
        return self.megabytes
