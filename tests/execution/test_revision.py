"""Commit and branch, from git and from CI services."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pytest_modelcompare.execution.revision import commit_named, revision_of
from pytest_modelcompare.records.history import Revision


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a.txt").write_text("1")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-q", "-m", "one")
    return tmp_path


def test_a_checkout_has_a_commit_and_a_branch(checkout: Path):
    head = git(checkout, "rev-parse", "HEAD")
    assert revision_of(checkout, {}) == Revision(head, "main", False)
    assert commit_named(checkout, "main") == head
    assert commit_named(checkout, "nothing") == ""


def test_changed_files_make_it_dirty_and_new_ones_do_not(checkout: Path):
    (checkout / "new.txt").write_text("1")
    assert not revision_of(checkout, {}).dirty
    (checkout / "a.txt").write_text("2")
    assert revision_of(checkout, {}).dirty


def test_where_a_commit_is_checked_out_the_service_says_the_branch(checkout: Path):
    git(checkout, "checkout", "-q", "--detach")
    assert revision_of(checkout, {}).branch == ""
    assert revision_of(checkout, {"GITHUB_HEAD_REF": "", "GITHUB_REF_NAME": "topic"}).branch == "topic"


def test_without_a_commit_there_is_no_revision(tmp_path: Path):
    assert revision_of(tmp_path, {}) == Revision()
    git(tmp_path, "init", "-q")
    assert revision_of(tmp_path, {}) == Revision()
