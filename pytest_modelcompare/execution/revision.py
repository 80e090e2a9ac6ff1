"""Commit and branch of a folder, as git knows them and as a CI service says them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pytest_modelcompare.records.history import Revision

BRANCH_VARIABLES = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_BRANCH", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
"""Where CI services, which check out a commit and no branch, say the branch; the first that is set."""

SECONDS = 10
DETACHED = "(detached)"


def revision_of(folder: Path, environment: Mapping[str, str] = os.environ) -> Revision:
    """The checkout that a folder belongs to; empty where it is none, or there is no git."""
    lines = git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no").splitlines()
    head = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# branch.") and line.count(" ") > 1)
    commit, branch = head.get("branch.oid", ""), head.get("branch.head", "")
    if not commit.isalnum():  # "(initial)": nothing was committed yet
        return Revision()
    if branch == DETACHED:
        branch = next((environment[name] for name in BRANCH_VARIABLES if environment.get(name)), "")
    return Revision(commit, branch, any(not line.startswith("#") for line in lines))


def commit_named(folder: Path, name: str) -> str:
    """The commit that git means by a name, e.g. `HEAD~1`; empty where it knows none."""
    return git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()


def git(folder: Path, *arguments: str) -> str:
    """What git prints; nothing where it refuses or is not there."""
    command = ["git", "-C", str(folder), "--no-optional-locks", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS, errors="replace")  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
