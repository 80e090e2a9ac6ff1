"""Every command that README and docs show is one that its program takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from _pytest.config import _prepareconfig

from pytest_modelcompare.cli import parser
from tests.docs.blocks import PAGES, ROOT, all_blocks, commands

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def shown() -> list[tuple[str, str]]:
    """(page, command) of every shell block, and of every line after a prompt."""
    found = [(block.id, command) for block in all_blocks("sh") for command in commands(block)]
    inline = re.compile(r"^\$ (.+)$|`(modelcompare [a-z]+ [^`]+|pytest -[^`]+)`", re.MULTILINE)
    for page in PAGES:
        for prompt, quoted in inline.findall(page.read_text(encoding="utf-8")):
            found.append((page.name, prompt or quoted))
    return [(page, command) for page, command in found if "…" not in command and " | " not in command]


def parts(command: str) -> list[list[str]]:
    """The commands of a line, without where their output goes."""
    found: list[list[str]] = [[]]
    for word in shlex.split(command, comments=True):
        if word in ("&&", ";", "||"):
            found.append([])
        elif found[-1] and found[-1][-1] in (">", ">>"):
            found[-1].pop()
        else:
            found[-1].append(word)
    return [words for words in found if words]


def to_pytest(words: list[str], folder: Path) -> None:
    named = [word for word in words if word.startswith("-") or not word.endswith((".py", ".yaml", "quickstart"))]
    config = _prepareconfig([*named, f"--rootdir={folder}", "-c", str(folder / "pytest.ini"), "-p", "no:cacheprovider"])
    config._ensure_unconfigure()


def to_modelcompare(words: list[str], folder: Path) -> None:
    parser().parse_args(words)


def to_make(words: list[str], folder: Path) -> None:
    assert set(words) <= TARGETS


def to_python(words: list[str], folder: Path) -> None:
    assert words[0] == "-m" or (ROOT / words[0]).is_file()


def to_anything(words: list[str], folder: Path) -> None:
    """Programs that are not ours."""


TAKERS: dict[str, Callable[[list[str], Path], None]] = {
    "pytest": to_pytest,
    "modelcompare": to_modelcompare,
    "make": to_make,
    "python": to_python,
    **dict.fromkeys(("pip", "git", "cd", "mkdir", "cp", "head", "export", "pre-commit"), to_anything),
}


@pytest.mark.parametrize(("page", "command"), shown(), ids=lambda text: text[:60])
def test_a_command_is_taken(page: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(tmp_path)
    for words in parts(command):
        TAKERS[words[0]](words[1:], tmp_path)


def test_there_are_commands_in_the_docs():
    assert len(shown()) >= 30


def test_a_command_that_does_not_exist_is_not_taken(tmp_path: Path):
    with pytest.raises(SystemExit):
        to_modelcompare(["chekc", "x.modelcompare.yaml"], tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    with pytest.raises(pytest.UsageError):
        to_pytest(["--modelcompare-acept"], tmp_path)
