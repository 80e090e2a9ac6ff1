"""Rules for the whole house: who may import whom, how modules are called, and what tests keep their hands off.

What does not hold them yet stands in a list beside each rule. Whoever mends an entry takes it off the list: a rule also
fails where its list names what is mended.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "pytest_modelcompare"

CIRCLES_THAT_STAND: list[str] = []
STEMS_THAT_STAND = [
    "accepted",
    "answers",
    "batches",
    "by_label",
    "estimate",
    "history",
    "measured",
    "options",
    "pace",
    "power",
    "predictions",
    "progress",
    "published",
    "reference",
    "schema",
    "stopping",
    "table",
    "wording",
]
PRIVATE_IMPORTS_THAT_STAND = [
    "pytest_modelcompare/pytest_plugin/hooks.py",
    "tests/docs/test_shell.py",
]
PATH_CHANGES_THAT_STAND = [
    "tests/forked.py",  # in a process that becomes `python -m pytest`, as that begins
]
MODULE_CHANGES_THAT_STAND: list[str] = []

CHANGES = frozenset({"append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"})
"""Methods that change a list or a dict."""


def require_none(found: Mapping[str, str], standing: Collection[str]) -> None:
    """Nobody breaks a rule who is not on its list, and nobody is on the list who does not.

    Args:
        found: who breaks the rule, and how.
    """
    new = [f"{name}: {how}" for name, how in found.items() if name not in standing]
    assert not new, "\n" + "\n".join(new)
    mended = [name for name in standing if name not in found]
    assert not mended, f"mended, so take off the list: {'; '.join(mended)}"


@cache
def syntax_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def files_below(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(path: Path) -> Iterator[str]:
    """Every name that a file imports, wherever it does so: at the top, for types alone, in a function."""
    for node in ast.walk(syntax_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph() -> dict[str, set[str]]:
    """Module → the modules of this package that it imports."""
    paths = {module_name(path): path for path in files_below(PACKAGE)}
    graph = {}
    for name, path in paths.items():
        nearest = (one if one in paths else one.rpartition(".")[0] for one in imported_names(path))
        graph[name] = {one for one in nearest if one in paths} - {name}
    return graph


def circles_in(graph: dict[str, set[str]]) -> list[set[str]]:
    """The largest sets of modules of which each imports every other, by whatever way."""

    def reached_from(start: str) -> set[str]:
        reached: set[str] = set()
        left = [start]
        while left:
            new = graph[left.pop()] - reached
            reached |= new
            left += new
        return reached

    reached = {name: reached_from(name) for name in graph}
    circles = {
        frozenset(one for one in reached[name] if name in reached[one]) for name in graph if name in reached[name]
    }
    return sorted(map(set, circles), key=sorted)


def shortest_circle(graph: dict[str, set[str]], circle: set[str]) -> str:
    """One way round, in words."""
    start = min(circle)
    ways = [[start]]
    for way in ways:
        for step in sorted(graph[way[-1]] & circle):
            if step == start:
                return " → ".join((*way, start))
            if step not in way:
                ways.append([*way, step])
    raise AssertionError(circle)


def test_a_circle_is_found_and_what_only_leads_to_it_is_not_part_of_it():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"e2"}, "e2": {"e"}}
    assert circles_in(graph) == [{"b", "c"}, {"e", "e2"}]
    assert shortest_circle(graph, {"b", "c"}) == "b → c → b"


def test_no_modules_import_each_other_in_a_circle():
    graph = import_graph()
    found = {", ".join(sorted(circle)): shortest_circle(graph, circle) for circle in circles_in(graph)}
    require_none({name.replace(f"{PACKAGE}.", ""): way for name, way in found.items()}, CIRCLES_THAT_STAND)


def test_no_two_modules_share_a_stem():
    places = defaultdict(list)
    for path in files_below(PACKAGE):
        # a sub-command's file is called what the command is, which is what another room is about
        if not path.stem.startswith("__") and path.parent.name != "cli":
            places[path.stem].append(str(path.relative_to(ROOT / PACKAGE)))
    require_none({stem: ", ".join(found) for stem, found in places.items() if len(found) > 1}, STEMS_THAT_STAND)


def test_nothing_private_is_imported_from_pytest():
    private = {
        str(path.relative_to(ROOT)): name
        for path in files_below(PACKAGE, "tests", "benchmarks")
        for name in imported_names(path)
        if name.split(".")[0] == "_pytest"
    }
    require_none(private, PRIVATE_IMPORTS_THAT_STAND)


def is_of_sys(node: ast.AST, name: str) -> bool:
    """Whether an expression is `sys.NAME`, or a part of it."""
    if isinstance(node, ast.Subscript):
        return is_of_sys(node.value, name)
    return isinstance(node, ast.Attribute) and node.attr == name and getattr(node.value, "id", None) == "sys"


def is_called_missing(call: ast.Call) -> bool:
    """`monkeypatch.setitem(sys.modules, "onnx", None)`: for the length of a test, a package is not installed."""
    given = call.args[-1]
    return getattr(call.func, "attr", "") == "setitem" and isinstance(given, ast.Constant) and given.value is None


def changes_of_sys(tree: ast.AST, name: str) -> Iterator[int]:
    """The lines that change `sys.path` or `sys.modules`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="syspath_prepend")) if name == "path":
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=changed, attr=attr)) if attr in CHANGES and is_of_sys(changed, name):
                yield node.lineno
            case ast.Call(func=ast.Attribute(attr="setattr" | "setitem" | "delitem"), args=[changed, *_]):
                if is_of_sys(changed, name) and not is_called_missing(node):
                    yield node.lineno
            case ast.Assign(targets=targets) | ast.Delete(targets=targets):
                yield from (node.lineno for target in targets if is_of_sys(target, name))
            case ast.AugAssign(target=target) if is_of_sys(target, name):
                yield node.lineno


CHANGED = [
    ("path", "sys.path.insert(0, 'here')", True),
    ("path", "sys.path[0] = 'here'", True),
    ("path", "sys.path += ['here']", True),
    ("path", "monkeypatch.syspath_prepend('here')", True),
    ("path", "os.pathsep.join(sys.path)", False),
    ("modules", "sys.modules.pop('onnx', None)", True),
    ("modules", "del sys.modules['onnx']", True),
    ("modules", "monkeypatch.setitem(sys.modules, 'onnx', double)", True),
    ("modules", "monkeypatch.setitem(sys.modules, 'onnx', None)", False),
    ("modules", "'torch' in sys.modules", False),
]


@pytest.mark.parametrize(("name", "line", "changes"), CHANGED)
def test_a_change_is_told_from_a_look(name: str, line: str, changes: bool):
    assert bool(list(changes_of_sys(ast.parse(line), name))) is changes


@pytest.mark.parametrize(
    ("name", "standing"), [("path", PATH_CHANGES_THAT_STAND), ("modules", MODULE_CHANGES_THAT_STAND)]
)
def test_no_test_changes_where_modules_come_from(name: str, standing: list[str]):
    changed = {path: list(changes_of_sys(syntax_of(path), name)) for path in files_below("tests")}
    lines = {
        str(path.relative_to(ROOT)): f"line {', '.join(map(str, found))}" for path, found in changed.items() if found
    }
    require_none(lines, standing)
