"""Files named by URL and digest: kept under their digest, resumed, verified, limited in size."""

from __future__ import annotations

import hashlib
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from pytest_modelcompare.errors import DataError

LARGEST_BYTES = 4 * 2**30
ATTEMPTS = 4
TIMEOUT_S = 60
CHUNK = 2**18
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def fetch_file(
    url: str, sha256: str | None, folder: Path, limit_bytes: int = LARGEST_BYTES, wait_s: float = 1.0
) -> Path:
    """The file behind a URL, from the store where it is there already.

    What arrived before a cut is kept and the rest asked for. The file stands under
    its digest only when it has that digest.

    Raises:
        DataError: no digest, another digest, too large, or not to be had.
    """
    require_safe(url)
    if sha256 is None:
        raise DataError(
            "a URL needs the sha256 of what it should hold",
            where=url,
            fix="write `{path: https://…, sha256: …}`; `curl -L URL | sha256sum` prints it",
        )
    digest = sha256.lower()
    target = folder / digest
    if target.exists():
        return target
    unfinished = folder / f"{digest}.part"
    download_file(url, unfinished, limit_bytes, wait_s)
    found = hashlib.sha256(unfinished.read_bytes()).hexdigest()
    if found != digest:
        unfinished.unlink()
        raise DataError(
            "the download has another digest", where=url, fix=f"its sha256 is {found}, the suite says {digest}"
        )
    unfinished.rename(target)
    return target


def require_safe(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise DataError(f"`{parts.scheme}://` is not supported", where=url, fix="use https://, hf:// or a path")
    if parts.username or parts.password:
        raise DataError(
            "a URL with a password in it would be stored",
            where=f"{parts.scheme}://{parts.hostname}",
            fix="use a public URL or a path",
        )


def download_file(url: str, unfinished: Path, limit_bytes: int, wait_s: float) -> None:
    """Fetch into a file, going on where an earlier attempt was cut."""
    for attempt in range(ATTEMPTS):
        try:
            append_rest(url, unfinished, limit_bytes)
        except urllib.error.HTTPError as error:
            if error.code == 416:  # the part we have is all there is, or more: its digest will tell
                return
            if error.code < 500 and error.code != 429:
                raise DataError(f"the server answers {error.code} {error.reason}", where=url) from error
            failure: Exception = error
            reason = f"the server answers {error.code}"
        except (OSError, HTTPException) as error:
            failure = error
            reason = str(getattr(error, "reason", None) or error)
        else:
            return
        if attempt < ATTEMPTS - 1:
            time.sleep(wait_s * 2**attempt)
    raise DataError(
        f"cannot be fetched: {reason}",
        where=url,
        fix="what arrived is kept and the next run goes on from there; offline, name a local copy by its path",
    ) from failure


def append_rest(url: str, unfinished: Path, limit_bytes: int) -> None:
    have = unfinished.stat().st_size if unfinished.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310  (scheme checked above)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
        resumed = response.status == 206
        expected = response.length
        written = have if resumed else 0
        with unfinished.open("ab" if resumed else "wb") as file:
            while chunk := response.read(CHUNK):
                written += len(chunk)
                if written > limit_bytes:
                    file.close()
                    unfinished.unlink()
                    raise DataError(f"is larger than {limit_bytes:,} bytes", where=url)
                file.write(chunk)
        begun = have if resumed else 0
        if expected is not None and written - begun < expected:
            raise ConnectionError(f"the connection was cut after {written:,} bytes")
