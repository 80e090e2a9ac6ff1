from __future__ import annotations

import urllib.error
from pathlib import Path

import numpy as np
import pytest

from pytest_modelcompare.data.data_settings import DataSettings
from pytest_modelcompare.data.download import fetch_file
from pytest_modelcompare.data.made_up import make_up_dataset, source_unreachable
from pytest_modelcompare.errors import DataError


def test_made_up_rows_have_the_suites_labels():
    dataset = make_up_dataset(DataSettings(train="hf://a/b:train", test="hf://a/b:test", labels=["World", "Sports"]))
    assert dataset.labels == ("World", "Sports")
    for rows in (dataset.train, dataset.validation, dataset.test):
        assert rows is not None
        assert np.bincount(rows.labels).tolist() == [8, 8]


def test_a_server_that_does_not_answer_is_unreachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def silent(*_: object, **__: object):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", silent)
    with pytest.raises(DataError, match="cannot be fetched: no route to host") as raised:
        fetch_file("https://example.org/rows.csv", "0" * 64, tmp_path, wait_s=0)
    assert source_unreachable(raised.value)


def test_a_wrong_address_or_file_is_not(tmp_path: Path):
    refused = DataError("the server answers 404")
    refused.__cause__ = urllib.error.HTTPError("https://example.org", 404, "not found", None, None)
    assert not source_unreachable(refused)
    assert not source_unreachable(DataError("there is no such file"))
