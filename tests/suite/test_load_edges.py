"""The edges of suite loading: folded text, repeated seeds, defaults nobody uses, options a method cannot have."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_modelcompare.errors import SuiteError
from pytest_modelcompare.suite.load import load_suite
from pytest_modelcompare.suite.model import Suite

HEAD = "modelcompare: 1\ndata: {train: a.csv, test: b.csv}\n"
MINILM = "contestants:\n  m: {fine_tune: x}\n"


def load(folder: Path, text: str) -> Suite:
    """A text without gates gets an empty list of them: it is about other things."""
    path = folder / "s.modelcompare.yaml"
    path.write_text(text if "gates:" in text else f"{text}gates: []\n")
    return load_suite(path, "s")


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(SuiteError) as caught:
        load(folder, text)
    return [f"{one.line}:{one.column} {one.message}" for one in caught.value.problems]


def test_a_folded_gate_is_one_sentence(tmp_path: Path):
    suite = load(tmp_path, HEAD + MINILM + "gates:\n  - >\n    m.accuracy\n    >= 0.9\n")
    assert suite.gates[0].text == "m.accuracy >= 0.9"


def test_folded_instructions_hold_no_mark_of_the_fold(tmp_path: Path):
    text = "contestants:\n  c:\n    prompt: anthropic:x\n    instructions: >\n      Say what\n      it is.\n"
    settings = load(tmp_path, HEAD + text).contestants["c"].settings
    assert settings.instructions == "Say what it is.\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["2020-01-01", "="])
def test_what_only_yaml_1_1_gives_a_type_is_text(tmp_path: Path, text: str):
    assert load(tmp_path, f"{HEAD}name: {text}\n{MINILM}").name == text


def test_a_gate_keeps_its_line_where_another_gate_has_an_unknown_key(tmp_path: Path):
    gates = "gates:\n  - {gate: m.accuracy >= 0.9, nme: a}\n  - m.acuracy >= 0.9\n"
    assert problems(tmp_path, HEAD + MINILM + gates) == ["6:31 unknown key `nme`", "7:7 unknown metric `acuracy`"]


@pytest.mark.parametrize("method", ["prompt: 'anthropic:x'", "zero_shot: x", "predictions: a.csv"])
@pytest.mark.parametrize("option", ["train", "sweep"])
def test_training_options_of_what_is_not_trained_are_refused(tmp_path: Path, method: str, option: str):
    found = problems(tmp_path, f"{HEAD}contestants:\n  c: {{{option}: {{rows: 5}}, {method}}}\n")
    assert found == [f"4:7 contestant `c` has no setting `{option}`"]


def test_defaults_of_a_method_that_nobody_uses_are_looked_at(tmp_path: Path):
    found = problems(tmp_path, HEAD + "defaults: {linear_probe: {nonsense: 2}}\n" + MINILM)
    assert found == ["3:27 unknown key `nonsense`"]


def test_defaults_name_no_model(tmp_path: Path):
    assert problems(tmp_path, HEAD + "defaults: {fine_tune: {model: q}}\n" + MINILM) == ["3:24 unknown key `model`"]


def test_a_problem_of_defaults_is_said_once_for_all_contestants(tmp_path: Path):
    text = HEAD + "defaults: {fine_tune: {epchs: 2, lerning_rate: 1}}\n" + MINILM + "  n: {fine_tune: y}\n"
    assert problems(tmp_path, text) == [
        "3:24 unknown key `epchs`",
        "3:34 unknown key `lerning_rate`",
    ]


@pytest.mark.parametrize("seeds", ["[7, 7, 7]", "[-1]", "[99999999999999999999999]"])
def test_seeds_that_are_no_separate_trainings_are_refused(tmp_path: Path, seeds: str):
    assert "seed" in problems(tmp_path, f"{HEAD}contestants:\n  m: {{fine_tune: x, seeds: {seeds}}}\n")[0]
