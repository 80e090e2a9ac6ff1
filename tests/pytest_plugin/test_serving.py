"""One training served in several ways, judged and timed as what would be deployed."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
pytest.importorskip("onnx", reason="needs the extra `onnx`")

SUITE = """\
modelcompare: 1
data: {train: train.jsonl, test: test.jsonl}
references: false
defaults: {fine_tune: {epochs: 30, learning_rate: 3e-3, batch_size: 8, precision: fp32}}
contestants:
  torch: {fine_tune: bert}
  graph: {fine_tune: bert, serve: onnx}
  int8: {fine_tune: bert, serve: onnx-int8}
gates:
  - torch.accuracy > 0.5
  - graph matches torch on accuracy within 0.05
  - int8 matches torch on accuracy within 0.2
  - int8.size_mb < graph.size_mb
  - torch.latency_p95_ms(cpu, 16) < 10000
  - int8.latency_p95_ms(cpu) < 100 * torch.latency_p95_ms
  - int8 matches torch on latency_p95_ms(cpu, 16) within 10000
  - int8.latency_p95_ms(cuda) < 10000
  - torch.inference_memory_mb(cuda) < 10000
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    from tests.methods.small_models import LABELS, rows, small_bert

    small_bert(pytester.path / "bert")
    for name, count, seed in (("train", 32, 0), ("test", 60, 1)):
        found = rows(count, seed)
        lines = [{"text": text, "label": LABELS[label]} for text, label in zip(found.texts, found.labels, strict=True)]
        (pytester.path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    (pytester.path / "bert.modelcompare.yaml").write_text(SUITE, encoding="utf-8")
    return pytester


def run(project: pytest.Pytester) -> tuple[dict[str, dict[str, str]], dict[str, int], dict[str, object]]:
    """Gates by their sentence, what was spent, and the contestants' rows."""
    report = project.path / "report.json"
    project.runpytest_subprocess(
        "--modelcompare", "--modelcompare-device=cpu", f"--modelcompare-report={report}", "-p", "no:cacheprovider"
    )
    found = json.loads(report.read_text(encoding="utf-8"))
    suite = found["suites"][0]
    return {gate["gate"]: gate for gate in suite["gates"]}, found["spend"], suite["contestants"]


def test_a_model_served_in_three_ways_is_trained_once_and_judged_as_each(project: pytest.Pytester):
    gates, spend, contestants = run(project)
    assert spend["trainings"] == 1
    without = [gate for text, gate in gates.items() if "cuda" not in text]
    assert [gate["outcome"] for gate in without] == ["pass"] * 7, without
    int8, cuda = gates["int8.latency_p95_ms(cuda) < 10000"], gates["torch.inference_memory_mb(cuda) < 10000"]
    assert int8["outcome"] == cuda["outcome"] == "error"
    assert "int8 was not timed at (cuda): it runs on cpu alone" in int8["message"]
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        assert "torch was not timed at (cuda): " in cuda["message"]
    assert " thread" in contestants["torch"]["timing_machine"]  # type: ignore[index]

    gates, spend, _ = run(project)
    assert (spend["trainings"], spend["stored_runs"]) == (0, 3)
    assert gates["int8.size_mb < graph.size_mb"]["outcome"] == "pass"
