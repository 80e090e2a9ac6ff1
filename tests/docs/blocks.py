"""The code blocks of README and docs, and running a page's blocks in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r'^(?:<!-- not run: (?P<because>[^\n]*) -->\n)?```(?P<language>\w*)(?: title="(?P<title>[^"]+)")?\n(?P<code>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
WIDTH = "90"
UNITS = ("ms", "s", "USD", "seconds")
"""Of numbers that differ from machine to machine."""

NUMBER = re.compile(r"[-+]?(?:\d[\d,]*)?\.?\d+(?:e[-+]?\d+)?")
WHEN = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d")
NEAR = 0.03
"""How far a share may lie from the one in the page: arithmetic differs between processors."""


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: Path
    language: str
    code: str
    title: str | None = None
    """A file's name: the block is that file."""

    not_run: str | None = None
    """Why it is not run, from a comment above it."""

    @property
    def id(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {' '.join(self.code.split())[:50]}"


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = FENCE.finditer(text)
    return [Block(page, one["language"], one["code"], one["title"], one["because"]) for one in found]


def all_blocks(language: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if block.language == language]


def commands(block: Block) -> Iterator[str]:
    """The lines of a shell block, continued ones joined, without what the shell takes for a comment."""
    for line in block.code.replace("\\\n", " ").splitlines():
        command = re.sub(r"(^|\s)#.*", "", line).strip()
        if command:
            yield command


class Page:
    """Runs a page: named blocks become files, shell blocks run, text blocks are what the last one printed."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": WIDTH,
            "NO_COLOR": "1",
            **environment,
        }
        self.printed = ""

    def run(self, found: list[Block]) -> None:
        for block, following in zip(found, [*found[1:], None], strict=True):
            if block.not_run:
                continue
            if block.title:
                (self.folder / block.title).write_text(block.code, encoding="utf-8")
            elif block.language == "sh":
                shown = following.code if following is not None and following.language == "text" else ""
                self.shell(block, red=bool(re.search(r"\d (failed|errors?)\b", shown)))
            elif block.language == "text":
                assert_shown(block.code, self.printed)

    def shell(self, block: Block, *, red: bool) -> None:
        """Run a block where the one before it ended; it must succeed, or where the page shows a red build, fail."""
        where = self.folder / ".where"
        script = f"set -e\n{block.code}\npwd > {where}\n" if not red else f"{block.code}"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        self.printed = done.stdout + done.stderr
        assert (done.returncode != 0) == red, f"{block.code}\n{self.printed}"
        if not red:
            self.folder = Path(where.read_text().strip())


def assert_shown(shown: str, printed: str) -> None:
    """What a page shows stands in what was printed, in order; at a `…` something may be left out.

    Lines break by the terminal's width, so words are compared.
    """
    at, there = 0, words(printed)
    for part in shown.split("…"):
        wanted = words(part)
        starts = range(at, len(there) - len(wanted) + 1)
        found = next((start for start in starts if alike(wanted, there[start : start + len(wanted)])), None)
        assert found is not None, f"nowhere below is\n{part}\nin\n{printed}"
        at = found + len(wanted)


def alike(shown: list[str], printed: list[str]) -> bool:
    """Word by word, numbers as `close` says."""
    return all(map(same_word, shown, printed, [*shown[1:], ""]))


def words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s=─]+", text) if word]


def same_word(shown: str, printed: str, following: str) -> bool:
    if shown == printed or WHEN.sub("", shown) == WHEN.sub("", printed):
        return True
    if NUMBER.sub("#", shown) != NUMBER.sub("#", printed):
        return False
    measured = following.strip(".,;)") in UNITS or shown.rstrip("=").endswith("s")
    return measured or all(map(close, NUMBER.findall(shown), NUMBER.findall(printed)))


def close(shown: str, printed: str) -> bool:
    """Whole numbers are equal, shares near each other; other figures, times and prices, are as they are."""
    if "." not in shown or "." not in printed:
        return shown == printed
    is_share = len(shown.rpartition(".")[2]) == 3
    return not is_share or abs(float(shown) - float(printed)) <= NEAR
