"""BANKING77 in full: what the contestants reach on real data."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from pytest_modelcompare.methods.linear_probe import LinearProbe, LinearProbeSettings
from pytest_modelcompare.methods.local import Work
from pytest_modelcompare.methods.tfidf import Tfidf, TfidfSettings
from pytest_modelcompare.methods.zero_shot import ZeroShot, ZeroShotSettings
from pytest_modelcompare.records import Dataset, Rows


@pytest.fixture(scope="module")
def banking77(shared_data):
    found = {}
    for split in ("train", "test"):
        with gzip.open(shared_data / "banking77" / f"{split}.csv.gz", "rt", encoding="utf-8") as file:
            found[split] = list(csv.DictReader(file))
    labels = tuple(sorted({row["category"] for row in found["train"]}))
    train, test = (
        Rows(
            tuple(row["text"] for row in rows),
            np.array([labels.index(row["category"]) for row in rows]),
            tuple(map(str, range(len(rows)))),
        )
        for rows in found.values()
    )
    return Dataset(labels, {}, train, None, test, "banking77")


def accuracy(method, settings, dataset, folder):
    outcome = method.run(settings, Work(dataset, 0, "cpu", folder, folder))
    return (outcome.predictions.labels == dataset.test.labels).mean()


@pytest.mark.slow  # tests/test_examples.py asserts as much of the same questions, split otherwise
def test_tfidf_reaches_88_per_cent(banking77, tmp_path):
    assert accuracy(Tfidf(), TfidfSettings(), banking77, tmp_path) >= 0.88


@pytest.mark.slow
def test_a_linear_probe_on_minilm_reaches_91_5_per_cent(banking77, minilm_folder, tmp_path):
    settings = LinearProbeSettings(model=str(minilm_folder))
    assert accuracy(LinearProbe(), settings, banking77, tmp_path) >= 0.915


def test_zero_shot_minilm_reaches_60_per_cent(banking77, minilm_folder, tmp_path):
    assert accuracy(ZeroShot(), ZeroShotSettings(model=str(minilm_folder)), banking77, tmp_path) >= 0.60
