"""The console script."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_modelcompare.cli import main
from tests.suite.test_load import GOOD


def test_check_says_a_good_suite_is_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "s.modelcompare.yaml").write_text(GOOD)
    assert main(["check", str(tmp_path / "s.modelcompare.yaml")]) == 0
    assert "5 contestants, 3 gates, no problem found" in capsys.readouterr().out


def test_check_prints_every_problem_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "s.modelcompare.yaml").write_text(GOOD.replace("0.90", "90"))
    assert main(["check", str(tmp_path / "s.modelcompare.yaml"), str(tmp_path / "none.yaml")]) == 1
    said = capsys.readouterr().err
    assert "lies between 0 and 1" in said
    assert "cannot be read" in said


def test_schema_prints_json(capsys: pytest.CaptureFixture[str]):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "pytest-modelcompare suite"


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"]])
def test_help_loads_nothing_but_the_parser(arguments: list[str]):
    code = f"import sys; sys.argv = ['modelcompare', *{arguments!r}]\nfrom pytest_modelcompare.cli import main\ntry: main()\nfinally: print({{'pydantic', 'numpy', 'ruamel.yaml'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("set()")


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"modelcompare {version('pytest-modelcompare')}\n"


def test_check_loads_no_heavy_library(tmp_path: Path):
    (tmp_path / "s.modelcompare.yaml").write_text(GOOD)
    code = f"import sys\nfrom pytest_modelcompare.cli import main\nmain(['check', {str(tmp_path / 's.modelcompare.yaml')!r}])\nprint({{'torch', 'sklearn', 'transformers', 'anthropic', 'scipy.stats', 'pandas'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("set()")
