"""What of an address may be printed."""

from __future__ import annotations

import pytest

from pytest_modelcompare.records.addresses import without_user


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:secret@host/v1", "https://host/v1"),
        ("https://me:s@cret@host/v1", "https://host/v1"),
        ("http://host/a@b", "http://host/a@b"),
        ("no address, me@host", "no address, me@host"),
    ],
)
def test_user_and_password_are_left_out(text: str, shown: str):
    assert without_user(text) == shown
