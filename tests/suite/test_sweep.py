"""`train:` and `sweep:` in a suite: members by name, and every problem at its place."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from pytest_modelcompare.data.subsets import Subset
from pytest_modelcompare.errors import SuiteError
from pytest_modelcompare.suite import reference
from pytest_modelcompare.suite.schema import suite_schema
from tests.suite.test_load_edges import HEAD, load, problems
from tests.suite.test_schema import plain

BERT = "contestants:\n  bert: {fine_tune: x, sweep: {learning_rate: [1e-5, 2e-5], train.fraction: [0.25, 1]}}\n"
MEMBERS = [
    "bert[learning_rate=1e-05, train.fraction=0.25]",
    "bert[learning_rate=1e-05, train.fraction=1]",
    "bert[learning_rate=2e-05, train.fraction=0.25]",
    "bert[learning_rate=2e-05, train.fraction=1]",
]


def test_a_sweep_makes_one_member_per_combination(tmp_path: Path):
    contestants = load(tmp_path, HEAD + BERT).contestants
    assert list(contestants) == ["bert", *MEMBERS]
    assert contestants["bert"].members == tuple(MEMBERS)
    third = contestants[MEMBERS[2]]
    assert (third.member_of, third.subset) == ("bert", Subset(fraction=0.25))
    assert third.settings.learning_rate == 2e-5  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "written",
    ["bert[learning_rate=1e-5,train.fraction=.25]", "bert[ learning_rate = 0.00001 , train.fraction = 25e-2 ]"],
)
def test_a_gate_may_write_a_members_values_in_any_way(tmp_path: Path, written: str):
    suite = load(tmp_path, f"{HEAD}{BERT}gates:\n  - {written}.accuracy >= 0.9\n  - bert beats {written} on f1\n")
    assert str(suite.gates[0].claims[0]) == f"{MEMBERS[0]}.accuracy >= 0.9"
    assert str(suite.gates[1].claims[0]) == f"bert beats {MEMBERS[0]} on f1"


def test_values_that_are_no_numbers_have_names_that_gates_can_write(tmp_path: Path):
    text = "contestants:\n  w: {tfidf: {}, sweep: {ngrams: [[1, 1], [1, 2]]}}\n"
    text += "  p: {linear_probe: x, sweep: {pooling: [cls, mean], max_length: [null, 64]}}\n"
    text += "gates:\n  - w[ngrams=[1,2]].f1 > 0.5\n  - p[pooling=cls, max_length=null].f1 > 0.5\n"
    assert len(load(tmp_path, HEAD + text).gates) == 2


def test_an_unknown_member_and_an_unknown_metric_of_one_stand_at_their_columns(tmp_path: Path):
    gates = "gates:\n  - bert[learning_rate=3e-5].f1 >= 0.9\n"
    gates += "  - bert[learning_rate=1e-5, train.fraction=1].acuracy >= 0.9\n"
    assert problems(tmp_path, HEAD + BERT + gates) == [
        "6:5 unknown contestant `bert[learning_rate=3e-05]`",
        "7:48 unknown metric `acuracy`",
    ]


def test_gates_on_members_of_a_broken_sweep_are_left_alone(tmp_path: Path):
    text = "contestants:\n  w: {tfidf: {}, sweep: {C: [0, 1]}}\ngates:\n  - w[C=1].f1 >= 0.5\n"
    assert problems(tmp_path, HEAD + text) == ["4:30 should be greater than 0, not `0`"]


PROBLEMS = {
    "unknown option": ("sweep: {learning_rte: [1]}", "4:32 contestant `bert` has no setting `learning_rte`"),
    "seeds": ("sweep: {seeds: [1, 2]}", "4:32 `seeds` cannot be swept"),
    "the model": ("sweep: {fine_tune: [x, y]}", "4:32 `fine_tune` cannot be swept"),
    "no value": ("sweep: {epochs: []}", "4:40 `epochs` has no value to try"),
    "no list": ("sweep: {epochs: 3}", "4:40 expected a list of values, not `3`"),
    "nothing": ("sweep: {}", "4:31 `sweep` takes options with a list of values each"),
    "wrong type": ("sweep: {epochs: [1, many]}", "4:44 should be a valid number, not `many`"),
    "out of range": ("sweep: {epochs: [1, -2]}", "4:44 should be greater than 0, not `-2`"),
    "no number": ("sweep: {epochs: [.nan]}", "4:41 should be a finite number, not `nan`"),
    "twice": ("sweep: {learning_rate: [1e-5, 2e-5, 0.00001]}", "4:60 `1e-05` stands here twice"),
    "set and swept": ("epochs: 2, sweep: {epochs: [1]}", "4:24 `epochs` is set and swept"),
    "train set and swept": (
        "train: {rows: 9}, sweep: {train.rows: [9]}",
        "4:24 `train` is set and `train.rows` is swept",
    ),
    "train whole": ("sweep: {train: [1]}", "4:32 `train` cannot be swept whole"),
    "two sizes swept": (
        "sweep: {train.rows: [9], train.fraction: [1]}",
        "4:49 `train.rows` and `train.fraction` are two sizes of one sample",
    ),
    "a share of 2": ("sweep: {train.fraction: [2]}", "4:49 should be less than or equal to 1, not `2`"),
    "synthetic swept": ("sweep: {train.synthetic: [1]}", "4:32 `train.synthetic` is not available in this version"),
    "synthetic": ("train: {synthetic: {by: c}}", "4:32 `train: {synthetic: …}` is not available in this version"),
    "two sizes": ("train: {rows: 9, fraction: 0.5}", "4:31 `rows` and `fraction` are two sizes: keep one"),
    "no size": ("train: {seed: 1}", "4:31 `train` names no size"),
    "unknown size": ("train: {row: 9}", "4:32 unknown key `row`"),
    "no rows": ("train: {rows: 0}", "4:38 should be greater than or equal to 1, not `0`"),
    "a number": ("train: 500", "4:31 expected a mapping, not `500`"),
    "too many": (
        f"sweep: {{batch_size: {list(range(1, 52))}, epochs: {list(range(1, 21))}}}",
        "4:31 the sweep has 1,020 members",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_of_training_options_is_said_at_its_place(tmp_path: Path, name: str):
    options, said = PROBLEMS[name]
    assert problems(tmp_path, f"{HEAD}contestants:\n  bert: {{fine_tune: x, {options}}}\n") == [said]


def test_defaults_sweep_for_every_contestant_and_give_way_to_its_own(tmp_path: Path):
    text = "defaults: {tfidf: {C: 3, train: {rows: 7, seed: 4}, sweep: {C: [1, 10]}}}\ncontestants:\n"
    text += (
        "  a: {tfidf: {}}\n  b: {tfidf: {}, sweep: {train.rows: [5, 9]}}\n  c: {tfidf: {}, sweep: null, train: null}\n"
    )
    contestants = load(tmp_path, HEAD + text).contestants
    assert list(contestants) == ["a", "a[C=1]", "a[C=10]", "b", "b[train.rows=5]", "b[train.rows=9]", "c"]
    assert contestants["a[C=1]"].subset == Subset(rows=7, seed=4)
    assert contestants["b[train.rows=5]"].subset == Subset(rows=5, seed=4)
    assert contestants["b[train.rows=5]"].settings.C == 3  # type: ignore[attr-defined]
    assert contestants["c"].subset is None


def test_an_option_that_defaults_sweep_cannot_be_set_beside_it(tmp_path: Path):
    text = "defaults: {tfidf: {sweep: {C: [1, 10]}}}\ncontestants:\n  a: {tfidf: {}, C: 3}\n"
    assert problems(tmp_path, HEAD + text) == ["5:18 `C` is set and swept"]


def test_bad_values_in_defaults_are_said_once_and_without_a_contestant(tmp_path: Path):
    text = "defaults:\n  tfidf: {C: -1, train: {rows: 0}, sweep: {ngrams: [[2, 1]]}}\n  fine_tune: {epochs: many}\n"
    text += "contestants:\n  a: {tfidf: {}}\n  b: {tfidf: {}}\n"
    assert problems(tmp_path, HEAD + text) == [
        "4:14 should be greater than 0, not `-1`",
        "4:32 should be greater than or equal to 1, not `0`",
        "4:53 `ngrams` are [shortest, longest], at least one word each",
        "5:23 should be a valid number, not `many`",
    ]


@pytest.mark.parametrize("ngrams", ["[3, 0]", "[0, 1]", "[2, 1]"])
def test_ngrams_that_are_no_range_are_refused(tmp_path: Path, ngrams: str):
    found = problems(tmp_path, f"{HEAD}contestants:\n  a: {{tfidf: {{}}, ngrams: {ngrams}}}\n")
    assert found == ["4:26 `ngrams` are [shortest, longest], at least one word each"]


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan", "1e999"])
@pytest.mark.parametrize(
    "text",
    [
        "contestants:\n  a: {tfidf: {}, C: NUMBER}\n",
        "budget: {usd: NUMBER}\ncontestants:\n  a: {tfidf: {}}\n",
        "confidence: NUMBER\ncontestants:\n  a: {tfidf: {}}\n",
        "contestants:\n  a: {published: {accuracy: NUMBER}, source: x}\n",
    ],
)
def test_numbers_without_end_are_refused(tmp_path: Path, text: str, number: str):
    assert "should be a finite number" in problems(tmp_path, HEAD + text.replace("NUMBER", number))[0]


@pytest.mark.parametrize("name", ["''", "'  '"])
def test_an_empty_name_of_a_suite_is_refused(tmp_path: Path, name: str):
    found = problems(tmp_path, f"{HEAD}name: {name}\ncontestants:\n  a: {{tfidf: {{}}}}\n")
    assert found == ["3:7 the name is empty: leave it out, and the file's name is taken"]


def test_an_empty_name_of_a_contestant_is_refused(tmp_path: Path):
    assert problems(tmp_path, f"{HEAD}contestants:\n  '': {{tfidf: {{}}}}\n") == ["4:3 `` is no name for a contestant"]


def test_the_schema_takes_what_the_loader_takes(tmp_path: Path):
    validator = jsonschema.Draft202012Validator(suite_schema())
    good = HEAD + "gates: []\ndefaults: {tfidf: {train: {per_class: 5}, sweep: {C: [1, 2]}}}\n" + BERT
    load(tmp_path, good)
    assert not list(validator.iter_errors(plain(good)))
    for change in [
        ("learning_rate: [1e-5, 2e-5]", "learning_rte: [1e-5]"),
        ("learning_rate: [1e-5, 2e-5]", "learning_rate: []"),
        ("learning_rate: [1e-5, 2e-5]", "learning_rate: [many]"),
        ("per_class: 5", "per_clas: 5"),
        ("C: [1, 2]", "D: [1, 2]"),
        ("defaults: {tfidf", "defaults: {tfdf"),
    ]:
        bad = good.replace(*change)
        with pytest.raises(SuiteError):
            load(tmp_path, bad)
        assert list(validator.iter_errors(plain(bad))), change


def test_the_reference_names_train_and_sweep_with_every_trained_method():
    text = reference.markdown()
    assert "| `per_class` | `whole number` | – | So many rows of each label" in text
    for method, has in [("fine_tune", True), ("tfidf", True), ("zero_shot", False), ("prompt", False)]:
        section = text.partition(f"## `{method}:`")[2].partition("\n## ")[0]
        assert ("| `sweep` |" in section) is has
        assert ("| `train` |" in section) is has
