"""`prompt: local:MODEL`: a causal language model in this process, timed and priced like every local contestant."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pytest_modelcompare.inference.memory import PeakMemory, weights_mb
from pytest_modelcompare.inference.model_reference import weights_digest
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompting import instructions_text
from pytest_modelcompare.llm.prompts import PromptPlan, requests_for
from pytest_modelcompare.llm.reply import FAILED_STOPS
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.shots import chosen_shots
from pytest_modelcompare.methods.local import LocalMethod, Predictor, Work, few_rows, rows_to_predict, validated
from pytest_modelcompare.records import NO_ANSWER, Dataset, Footprint, Outcome, Predictions, Rows
from pytest_modelcompare.records.progress import Progress
from pytest_modelcompare.records.traits import Traits
from pytest_modelcompare.settings import Settings

if TYPE_CHECKING:
    from pytest_modelcompare.llm.local_model import LabelScorer

LIKELIHOODS = "likelihoods of the labels"
TOO_LONG = FAILED_STOPS["model_context_window_exceeded"]
NOT_TIMED = "the search for the nearest shots is not in its times"


class Nowhere:
    """A journal that keeps nothing: the whole run is stored."""

    def get(self, key: str) -> dict[str, Any] | None: ...

    def put(self, key: str, record: dict[str, Any]) -> None: ...

    def tokens_of(self, model: str) -> None: ...


class LocalPrompt(LocalMethod):
    """Gives every label the probability with which the model would go on with it, among the labels of the menu."""

    key: ClassVar[str] = "prompt:local"
    engine_version: ClassVar[int] = 1
    settings: ClassVar[type[Settings]] = PromptSettings
    traits: ClassVar[Traits] = Traits(runs_here=True)

    def weights_digest(self, settings: PromptSettings, base: Path) -> str:
        """Over the model, the encoder that chooses shots, and the words of the instructions, which may be a file."""
        parts = [weights_digest(reference_of(settings), base), instructions_text(settings, base) or ""]
        if settings.shots_encoder is not None:
            parts.append(weights_digest(settings.shots_encoder, base))
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

    def run(self, settings: PromptSettings, work: Work) -> Outcome:
        scorer = scorer_of(settings, work)
        with PeakMemory(scorer.device.kind) as inference:
            predictions = predicted(settings, work, scorer, rows_to_predict(work))
        footprint = Footprint(0.0, 0.0, inference.mb + weights_mb(scorer.model), scorer.size_mb, scorer.parameters)
        notes = [f"AUROC, Brier, log loss and ECE are made from {LIKELIHOODS}"]
        if settings.shots_by == "nearest":
            notes.append(NOT_TIMED)
        chosen = validated(work, lambda rows: predicted(settings, work, scorer, rows))
        return Outcome(predictions, footprint, scorer.device, tuple(notes), chosen)

    def load(self, folder: Path, settings: PromptSettings, work: Work) -> Predictor:  # noqa: ARG002
        return PromptPredictor(scorer_of(settings, work), local_requests(settings, work.dataset, work.base))

    def requests(self, settings: PromptSettings, dataset: Dataset, base: Path) -> list[Request]:
        """What is asked of each test row."""
        return local_requests(settings, dataset, base)


class PromptPredictor(Predictor):
    """Labels test rows one after the other: what their prompts begin with is computed once."""

    batch_sizes = (8,)

    def __init__(self, scorer: LabelScorer, requests: Sequence[Request]) -> None:
        self.scorer = scorer
        self.requests = {request.messages[-1][1]: request for request in requests}
        with PeakMemory(scorer.device.kind) as memory:
            self.label(requests[:2])
        self.megabytes = weights_mb(scorer.model) + memory.mb

    def predict(self, texts: Sequence[str]) -> object:
        from pytest_modelcompare.llm.wording import quoted

        return self.label([self.requests[quoted(text)] for text in texts])

    def label(self, requests: Sequence[Request]) -> list[int]:
        found = [self.scorer.log_likelihoods(request, request.menu or ()) for request in requests]
        return [NO_ANSWER if one is None else int(one.argmax()) for one in found]

    def tokens(self, texts: Sequence[str]) -> int | None:
        from pytest_modelcompare.llm.wording import quoted

        return sum(len(self.scorer.tokens(self.requests[quoted(text)])) for text in texts)

    def memory_mb(self) -> float:
        return self.megabytes


def reference_of(settings: PromptSettings) -> str:
    """The model without its provider: a hub id, a path, or `package:MODULE/SUBPATH`."""
    return settings.model.partition(":")[2]


def scorer_of(settings: PromptSettings, work: Work) -> LabelScorer:
    from pytest_modelcompare.llm.local_model import load_scorer

    return load_scorer(reference_of(settings), work.base, work.device, smoke=work.smoke)


def local_requests(settings: PromptSettings, dataset: Dataset, base: Path) -> list[Request]:
    """One per test row: the labels stand in the prompt, and the model chooses among them."""
    plan = PromptPlan(
        settings.provider,
        reference_of(settings),
        instructions_text(settings, base),
        settings.max_output_tokens,
        None,
        None,
        structured=False,
    )
    shots = chosen_shots(settings, dataset, Nowhere(), base)
    return [replace(request, menu=dataset.labels) for request in requests_for(plan, dataset, shots.rows)]


def predicted(settings: PromptSettings, work: Work, scorer: LabelScorer, rows: Rows) -> Predictions:
    """Probabilities among the labels, and the likeliest; a prompt too long for the model has no answer."""
    from pytest_modelcompare.llm.local_model import probabilities

    train = work.dataset.train
    dataset = replace(work.dataset, test=rows, train=few_rows(train) if work.smoke and train is not None else train)
    requests = local_requests(settings, dataset, work.base)
    scores = np.full((len(rows), len(dataset.labels)), np.nan)
    labels = np.full(len(rows), NO_ANSWER, np.int64)
    for row, request in enumerate(requests):
        found = scorer.log_likelihoods(request, dataset.labels)
        if found is not None:
            scores[row], labels[row] = probabilities(found), int(found.argmax())
        work.progress(Progress(row + 1, len(rows), "predict"))
    too_long = int((labels == NO_ANSWER).sum())
    return Predictions(labels, scores, LIKELIHOODS, {TOO_LONG: too_long} if too_long else {})
