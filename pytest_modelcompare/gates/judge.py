"""The verdict on a gate: two one-sided tests.

A false claim passes, and a true one fails, at most 5 % of the time each.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.any_of import any_of
from pytest_modelcompare.gates.claims import Claim, DoesNotRegress
from pytest_modelcompare.gates.combine import combined, estimate_of, side_of
from pytest_modelcompare.gates.fair import require_coverage, require_evidence
from pytest_modelcompare.gates.inference import infer
from pytest_modelcompare.gates.one_place import MEASURED_ONCE, require_one_place
from pytest_modelcompare.gates.question import Question, question_of
from pytest_modelcompare.gates.regression import judge_regression
from pytest_modelcompare.gates.rules import Rules, softened
from pytest_modelcompare.gates.spec import GateSpec, Undecided
from pytest_modelcompare.gates.wording import alone_text, margin_text, numbers, what_would_decide
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.records import Estimate, Evidence, Figure, Inference, Outcomes, Verdict
from pytest_modelcompare.records.accepted import Baseline
from pytest_modelcompare.statistics.influence import exact, spread_of


def judge(
    spec: GateSpec,
    evidence: Mapping[str, Evidence],
    *,
    confidence: float = 0.95,
    undecided: Undecided = "fail",
    min_coverage: float = 0.9,
    baselines: Mapping[str, Baseline] | None = None,
) -> Verdict:
    """The verdict on a gate; what keeps it from being judged is an error verdict, never a pass.

    Args:
        baselines: what was accepted, by `contestant.metric`, for `does not regress`.
    """
    level = spec.confidence or confidence
    alpha = (1 - level) / len(spec.claims)
    rules = Rules(level, spec.undecided or undecided, min_coverage, spec, alpha)
    members = tuple(judged(claim, dict(evidence), rules, baselines or {}) for claim in spec.claims)
    if not spec.any_of:
        return replace(softened(members[0], rules), gate=spec.text)
    return softened(any_of(spec, members, level), rules)


def judged(claim: Claim, evidence: dict[str, Evidence], rules: Rules, baselines: Mapping[str, Baseline]) -> Verdict:
    """One claim."""
    try:
        if isinstance(claim, DoesNotRegress):
            key = f"{claim.a}.{claim.measure}"
            point = rules.spec.decide == "point"
            return judge_regression(claim, baselines.get(key), 1 - rules.pass_alpha, point=point)
        question = question_of(claim)
        require_evidence(question, evidence, rules.spec)
        require_coverage(question, evidence, rules.min_coverage)
        return tested(str(claim), question, evidence, rules)
    except GateError as error:
        return Verdict(str(claim), Outcomes.ERROR, str(error), rules.confidence)


def tested(text: str, question: Question, evidence: dict[str, Evidence], rules: Rules) -> Verdict:
    sides = [side_of(metric, evidence) for metric in question.metrics]
    if not sides:
        raise GateError("nothing here is measured", fix="name a contestant's metric")
    require_one_place(question, sides)
    whole = combined(question, evidence)
    point = rules.spec.decide == "point" or is_exact(question)
    if point:
        found = exact(whole, question.threshold)
        held = compares(question)(whole.value, question.threshold)
        outcome = Outcomes.PASS if held else Outcomes.FAIL
    else:
        following = rules.spec.decide == "next_training"
        found = infer(question, evidence, rules.confidence, next_training=following)
        near = found
        if rules.pass_alpha < 1 - rules.confidence:  # the effective rows of groups depend on the level
            near = infer(question, evidence, 1 - rules.pass_alpha, next_training=following)
        outcome = decided(question, found, near, rules)
    return Verdict(
        text,
        outcome,
        message(question, found, sides, outcome, rules, whole, point=point),
        rules.confidence,
        found.method,
        target(sides, rules),
        *figures(question, evidence),
        difference=found,
        threshold=question.threshold,
        p_pass=None if point else found.p_above if question.above else found.p_below,
        p_fail=None if point else found.p_below if question.above else found.p_above,
        n_effective=None if point else effective_rows(whole),
        tested=not point,
    )


def decided(question: Question, found: Inference, near: Inference, rules: Rules) -> Outcomes:
    """Pass where the near bound meets the threshold, fail where the far one misses it.

    Args:
        near: the same test at the pass side's own level; differs from `found` in an `any_of`.
    """
    if found.undecided_because:
        return Outcomes.UNDECIDED
    for_it = near.p_above if question.above else near.p_below
    against_it = found.p_below if question.above else found.p_above
    if for_it <= rules.pass_alpha and not near.undecided_because:
        return Outcomes.PASS
    return Outcomes.FAIL if against_it <= 1 - rules.confidence else Outcomes.UNDECIDED


def is_exact(question: Question) -> bool:
    return all(METRICS[metric.name].exact for metric in question.metrics)


def compares(question: Question) -> Callable[[float, float], bool]:
    """The comparison that an exact figure is held to."""
    strict, loose = (operator.gt, operator.ge) if question.above else (operator.lt, operator.le)
    return strict if question.strict else loose


def message(
    question: Question,
    found: Inference,
    sides: list[Evidence],
    outcome: Outcomes,
    rules: Rules,
    whole: Estimate,
    *,
    point: bool,
) -> str:
    """The numbers and the margin, one line."""
    text = numbers(question, found, whole.unit)
    if outcome is Outcomes.UNDECIDED:
        needed = what_would_decide(question, found, sides, rules.spec.expect, whole, rules.confidence)
        text += f"{alone_text(question, sides)}; {needed}"
    else:
        text += margin_text(question, found, passed=outcome is Outcomes.PASS)
    if rules.spec.decide == "point":
        text += "; not tested (`decide: point`)"
    elif point and any(metric.name in MEASURED_ONCE for metric in question.metrics):
        text += "; measured, not tested"
    for note in found.notes:
        text += f"; {note}"
    return text


def target(sides: list[Evidence], rules: Rules) -> str:
    """What the claim is about."""
    if rules.spec.decide == "next_training":
        return "the next training"
    counts = {side.name: len(side.predictions) for side in sides if len(side.predictions) > 1}
    if len(set(counts.values())) == 1:
        return f"the recipe's mean over {max(counts.values())} seeds"
    if counts:
        return "the recipes' means over " + " and ".join(f"{count} seeds ({name})" for name, count in counts.items())
    trained = any(side.method in ("fine_tune", "linear_probe", "tfidf") for side in sides)
    return "this trained model" if trained else "these answers"


def effective_rows(figure: Estimate) -> float | None:
    """The rows divided by the design effect of the groups; None without groups."""
    n = figure.influence.shape[1]
    if figure.clusters is None or n < 2:
        return None
    grouped, free = spread_of(figure).variance, spread_of(replace(figure, clusters=None)).variance
    return min(float(n), n * free / grouped) if grouped > 0 else None


def figures(question: Question, evidence: dict[str, Evidence]) -> tuple[Figure | None, Figure | None]:
    """Both sides as the report shows them."""
    shown = [Figure(str(metric), estimate_of(metric, evidence).value) for metric in question.metrics[:2]]
    return (shown[0] if shown else None), (shown[1] if len(shown) > 1 else None)
