"""Files by URL and digest, from a server with faults."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pytest_modelcompare.data.download import fetch_file
from pytest_modelcompare.errors import DataError

CONTENT = bytes(range(256)) * 400
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Faulty(BaseHTTPRequestHandler):
    """Serves CONTENT; `/cut` cuts the first answer, `/norange` knows no ranges, `/503` fails twice."""

    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        asked = self.headers.get("range")
        self.asked.append((self.path, asked))
        if self.path == "/404" or (self.path == "/503" and len(self.asked) < 3):
            self.send_error(int(self.path[1:]))
            return
        start = int(re.findall(r"\d+", asked)[0]) if asked and self.path != "/norange" else 0
        self.send_response(206 if start else 200)
        self.send_header("content-length", str(len(CONTENT) - start))
        self.end_headers()
        cut = 60_000 if self.path in ("/cut", "/norange") and len(self.asked) == 1 else len(CONTENT)
        self.wfile.write(CONTENT[start : start + cut])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Faulty.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_is_kept_under_its_digest_and_then_needs_no_network(url: str, tmp_path: Path):
    path = fetch_file(f"{url}/a.csv", DIGEST, tmp_path)
    assert path == tmp_path / DIGEST
    assert path.read_bytes() == CONTENT
    fetch_file("https://nowhere.invalid/a.csv", DIGEST.upper(), tmp_path)
    assert len(Faulty.asked) == 1


def test_a_cut_download_is_resumed_where_it_was_cut(url: str, tmp_path: Path):
    assert fetch_file(f"{url}/cut", DIGEST, tmp_path, wait_s=0).read_bytes() == CONTENT
    assert Faulty.asked == [("/cut", None), ("/cut", "bytes=60000-")]


def test_a_server_without_ranges_is_asked_for_the_whole_again(url: str, tmp_path: Path):
    assert fetch_file(f"{url}/norange", DIGEST, tmp_path, wait_s=0).read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(url: str, tmp_path: Path):
    assert fetch_file(f"{url}/503", DIGEST, tmp_path, wait_s=0).read_bytes() == CONTENT


def test_another_digest_is_refused_and_nothing_is_left(url: str, tmp_path: Path):
    with pytest.raises(DataError, match=f"its sha256 is {DIGEST}"):
        fetch_file(f"{url}/a", "0" * 64, tmp_path)
    assert not list(tmp_path.iterdir())


def test_too_large_is_refused_and_nothing_is_left(url: str, tmp_path: Path):
    with pytest.raises(DataError, match="larger than 1,000 bytes"):
        fetch_file(f"{url}/a", DIGEST, tmp_path, limit_bytes=1000)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("address", "digest", "words"),
    [
        ("https://host/a", None, "needs the sha256"),
        ("http://example.org/a", DIGEST, "is not supported"),
        ("ftp://example.org/a", DIGEST, "is not supported"),
        ("https://me:secret@host/a", DIGEST, "password"),
    ],
)
def test_an_unsafe_address_is_refused(tmp_path: Path, address: str, digest: str | None, words: str):
    with pytest.raises(DataError, match=words) as caught:
        fetch_file(address, digest, tmp_path)
    assert "secret" not in str(caught.value)


def test_not_found_is_said_at_once(url: str, tmp_path: Path):
    with pytest.raises(DataError, match="the server answers 404"):
        fetch_file(f"{url}/404", DIGEST, tmp_path)
    assert len(Faulty.asked) == 1
