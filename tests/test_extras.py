"""What the core alone can do, and what is said where an extra is missing."""

from __future__ import annotations

import re
import sys
import tarfile
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_modelcompare import extras
from pytest_modelcompare.extras import EXTRA_OF, NotInstalledError, install_command, installed_versions, require
from tests.golden.test_store import CONFTEST, STORE
from tests.golden.test_store import SUITE as STORED
from tests.pytest_plugin.conftest import Project
from tests.pytest_plugin.conftest import project as project

ROOT = Path(__file__).parents[1]
DISTRIBUTIONS = {"mlflow": "mlflow-skinny", "sklearn": "scikit-learn"}
"""Where a library is not distributed under the name it is imported by."""

BESIDE = {"all", "benchmarks", "demo", "test"}
"""Extras that stand for others, or for what no library of ours is made with."""

CORE_ALONE = f"""
import sys
from importlib.machinery import PathFinder

class CoreAlone(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {sorted(EXTRA_OF)} else PathFinder.find_spec(name, path, target)

sys.meta_path = [CoreAlone if finder is PathFinder else finder for finder in sys.meta_path]
sys.argv = sys.argv[1:]
if sys.argv[0] == "pytest":
    import pytest
    sys.exit(pytest.main(sys.argv[1:]))
from pytest_modelcompare.cli import main
sys.exit(main())
"""
"""A Python in which no library of an extra can be found, whatever is installed: the core's own environment."""

RECORDED = """\
modelcompare: 1
name: Recorded
data: {train: train.csv, test: test.csv}
contestants:
  llm: {predictions: answers.csv}
  other: {predictions: answers.csv}
gates:
  - llm.accuracy >= 0.8
  - llm matches other on accuracy within 0.02
"""
NEW = """\
modelcompare: 1
name: New
data: {train: train.csv, test: test.csv}
contestants:
  llm: {predictions: answers.csv}
  minilm: {fine_tune: ./minilm, serve: onnx}
  words: {tfidf: {}}
  claude: {prompt: "anthropic:claude-haiku-5-5"}
gates:
  - llm.accuracy >= 0.8
  - minilm.accuracy >= 0.8
  - words.accuracy >= 0.8
  - claude.accuracy >= 0.8
"""
LINES = (
    "*new.modelcompare.yaml:6:3: *`minilm` needs onnx, onnxruntime, torch and transformers, which are not installed",
    '*pip install "pytest-modelcompare[[]onnx,train]"',
    "*new.modelcompare.yaml:7:3: *`words` needs sklearn, which is not installed",
    '*pip install "pytest-modelcompare[[]train]"',
    "*new.modelcompare.yaml:8:3: *`*claude*` needs anthropic, which is not installed",
    '*pip install "pytest-modelcompare[[]anthropic]"',
)


Light = Callable[..., pytest.RunResult]


@pytest.fixture
def light(project: Project, monkeypatch: pytest.MonkeyPatch) -> Light:
    """Runs `pytest` or `modelcompare` with the core alone."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # those of others import what they like

    def run(*arguments: str) -> pytest.RunResult:
        plugin = ("-p", "pytest_modelcompare.plugin", "-p", "no:cacheprovider")
        of_pytest = plugin if arguments[0] == "pytest" else ()
        return project.pytester.run(sys.executable, "-c", CORE_ALONE, arguments[0], *of_pytest, *arguments[1:])

    return run


def test_recorded_answers_are_judged_and_reported(project: Project, light: Light):
    project.suite(name="recorded", head=RECORDED)
    result = light("pytest", "--modelcompare", "--modelcompare-report=r.json", "--modelcompare-report=r.html")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*no TF-IDF reference line: it needs sklearn, which is not installed*"])
    assert light("modelcompare", "check", "recorded.modelcompare.yaml").stderr.str() == ""
    assert light("modelcompare", "report", "r.json", "-o", "again.html").ret == 0
    assert (project.pytester.path / "again.html").read_text() == (project.pytester.path / "r.html").read_text()


def test_a_stored_suite_is_replayed_whole(project: Project, light: Light):
    project.pytester.makeconftest(CONFTEST)
    project.suite(name="kept", head=STORED)
    with tarfile.open(STORE) as archive:
        archive.extractall(project.pytester.path, filter="data")
    result = light("pytest", "--modelcompare", "--modelcompare-llm=replay", "-v")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["*0 trainings, 1 run from the store*"])


def test_what_must_be_computed_names_its_line_and_what_installs_it(project: Project, light: Light):
    project.suite(name="new", head=NEW)
    make_model(project.pytester.path / "minilm")
    result = run_with_key(light, "pytest", "--modelcompare")
    result.assert_outcomes(passed=1, errors=3)
    result.stdout.fnmatch_lines(LINES)


def test_check_warns_of_it_and_the_plan_says_it(project: Project, light: Light):
    project.suite(name="new", head=NEW)
    make_model(project.pytester.path / "minilm")
    checked = light("modelcompare", "check", "new.modelcompare.yaml")
    assert checked.ret == 0  # what is stored elsewhere is replayed without
    checked.stderr.fnmatch_lines(LINES)
    plan = run_with_key(light, "modelcompare", "plan", "new.modelcompare.yaml")
    plan.stdout.fnmatch_lines(
        [
            "*minilm *train*",
            '*needs onnx, onnxruntime, torch, transformers: pip install "pytest-modelcompare[[]onnx,train]"',
            "*claude *ask 200 of 200 requests*",
            '*needs anthropic: pip install "pytest-modelcompare[[]anthropic]"',
        ]
    )


def test_a_first_suite_is_written_and_says_what_it_needs(project: Project, light: Light):
    result = light("modelcompare", "init", "--data", "train.csv", "--output", "first.modelcompare.yaml")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*first.modelcompare.yaml:*: warning: *`words` needs sklearn*", "*[[]train]*", "wrote*"]
    )


def test_a_stored_model_that_cannot_be_timed_fails_the_gates_on_speed_alone(
    project: Project, light: Light, monkeypatch: pytest.MonkeyPatch
):
    project.pytester.makeconftest(
        CONFTEST.replace('"a machine"', '"another machine"')
        + "from pytest_modelcompare.methods.tfidf import Tfidf\n"
        + 'Tfidf.libraries_to_predict = lambda *_: ("sklearn",)\n'
    )
    project.suite(name="kept", head=STORED)
    with tarfile.open(STORE) as archive:
        archive.extractall(project.pytester.path, filter="data")
    result = light("pytest", "--modelcompare", "--modelcompare-llm=replay")
    result.assert_outcomes(passed=3, errors=2)
    result.stdout.fnmatch_lines(
        ["*words was not timed*", "*kept.modelcompare.yaml:6:3: timing it needs sklearn*", "*[[]train]*"]
    )


def test_a_stored_model_of_the_hub_is_known_by_its_commit(
    project: Project, light: Light, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_HOME", str(project.pytester.path))
    head = NEW.partition("  words")[0].replace("./minilm, serve: onnx", "acme/minilm") + "gates:\n"
    project.suite("llm.accuracy >= 0.8", "minilm.accuracy >= 0.8", name="hub", head=head)
    result = light("pytest", "--modelcompare")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*hub.modelcompare.yaml:6:3: asking for the newest `acme/minilm` needs huggingface_hub, which is not installed",
            '*pip install "pytest-modelcompare[[]train]", or name its commit: acme/minilm@…',
        ]
    )


def run_with_key(light: Light, *arguments: str) -> pytest.RunResult:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ANTHROPIC_API_KEY", "sk-none")
        return light(*arguments)


def make_model(folder: Path) -> None:
    """Enough of a model to have a digest."""
    folder.mkdir()
    (folder / "config.json").write_text("{}")


def test_each_library_is_in_its_extra_and_each_extra_in_all():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    said = pyproject["project"]["optional-dependencies"]
    found = {
        (library, name)
        for library in EXTRA_OF
        for name, packages in said.items()
        if name not in BESIDE and any(package.startswith(DISTRIBUTIONS.get(library, library)) for package in packages)
    }
    assert EXTRA_OF.items() <= found
    page = (ROOT / "docs" / "install.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == said.keys() - BESIDE
    (whole,) = said["all"]
    assert whole == f"pytest-modelcompare[{','.join(sorted(said.keys() - BESIDE))}]"


def test_the_message_names_every_library_and_one_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in ("torch", "onnx") else name)
    with pytest.raises(NotInstalledError) as raised:
        require("`serve: onnx`", ["onnx", "torch", "transformers"], where="s.yaml:3:5", otherwise="leave it out")
    assert str(raised.value) == (
        "s.yaml:3:5: `serve: onnx` needs onnx and torch, which are not installed\n"
        '  pip install "pytest-modelcompare[onnx,train]", or leave it out'
    )
    require("this", ["transformers"])  # is there


def test_versions_are_of_what_is_installed():
    assert installed_versions(["numpy", "no-such-package"]).keys() == {"numpy"}


def test_one_command_installs_the_extras_of_several_libraries():
    assert install_command(["torch", "sklearn", "openai"]) == 'pip install "pytest-modelcompare[openai,train]"'
