"""A causal language model in this process, behind the protocol of all providers."""

from __future__ import annotations

import json

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.local_scorer import LabelScorer
from pytest_modelcompare.llm.prompts import Request
from pytest_modelcompare.llm.provider import Answer
from pytest_modelcompare.llm.wording import ANSWER_KEY
from pytest_modelcompare.pricing.price_list import Usage


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
