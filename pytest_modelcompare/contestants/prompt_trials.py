"""A search for a prompt, step by step: instructions are proposed, prompts are tried, pairs of what did well follow.

Where replies come from is left open: a run asks for them, a plan takes what is stored and sees what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from statistics import mean

import numpy as np

from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.contestants.proposals import Messages, proposed_instructions
from pytest_modelcompare.contestants.search_field import Field
from pytest_modelcompare.llm.prompts import PromptPlan, requests_for, shots_at
from pytest_modelcompare.llm.reply import Reply, read_reply
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.wording import TASK, menu_text

PROPOSAL_TOKENS = 1_500
"""Room for a proposal, beside what the suite gives an answer."""

Replies = Callable[[Sequence[Request]], Sequence[Reply]]
"""One reply for each request."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One prompt that was tried."""

    instructions: int
    shots: int
    right: int


@dataclass(slots=True)
class Search:
    """One search, as far as it has come."""

    settings: PromptSettings
    plan: PromptPlan
    where: Field
    replies: Replies
    proposal_calls: int = 0
    """Made so far, to sum up rows and to propose."""

    instructions: list[str | None] = field(default_factory=list)
    """The suite's own first; empty until all are proposed."""

    trials: list[Trial] = field(default_factory=list)

    def run(self) -> Trial:
        """The best prompt; of equals the first, so that the suite's own wins. Raises what `replies` raises."""
        assert self.settings.optimise is not None
        self.instructions = [self.plan.instructions, *self.proposed()]
        pair: tuple[int, int] | None = (0, 0)
        while pair is not None and len(self.trials) < self.settings.optimise.trials:
            self.trials.append(self.tried(*pair))
            pair = next_pair(self.trials, len(self.instructions), len(self.where.sets))
        return max(self.trials, key=lambda trial: trial.right)

    @property
    def trials_left(self) -> int:
        """At most, once all instructions are there."""
        assert self.settings.optimise is not None
        pairs = len(self.instructions) * len(self.where.sets)
        return min(self.settings.optimise.trials, pairs) - len(self.trials)

    def proposed(self) -> list[str]:
        """Instructions that the model writes, each call a request like any other."""
        assert self.settings.optimise is not None
        dataset, seed = self.where.dataset, self.settings.optimise.seed
        times: dict[str, int] = {}

        def send(system: str, messages: Messages) -> str:
            request = proposal_request(self.plan, system, messages)
            sample = times[request.key()] = times.get(request.key(), -1) + 1
            [reply] = self.replies([replace(request, sample=sample)])
            self.proposal_calls += 1
            return reply.text

        rows = np.random.default_rng(seed).permutation(len(self.where.rest)).tolist()
        menu = menu_text(dataset.labels, dataset.descriptions)
        own = self.plan.instructions or TASK
        task = f"{own}\n\n(The list of labels follows by itself and need not be repeated:\n{menu})"
        found = proposed_instructions(send, task, shots_at(dataset, rows), self.where.proposals, seed)
        return [text for text in found if text != own]

    def tried(self, instructions: int, shots: int) -> Trial:
        """Ask every row that was held out with one prompt."""
        dataset = self.where.dataset
        worded = replace(self.plan, instructions=self.instructions[instructions])
        replies = self.replies(requests_for(worded, dataset, self.where.sets[shots].shown))
        numbers, truth = dataset.label_number(), dataset.test.labels.tolist()
        right = sum(read_reply(reply, numbers).label == label for reply, label in zip(replies, truth, strict=True))
        return Trial(instructions, shots, right)


def proposal_request(plan: PromptPlan, system: str, messages: Messages) -> Request:
    """Free text, and room for it."""
    return Request(
        plan.provider,
        plan.model,
        system,
        messages,
        None,
        plan.max_output_tokens + PROPOSAL_TOKENS,
        plan.effort,
        plan.base_url,
        service_tier=plan.service_tier,
        elsewhere=plan.elsewhere,
    )


def next_pair(trials: Sequence[Trial], instructions: int, sets: int) -> tuple[int, int] | None:
    """Every instruction and every set once; then pairs of those that did well apart. None: all pairs were tried."""
    done = {(trial.instructions, trial.shots) for trial in trials}
    for number in range(1, max(instructions, sets)):
        pair = number % instructions, number % sets
        if pair not in done:
            return pair
    left = [(one, other) for one in range(instructions) for other in range(sets) if (one, other) not in done]
    by_text = [mean(trial.right for trial in trials if trial.instructions == one) for one in range(instructions)]
    by_set = [mean(trial.right for trial in trials if trial.shots == one) for one in range(sets)]
    return max(left, key=lambda pair: by_text[pair[0]] + by_set[pair[1]]) if left else None
