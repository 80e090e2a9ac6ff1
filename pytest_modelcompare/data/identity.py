"""What makes test rows the same test rows."""

from __future__ import annotations

import hashlib

from pytest_modelcompare.records import Dataset


def test_rows_digest(dataset: Dataset) -> str:
    """sha256 hex over ids, texts and labels of the test rows, in order: rows of equal digests pair."""
    test = dataset.test
    digest = hashlib.sha256()
    for cells in (test.ids, test.texts, [dataset.labels[number] for number in test.labels]):
        digest.update("\0".join(cells).encode("utf-8", "surrogatepass") + b"\1")
    return digest.hexdigest()
