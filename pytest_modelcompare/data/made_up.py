"""Made-up rows for smoke runs, where data lie on a network that does not answer."""

from __future__ import annotations

import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

import numpy as np

from pytest_modelcompare.data.data_settings import DataSettings, as_source, kind_of
from pytest_modelcompare.data.sources import parse_hub_path
from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.extras import is_installed
from pytest_modelcompare.records import Dataset, Rows

LABELS = ("first", "second", "third")
"""Where the suite names none."""

WORDS = ("the", "price", "of", "a", "phone", "fell", "again", "after", "our", "team", "won", "its", "last", "match")
MADE_UP = "made up"
"""The digest of such rows, which no run is kept under."""

ROWS_PER_LABEL = 8
TIMEOUT_S = 5


def make_up_dataset(settings: DataSettings) -> Dataset:
    """A few rows under the suite's labels; every split has them."""
    labels = settings.label_names or LABELS
    train, validation, test = (make_up_rows(labels, seed) for seed in range(3))
    return Dataset(labels, settings.descriptions, train, validation, test, MADE_UP)


def make_up_rows(labels: tuple[str, ...], seed: int) -> Rows:
    """Random words and the label's name."""
    random = np.random.default_rng(seed)
    numbers = np.tile(np.arange(len(labels)), ROWS_PER_LABEL)
    texts = [" ".join([*random.choice(WORDS, random.integers(4, 30)), labels[number]]) for number in numbers]
    return Rows(tuple(texts), numbers.astype(np.int64), tuple(map(str, range(len(texts)))))


def source_unreachable(error: ModelCompareError) -> bool:
    """Whether a source could not be read because the network does not answer."""
    cause = error.__cause__
    if isinstance(cause, urllib.error.HTTPError):
        return cause.code >= 500
    return isinstance(cause, (urllib.error.URLError, HTTPException, ConnectionError, TimeoutError))


@contextmanager
def offline_if_silent(settings: DataSettings) -> Iterator[None]:
    """Where the hub does not answer once, `datasets` is not to ask again for half a minute.

    What it has in its cache is found nevertheless.
    """
    sources = [as_source(source) for source in (settings.train, settings.test) if source is not None]
    hub = [source for source in sources if kind_of(source) == "hub"]
    if not hub or not is_installed("datasets"):
        yield
        return
    import datasets
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError

    no_answer: tuple[type[BaseException], ...] = (HfHubHTTPError.__bases__[0], OSError)
    before = constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE
    try:
        HfApi().dataset_info(parse_hub_path(hub[0])[0], timeout=TIMEOUT_S)
    except HfHubHTTPError:
        pass  # an answer; whoever loads the data says what it means
    except no_answer:
        constants.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE = before
