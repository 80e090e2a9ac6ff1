"""The runner of pages sees when a page shows what does not happen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import Block, Page, assert_shown, blocks

PRINTED = """\
words.accuracy >= 0.9   PASS   0.930 (0.922 to 0.937, 3,080 rows)
accepted on 2026-11-27; 2 passed in 0.93s
"""


@pytest.mark.parametrize(
    "shown",
    [
        "words.accuracy >= 0.9 PASS 0.930 (0.922 to 0.937, 3,080 rows)",
        "words.accuracy >= 0.9 PASS\n  0.921 (0.913 to 0.929, 3,080 rows)",  # another processor, another width
        "words.accuracy … rows)\naccepted on 2025-01-01; 2 passed in 1.20s",  # another day
        "… passed in 14.20s",
    ],
)
def test_what_was_printed_may_be_shown(shown: str):
    assert_shown(shown, PRINTED)


@pytest.mark.parametrize(
    "shown",
    [
        "words.accuracy >= 0.9 FAIL 0.930 (0.922 to 0.937, 3,080 rows)",
        "words.accuracy >= 0.9 PASS 0.880 (0.922 to 0.937, 3,080 rows)",
        "words.accuracy >= 0.9 PASS 0.930 (0.922 to 0.937, 3,081 rows)",
        "words.accuracy >= 0.9 PASS 2 passed",
        "accepted on 2026-11-27: 2 passed in 0.93s",
        "2 passed … words.accuracy",
    ],
)
def test_what_was_not_printed_is_seen(shown: str):
    with pytest.raises(AssertionError):
        assert_shown(shown, PRINTED)


def page_of(tmp_path: Path, text: str) -> list[Block]:
    (tmp_path / "page.md").write_text(text)
    return blocks(tmp_path / "page.md")


def test_a_block_with_a_name_is_a_file_and_the_folder_is_kept(tmp_path: Path):
    found = page_of(
        tmp_path,
        '```sh\nmkdir a\ncd a\n```\n```yaml title="x.yaml"\nb: 1\n```\n```sh\ncat x.yaml\n```\n```text\nb: 1\n```\n',
    )
    Page(tmp_path, {}).run(found)
    assert (tmp_path / "a" / "x.yaml").read_text() == "b: 1\n"


def test_a_command_that_fails_is_seen_unless_the_page_shows_it(tmp_path: Path):
    with pytest.raises(AssertionError):
        Page(tmp_path, {}).run(page_of(tmp_path, "```sh\nfalse\ntrue\n```\n"))
    red = "```sh\necho 1 failed; exit 1\n```\n```text\n1 failed\n```\n"
    Page(tmp_path, {}).run(page_of(tmp_path, red))
    with pytest.raises(AssertionError):
        Page(tmp_path, {}).run(page_of(tmp_path, red.replace("exit 1", "exit 0")))


def test_a_block_that_says_why_is_not_run(tmp_path: Path):
    Page(tmp_path, {}).run(page_of(tmp_path, "<!-- not run: needs a key -->\n```sh\nfalse\n```\n"))
