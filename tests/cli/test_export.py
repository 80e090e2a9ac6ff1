"""`modelcompare export`: what comes out loads with other libraries, and says what it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pytest_modelcompare.cli import main

SUITE = """\
modelcompare: 1
name: Cards
data: {train: train.jsonl, test: test.jsonl, validation: 0.25}
references: false
defaults: {fine_tune: {epochs: 30, learning_rate: 3e-3, batch_size: 8, precision: fp32, seeds: [1]}}
contestants:
  torch: {fine_tune: bert}
  int8: {fine_tune: bert, serve: onnx-int8}
  words: {tfidf: {}}
  later: {fine_tune: bert, epochs: 1}
  swept: {fine_tune: bert, sweep: {learning_rate: [1e-7, 3e-3]}}
gates:
  - torch.accuracy > 0.5
"""
TEXTS = ["card where is my", "money lost late help", "refund please help my"]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite of which `torch`, `int8` and the members of `swept` have run."""
    pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
    from pytest_modelcompare.execution.comparison import Comparison, Needs
    from pytest_modelcompare.execution.ledger import Ledger
    from pytest_modelcompare.execution.prepare import prepare
    from pytest_modelcompare.records.options import Options
    from pytest_modelcompare.records.progress import Unwatched
    from pytest_modelcompare.suite.load import load_suite
    from tests.methods.small_models import LABELS, rows, small_bert

    folder = tmp_path_factory.mktemp("suite")
    small_bert(folder / "bert")
    for name, count, seed in (("train", 32, 0), ("test", 60, 1)):
        found = rows(count, seed)
        lines = [
            json.dumps({"text": text, "label": LABELS[label]})
            for text, label in zip(found.texts, found.labels, strict=True)
        ]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    path = folder / "cards.modelcompare.yaml"
    path.write_text(SUITE, encoding="utf-8")
    loaded = load_suite(path)
    comparison = Comparison(loaded, Options(folder / "store", "s", "cpu"), Ledger())
    names = frozenset({"torch", "int8", *loaded.contestants["swept"].members})
    prepare([(comparison, Needs(names, True, names))], Unwatched())
    assert not comparison.failures
    return path


def export(suite: Path, name: str, folder: Path, *more: str) -> int:
    return main(["export", str(suite), name, str(folder), "--store", str(suite.parent / "store"), *more])


def test_a_torch_model_loads_with_plain_transformers_and_answers_as_it_did(suite: Path, tmp_path: Path):
    from transformers import pipeline

    assert export(suite, "torch", tmp_path / "out") == 0
    answers = pipeline("text-classification", str(tmp_path / "out"))(TEXTS, truncation=True)
    assert [answer["label"] for answer in answers] == ["card", "money", "refund"]


def test_a_graph_loads_with_onnxruntime_as_its_card_says(suite: Path, tmp_path: Path, monkeypatch, capsys):
    assert export(suite, "int8", tmp_path / "out") == 0
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    code = card.partition("```python\n")[2].partition("```")[0]
    monkeypatch.chdir(tmp_path / "out")
    capsys.readouterr()
    exec(code.replace('"a text"', f'"{TEXTS[0]}"'), {})
    assert capsys.readouterr().out == "card\n"


def test_the_card_carries_figures_intervals_data_and_a_place_for_the_licence(suite: Path, tmp_path: Path):
    from pytest_modelcompare.data.rows import load_dataset
    from pytest_modelcompare.suite.load import load_suite

    export(suite, "int8", tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    loaded = load_suite(suite)
    digest = load_dataset(loaded.data, suite.parent, tmp_path / "downloads", need_validation=True).digest
    # exact binomial bound on 60 of 60 rows: 0.05 ** (1 / 60)
    lowest = f"{0.05 ** (1 / 60):.3f}"[1:]
    assert f"| accuracy | 1.000 | {lowest} to 1.000 | 60 |" in card
    assert "| latency_p95_ms |" in card
    assert f"digest `{digest}`" in card
    assert "serve: onnx-int8" in card
    assert "license: other" in card
    assert "LICENCE: name one here" in card
    assert np.all([f"`{label}`" in card for label in ("card", "money", "refund")])


def test_of_a_sweep_the_member_that_validation_chose_is_exported(suite: Path, tmp_path: Path, capsys):
    assert export(suite, "swept", tmp_path / "out") == 0
    assert capsys.readouterr().out.startswith("swept[learning_rate=0.003], seed 1, of ")


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("words", (), "`words` is tfidf, which no other library loads"),
        ("nobody", (), "no contestant `nobody`"),
        ("later", (), "`later` with seed 1 was not trained, or the suite has changed since"),
        ("torch", ("--seed", "7"), "`torch` has no seed 7"),
    ],
)
def test_what_cannot_be_exported_is_said(
    suite: Path, tmp_path: Path, capsys, name: str, more: tuple[str, ...], said: str
):
    assert export(suite, name, tmp_path / "out", *more) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(suite: Path, tmp_path: Path, capsys):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert export(suite, "torch", tmp_path) == 1
    assert "there is something already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
