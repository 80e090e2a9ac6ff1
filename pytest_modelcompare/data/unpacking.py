"""Packed files: what is inside, and what it is called."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePath

from pytest_modelcompare.errors import DataError
from pytest_modelcompare.extras import require
from pytest_modelcompare.records.hints import first_few

LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db")
"""What file managers leave in an archive."""

SHOWN = 5
"""Names of files, in a message."""

BROKEN = (EOFError, OSError, lzma.LZMAError, zlib.error, ValueError)
"""What the readers below raise where a file is cut or was never packed."""


def unpacked(content: bytes, name: str) -> tuple[bytes, str]:
    """A file's content, and the name that tells its format.

    Raises:
        DataError: it is broken, locked, or an archive of several files.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix == ".zip":
        content, inner = from_zip(content, name)
        return unpacked(content, inner) if PurePath(inner).suffix.lower() in READERS else (content, inner)
    if suffix not in READERS:
        return content, name
    if suffix == ".zst":
        require("a zst file", ["pyarrow"], where=name, otherwise="pack it as gz")
    try:
        return READERS[suffix](content), name[: -len(suffix)]
    except BROKEN as error:
        said = f"is no whole {suffix.removeprefix('.')} file: {error or type(error).__name__}"
        raise DataError(said, where=name, fix="fetch or pack it again") from error


def from_zip(content: bytes, name: str) -> tuple[bytes, str]:
    """The only file of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [one for one in archive.infolist() if not (one.is_dir() or is_litter(one.filename))]
            if len(members) != 1:
                inside = first_few([one.filename for one in members], SHOWN)
                holds = f"holds {len(members):,} files ({inside})" if members else "holds no file"
                raise DataError(holds, where=name, fix="pack one file alone, or unpack it and name that file")
            return archive.read(members[0]), members[0].filename
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise DataError(f"is no whole zip file: {error}", where=name, fix="fetch or pack it again") from error
    except RuntimeError as error:
        raise DataError(f"is locked: {error}", where=name, fix="unpack it, or pack it without a password") from error


def is_litter(member: str) -> bool:
    return member.startswith(LITTER[0]) or PurePath(member).name in LITTER[1:]


def from_zstd(content: bytes) -> bytes:
    import pyarrow as pa

    with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
        found: bytes = stream.read()
    return found


READERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": from_zstd,
}
