"""Which test files `make quick` runs: those nearest to what changed, as many as fit into half a minute.

A test file is as near to a changed file as the chain of imports between them is short. How long files take is known
from earlier runs, which leave it in pytest's cache (`tests/conftest.py`). Where nothing changed, the quickest are run.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("pytest_modelcompare", "tests", "docs", "benchmarks")
SECONDS = "seconds_by_test_file"
"""The name in pytest's cache."""

BUDGET_S = 28.0
"""Of tests alone, on two processes: beside it, loading what they import takes some seconds."""

UNKNOWN_S = 2.0
"""What a file that never ran is taken to need."""

RUNS = {"tests/forked.py": "pytest_modelcompare/plugin.py"}
"""What is run in another process, where no import shows it."""


def chosen(graph: Mapping[str, set[str]], changed: set[str], seconds: Mapping[str, float], budget: float) -> list[str]:
    """Test files, the nearest first and of those the quickest; all that may run where nothing changed.

    Args:
        graph: file → what it imports.
        seconds: by test file.
        budget: of the sum of their seconds; what does not fit is left out.
    """
    far = distances(graph, changed) if changed else dict.fromkeys(graph, 0)
    tests = [file for file in graph if Path(file).name.startswith("test_") and file in far]
    found, left = [], budget
    for file in sorted(tests, key=lambda file: (far[file], seconds.get(file, UNKNOWN_S), file)):
        if (needed := seconds.get(file, UNKNOWN_S)) <= left:
            found.append(file)
            left -= needed
    return found


def distances(graph: Mapping[str, set[str]], changed: set[str]) -> dict[str, int]:
    """File → the length of the shortest chain of imports that ends at something changed."""
    importers: dict[str, set[str]] = {}
    for file, imported in graph.items():
        for one in imported:
            importers.setdefault(one, set()).add(file)
    found, queue = dict.fromkeys(changed, 0), deque(changed)
    while queue:
        file = queue.popleft()
        for importer in importers.get(file, set()) - found.keys():
            found[importer] = found[file] + 1
            queue.append(importer)
    return found


def import_graph(root: Path) -> dict[str, set[str]]:
    """Every Python file of the project → the files that it imports, within functions too, and its conftests."""
    files = {path.relative_to(root).as_posix() for name in PACKAGES for path in (root / name).rglob("*.py")}
    graph = {}
    for file in files:
        path = Path(file)
        names = imported_names(ast.parse((root / file).read_text(encoding="utf-8")), path)
        conftests = {(folder / "conftest.py").as_posix() for folder in path.parents} - {file}
        graph[file] = (conftests | {RUNS.get(file, "")} | {one for name in names for one in homes(name)}) & files
    return graph


def imported_names(tree: ast.AST, path: Path) -> Iterator[str]:
    """Dotted names, those of `from a import b` with and without `b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = [".".join(path.parts[: -node.level])] if node.level else []
            base = ".".join(filter(None, [*here, node.module]))
            yield base
            yield from (f"{base}.{one.name}" for one in node.names)


def homes(name: str) -> tuple[str, str]:
    """The files that a dotted name may stand for."""
    path = name.replace(".", "/")
    return f"{path}.py", f"{path}/__init__.py"


def changed_files(root: Path) -> set[str]:
    """What differs from the branch that this one leaves, or is not committed yet."""
    trunks = ("origin/main", "main")
    known = [name for name in trunks if git(root, "rev-parse", "--verify", "--quiet", name)]
    base = git(root, "merge-base", "HEAD", known[0]) if known else []
    compared = git(root, "diff", "--name-only", *(base or ["HEAD"]))
    return {*compared, *git(root, "ls-files", "--others", "--exclude-standard")}


def git(root: Path, *arguments: str) -> list[str]:
    """Lines; none where git refuses."""
    run = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    return run.stdout.split("\n")[:-1] if run.returncode == 0 else []


def recorded_seconds(root: Path) -> dict[str, float]:
    path = root / ".pytest_cache" / "v" / SECONDS
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def added_up(known: Mapping[str, float], durations: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Seconds by file, those of files that ran now anew."""
    now: dict[str, float] = {}
    for file, seconds in durations:
        now[file] = now.get(file, 0.0) + seconds
    return {**known, **{file: round(seconds, 2) for file, seconds in now.items()}}


def main() -> None:
    """Print the files for pytest's command line, and say how they were chosen."""
    graph, changed = import_graph(ROOT), changed_files(ROOT)
    python = changed & graph.keys()
    files = chosen(graph, python, recorded_seconds(ROOT), BUDGET_S)
    every = sum(Path(file).name.startswith("test_") for file in graph)
    why = f"the nearest to {len(python)} changed files" if python else "the quickest, as no Python file changed"
    print(f"quick: {len(files)} of {every} test files, {why}; `make test` runs all", file=sys.stderr)
    print("\n".join(files))


if __name__ == "__main__":
    main()
