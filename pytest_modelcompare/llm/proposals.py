"""Instructions that a model writes for itself: DSPy's grounded proposer, asked through a service of ours.

Of MIPROv2 (Opsahl-Ong et al. 2024, https://arxiv.org/abs/2406.11695) this is the step that writes: it sums up
training rows, then proposes an instruction from the summary, some shots, the task as it stands and a tip.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.extras import require
from pytest_modelcompare.llm.wording import Shot

if TYPE_CHECKING:
    from dspy.lm15 import Request, Response

Messages = tuple[tuple[str, str], ...]
"""(role, text) in order."""

Send = Callable[[str, Messages], str]
"""From a system text and messages to what the model says."""

SUMMARISED_ROWS = 50
ROWS_AT_ONCE = 10
SUMMARY_CALLS = SUMMARISED_ROWS // ROWS_AT_ONCE + 1
"""One for each ten rows, and one to sum up; fewer where there are fewer rows."""

SHOTS_SEEN = 3
"""By the proposer, with each proposal."""


def require_dspy() -> None:
    """Raises NotInstalledError where DSPy is not installed; imports nothing."""
    require("`optimise`", ["dspy"])


def proposer_name() -> str:
    return f"DSPy {version('dspy')}"


class Engine:
    """DSPy's end of the wire. What goes wrong at ours is remembered: DSPy's own code may swallow it."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.failure: BaseException | None = None

    def complete(self, request: Request) -> Response:
        from dspy.lm15 import Message, Response, TextPart, Usage

        if self.failure is not None:
            raise self.failure
        parts: Any = request.system or ""
        system = parts if isinstance(parts, str) else "".join(part.text for part in parts)
        try:
            said = self.send(system, tuple((message.role, message.text or "") for message in request.messages))
        except BaseException as error:
            self.failure = error
            raise
        text = Message.assistant([TextPart(said or " ")])
        return Response(id=None, model=request.model, message=text, finish_reason="stop", usage=Usage())


def proposed_instructions(send: Send, task: str, shots: Sequence[Shot], count: int, seed: int) -> list[str]:
    """Instructions for a task, each another; fewer than `count` where the model does not keep to DSPy's form.

    Args:
        send: makes one call; what it raises is raised here.
        task: what the model is told so far.
        shots: training rows with their labels.
        seed: of what is shown with which proposal.

    Raises:
        NotInstalledError: DSPy is not installed.
    """
    require_dspy()
    import dspy

    engine, rng = Engine(send), random.Random(seed)  # noqa: S311  # no secret
    # DSPy's cache and retries are off: our journal and our pace do both
    lm = dspy.LM("modelcompare/prompt", engine=engine, cache=False, num_retries=0)
    adapter = dspy.ChatAdapter(use_json_adapter_fallback=False)
    program = dspy.Predict(dspy.Signature("text -> label", task))
    rows = [dspy.Example(text=text, label=label, augmented=True).with_inputs("text") for text, label in shots]
    found: list[str] = []
    with quiet(), dspy.context(lm=lm, adapter=adapter, disable_history=True):
        proposer = grounded_proposer(lm, program, rows, rng, engine)
        for _ in range(count):
            shown = [[], rng.sample(rows, min(SHOTS_SEEN, len(rows)))]  # DSPy shows none of the first set
            text = proposal(proposer, program, shown, rng, engine)
            if text and text not in found:
                found.append(text)
    if engine.failure is not None:  # DSPy's own code may have swallowed it
        raise engine.failure
    return found


def grounded_proposer(lm: Any, program: Any, rows: list[Any], rng: random.Random, engine: Engine) -> Any:
    """With a summary of the rows, where the model gives one."""
    from dspy.propose import GroundedProposer
    from dspy.propose.dataset_summary_generator import create_dataset_summary

    proposer = GroundedProposer(
        prompt_model=lm,
        program=program,
        trainset=rows,
        program_aware=False,
        use_dataset_summary=False,
        use_instruct_history=False,
        rng=rng,
    )
    proposer.data_summary = parsed(lambda: create_dataset_summary(rows[:SUMMARISED_ROWS], ROWS_AT_ONCE, lm), engine)
    proposer.use_dataset_summary = proposer.data_summary is not None
    return proposer


def proposal(proposer: Any, program: Any, shown: list[list[Any]], rng: random.Random, engine: Engine) -> str | None:
    """One instruction, under a tip that is drawn."""
    from dspy.propose.grounded_proposer import TIPS

    tip = TIPS[rng.choice(sorted(TIPS))]
    proposer.use_tip = bool(tip)
    return parsed(
        lambda: proposer.propose_instruction_for_predictor(
            program=program,
            predictor=program,
            pred_i=0,
            demo_candidates={0: shown},
            demo_set_i=1,
            trial_logs={},
            tip=tip or None,
        ),
        engine,
    )


def parsed(ask: Callable[[], str], engine: Engine) -> str | None:
    """What DSPy reads in the answers; None where it finds nothing in them."""
    from dspy.utils.exceptions import AdapterParseError, DSPyError

    try:
        text = ask()
    except AdapterParseError:
        text = ""
    except DSPyError:
        if engine.failure is not None:
            raise engine.failure from None
        raise
    return text.strip() or None


@contextmanager
def quiet() -> Iterator[None]:
    """DSPy logs to stderr what it does."""
    logger = logging.getLogger("dspy")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
