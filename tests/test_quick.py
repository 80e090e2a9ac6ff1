"""What `make quick` chooses."""

from __future__ import annotations

from pathlib import Path

from tests.quick import ROOT, added_up, chosen, distances, import_graph

GRAPH = {
    "p/a.py": set[str](),
    "p/b.py": {"p/a.py"},
    "tests/test_a.py": {"p/a.py"},
    "tests/test_b.py": {"p/b.py"},
    "tests/test_c.py": set[str](),
}


def test_the_nearest_to_what_changed_come_first_and_others_not_at_all():
    assert distances(GRAPH, {"p/a.py"}) == {"p/a.py": 0, "p/b.py": 1, "tests/test_a.py": 1, "tests/test_b.py": 2}
    assert chosen(GRAPH, {"p/a.py"}, {}, 100) == ["tests/test_a.py", "tests/test_b.py"]
    assert chosen(GRAPH, {"tests/test_c.py"}, {}, 100) == ["tests/test_c.py"]


def test_where_nothing_changed_the_quickest_are_run_as_many_as_fit():
    seconds = {"tests/test_a.py": 7.0, "tests/test_b.py": 3.0, "tests/test_c.py": 1.0}
    assert chosen(GRAPH, set(), seconds, 5) == ["tests/test_c.py", "tests/test_b.py"]


def test_what_ran_last_counts():
    assert added_up({"a": 9.0, "b": 1.0}, [("a", 0.5), ("a", 0.25)]) == {"a": 0.75, "b": 1.0}


def test_imports_within_functions_conftests_and_other_processes_are_seen(tmp_path: Path):
    for name, text in {
        "pytest_modelcompare/a/__init__.py": "",
        "pytest_modelcompare/a/deep.py": "def f():\n    from pytest_modelcompare.b import g\n",
        "pytest_modelcompare/b.py": "from .a import deep\n",
        "tests/conftest.py": "",
        "tests/room/test_it.py": "import pytest_modelcompare.b\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    graph = import_graph(tmp_path)
    assert graph["pytest_modelcompare/a/deep.py"] == {"pytest_modelcompare/b.py"}
    assert {"pytest_modelcompare/a/__init__.py", "pytest_modelcompare/a/deep.py"} <= graph["pytest_modelcompare/b.py"]
    assert {"pytest_modelcompare/b.py", "tests/conftest.py"} <= graph["tests/room/test_it.py"]


def test_in_this_project_a_test_of_the_whole_plugin_is_near_to_everything_it_runs():
    far = distances(import_graph(ROOT), {"pytest_modelcompare/gates/judge.py"})
    assert far["tests/gates/test_judge.py"] == 1
    assert "tests/pytest_plugin/test_gates.py" in far
