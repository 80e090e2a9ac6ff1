"""The README of an exported model: what it is, what was measured of it, and how it is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from textwrap import dedent

from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.metrics.table import table_figures
from pytest_modelcompare.records import Dataset, Evidence, Run
from pytest_modelcompare.records.report import MetricReport
from pytest_modelcompare.reports.numbers import count, milliseconds, share, usd

TORCH = """\
    from transformers import pipeline

    classify = pipeline("text-classification", ".")
    print(classify("a text", truncation=True))
"""


def plain(value: float) -> str:
    """A time or a size: a hundredth matters below ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


SHOWN: Mapping[str, Callable[[float], str]] = {"": share, "ms": milliseconds, "USD": usd}
"""Unit → how its figures are printed."""

ONNX = """\
    import json
    import onnxruntime
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(".")
    session = onnxruntime.InferenceSession("model.onnx")
    labels = json.load(open("config.json"))["id2label"]
    names = [one.name for one in session.get_inputs()]
    tokens = tokenizer(["a text"], truncation=True, padding=True, return_tensors="np")
    logits = session.run(["logits"], {name: tokens[name].astype("int64") for name in names})[0]
    print(labels[str(logits[0].argmax())])
"""


def model_card(comparison: Comparison, spec: ContestantSpec, run: Run) -> str:
    """Markdown with the front matter that model hubs read. The licence is left for its owner to name."""
    dataset, evidence = comparison.dataset, comparison.evidence()[spec.name]
    assert dataset is not None
    settings = spec.settings.model_dump(mode="json")
    onnx = settings.get("serve", "torch") != "torch"
    prefix = settings.get("prefix")
    parts = [
        front_matter(str(settings["model"]), onnx=onnx),
        f"# {comparison.suite.name}: {spec.name}\n\n{what_it_is(spec, run, dataset)}",
        f"## Measured\n\n{figures_table(evidence, comparison.suite.confidence)}",
        measured_how(comparison, evidence),
        f"## Use\n\n```python\n{dedent(ONNX if onnx else TORCH)}```",
        f"Put `{prefix}` and a space before every text, as in training." if prefix else "",
        f"## Data\n\n{data_facts(dataset)}",
        f"## Settings\n\n{settings_block(settings, run)}",
        f"## Licence\n\nLICENCE: name one here. It must go with that of `{settings['model']}` and of the data.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def front_matter(model: str, *, onnx: bool) -> str:
    lines = ["---", "license: other", "license_name: to-be-named", "pipeline_tag: text-classification"]
    lines += [f"library_name: {'onnxruntime' if onnx else 'transformers'}", f"base_model: {model.partition('@')[0]}"]
    return "\n".join([*lines, "---"])


def what_it_is(spec: ContestantSpec, run: Run, dataset: Dataset) -> str:
    settings = spec.settings.model_dump(mode="json")
    form = {"onnx": " exported to ONNX", "onnx-int8": " exported to ONNX with int8 weights"}
    of_seeds = f", one of {len(spec.seeds)} seeds" if len(spec.seeds) > 1 else ""
    return (
        f"`{settings['model']}` fine-tuned to tell {len(dataset.labels)} labels apart"
        f"{form.get(settings.get('serve', 'torch'), '')}. "
        f"Made on {run.created[:10]} with seed {run.seed}{of_seeds}, exported on {datetime.now(UTC).date()}."
    )


def figures_table(evidence: Evidence, confidence: float) -> str:
    """Every figure with its interval."""
    head = [f"| metric | value | {2 * confidence - 1:.0%} interval | n |", "|---|---|---|---|"]
    return "\n".join(head + [row(name, one) for name, one in table_figures(evidence, confidence).items()])


def row(name: str, found: MetricReport) -> str:
    def shown(value: float) -> str:
        return SHOWN.get(METRICS[name].unit, plain)(value) if name != "parameters" else count(value)

    between = "" if found.low is None or found.high is None else f"{shown(found.low)} to {shown(found.high)}"
    n = "" if found.n is None else f"{found.n:,}"
    return f"| {name} | {shown(found.value)} | {between} | {n} |"


def measured_how(comparison: Comparison, evidence: Evidence) -> str:
    """On what, and when."""
    said = f"Quality on {len(evidence.truth):,} test rows. Trained on {evidence.machine}."
    if evidence.latencies is None:
        return f"{said} Not timed on the machine that exported it."
    times = evidence.latencies
    device = times.device or comparison.device_kind
    return f"{said} Timed on {times.date[:10]}, one row at a time, on {device}: {times.machine}."


def data_facts(dataset: Dataset) -> str:
    rows = 0 if dataset.train is None else len(dataset.train)
    labels = ", ".join(f"`{label}`" for label in dataset.labels)
    return f"{rows:,} training rows, {len(dataset.test):,} test rows, digest `{dataset.digest}`. Labels: {labels}."


def settings_block(settings: dict[str, object], run: Run) -> str:
    """As the suite has them, and what they came to."""
    lines = [f"{name}: {value}" for name, value in settings.items() if value is not None]
    device = run.outcome.device
    if device is not None:
        lines.append(f"# ran on {device.kind} in {device.precision}: {device.reason}")
        if device.threads:
            lines.append(f"# {device.threads} threads ({device.threads_because}), waiting by {device.threads_wait}")
    lines += [f"# {name} {version}" for name, version in run.versions.items()]
    return "\n".join(["```yaml", *lines, "```"])
