"""What of an address may be printed."""

from __future__ import annotations

import pytest

from pytest_modelcompare.records.addresses import is_web_address, without_user


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


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("http://localhost:11434/v1", True),
        ("https://me:s3cret@proxy.example/ü", True),
        ("http://[::1]:80", True),
        ("http://[::1", False),
        ("http://127.0.0.1:99999/", False),
        ("http://", False),
        ("localhost:11434", False),
        ("ftp://host", False),
        ("not a url", False),
    ],
)
def test_an_address_has_a_host_and_a_port_that_exists(text: str, is_one: bool):
    assert is_web_address(text) is is_one
