"""The pytest11 entry point: options and one switch.

It is imported by every pytest run of every project that has the package installed,
so it imports pytest alone; the rest is loaded when a suite is really asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_modelcompare import FILE_PATTERNS

HINT = "a comparison suite: run it with `pytest --modelcompare`"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare every option and its ini twin."""
    from_command_line = parser.getgroup("modelcompare", "comparisons of small models with LLMs").addoption
    switch: dict[str, Any] = {"action": "store_true", "default": False}
    from_command_line("--modelcompare", **switch, help="collect and run comparison suites")
    from_command_line("--modelcompare-plan", **switch, help="print what would run and what it would cost; run nothing")
    from_command_line(
        "--modelcompare-smoke", **switch, help="two steps on a few rows with small random weights; gates are skipped"
    )
    from_command_line("--modelcompare-fresh", **switch, help="ignore stored runs, not stored answers")
    from_command_line("--modelcompare-accept", **switch, help="write the accepted record beside each suite")
    for name, default, kind, metavar, text in VALUED:
        twin = f"modelcompare_{name}"
        action = "append" if name == "report" else "store"
        from_command_line(f"--modelcompare-{name}", action=action, default=None, metavar=metavar, help=text)
        parser.addini(twin, text, type=kind, default=default)
    parser.addini(
        "modelcompare", "collect and run comparison suites, as --modelcompare does", type="bool", default=False
    )
    parser.addini("modelcompare_files", "file names that are suites", type="args", default=FILE_PATTERNS)


VALUED: tuple[tuple[str, Any, Any, str, str], ...] = (
    (
        "llm",
        "auto",
        "string",
        "auto|replay|refresh|off",
        "stored answers and ask for the rest | stored only | ask anew | skip gates that need an LLM",
    ),
    ("budget", "", "string", "USD", "hard cap on LLM spending for the session"),
    ("device", "auto", "string", "auto|cpu|cuda|mps", "where models train and predict"),
    ("executor", "auto", "string", "NAME", "where trainings run: auto, here, processes, or what a package adds"),
    ("jobs", "", "string", "N", "trainings at once on a GPU, memory permitting; 1: one by one (default: up to 8)"),
    ("store", "", "string", "DIR", "the store of runs and answers (default: .modelcompare in the rootdir)"),
    ("report", [], "args", "PATH", "write a report; .json, .html or .md (repeatable)"),
    ("mlflow", "", "string", "URI", "log to this MLflow server; env: to the one in MLFLOW_TRACKING_URI"),
)
"""Options with a value: name, default, ini type, metavar, help. The ini twin is `modelcompare_NAME`."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Make known the hook that a conftest adds providers by, also where nothing is compared."""
    from pytest_modelcompare import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and load the working half of the plugin where it is asked for."""
    config.addinivalue_line("markers", "modelcompare: a gate of a comparison suite")
    if wanted(config):
        from pytest_modelcompare.pytest_plugin import hooks

        hooks.start(config, is_suite)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """A plan is printed by one process, whatever `-n` says."""
    if config.option.modelcompare_plan and hasattr(config.option, "numprocesses"):
        config.option.numprocesses = 0
        config.option.dist = "no"
        config.option.tx = []


def wanted(config: pytest.Config) -> bool:
    """Whether comparisons were asked for, on the command line or in the ini file."""
    option = config.option
    return bool(
        option.modelcompare or option.modelcompare_plan or option.modelcompare_smoke or config.getini("modelcompare")
    )


def is_suite(file_path: Path, config: pytest.Config) -> bool:
    return any(file_path.match(pattern) for pattern in config.getini("modelcompare_files"))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Show a suite that was named on the command line, but not asked to run, as skipped; one that is not named as
    suites are, as an error.
    """
    config = parent.config
    if is_suite(file_path, config):
        unasked = not wanted(config) and is_named(file_path, config)
        return UnaskedSuite.from_parent(parent, path=file_path) if unasked else None
    if file_path.suffix in (".yaml", ".yml") and is_named(file_path, config) and reads_like_a_suite(file_path):
        return MisnamedSuite.from_parent(parent, path=file_path)
    return None


def is_named(file_path: Path, config: pytest.Config) -> bool:
    """Whether a file was named on the command line."""
    base = config.invocation_params.dir
    return any((base / argument.partition("::")[0]).resolve() == file_path for argument in config.args)


def reads_like_a_suite(file_path: Path) -> bool:
    """Whether a line begins with the key that every suite has."""
    return any(line.startswith(b"modelcompare:") for line in file_path.read_bytes()[:100_000].splitlines())


class MisnamedSuite(pytest.File):
    """A suite whose name does not say that it is one."""

    def collect(self) -> Iterator[pytest.Item]:
        patterns = self.config.getini("modelcompare_files")
        as_suite = f"{self.path.name.removesuffix(self.path.suffix)}.modelcompare{self.path.suffix}"
        raise self.CollectError(
            f"{self.path.name}: a comparison suite is found by its name, one of {', '.join(patterns)}\n"
            f"  rename it to {as_suite}, or widen the ini option `modelcompare_files`"
        )


class UnaskedSuite(pytest.File):
    """A suite without `--modelcompare`."""

    def collect(self) -> Iterator[pytest.Item]:
        yield UnaskedItem.from_parent(self, name="gates")


class UnaskedItem(pytest.Item):
    """Says how to run the suite."""

    def runtest(self) -> None:
        pytest.skip(HINT)


@pytest.fixture
def modelcompare(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A comparison by suite path (relative to the test file) or by `Suite`: runs or replays it.

    Without `--modelcompare` the test is skipped.
    """
    if not wanted(request.config):
        pytest.skip("a comparison: run it with `pytest --modelcompare`")
    from pytest_modelcompare.pytest_plugin.fixture import comparer

    return comparer(request)
