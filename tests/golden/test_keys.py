"""The names under which runs and answers are kept: a store of today is found by the versions that follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.llm.answers import Journal
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompting import questions
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.local import LocalMethod, run_fingerprint
from pytest_modelcompare.methods.local_prompt import LocalPrompt
from pytest_modelcompare.methods.registry import BUILT_IN
from pytest_modelcompare.records import Dataset, Rows
from tests.golden.golden import as_text, holds
from tests.llm.test_optimise import Nothing

LOCAL = {method.key: method for method in (*BUILT_IN, LocalPrompt()) if isinstance(method, LocalMethod)}

MODEL = {"model": "./here"}
OTHERWISE: dict[str, dict[str, Any]] = {
    "fine_tune": {
        "epochs": 2.5,
        "learning_rate": 2e-5,
        "batch_size": 16,
        "gradient_accumulation": 2,
        "schedule": "cosine",
        "max_length": 64,
        "warmup": 0.1,
        "weight_decay": 0.0,
        "label_smoothing": 0.1,
        "class_weights": "balanced",
        "precision": "fp32",
        "seeds": [1, 2],
        "weights": "pickle",
        "serve": "onnx-int8",
        "head": "text_to_text",
        "prefix": "classify:",
        "early_stopping": 2,
    },
    "linear_probe": {"pooling": "cls", "C": 1.0, "max_length": 64, "precision": "fp32", "weights": "pickle"},
    "tfidf": {"ngrams": [1, 3], "C": 1.0},
    "zero_shot": {"pooling": "mean", "max_length": 64, "precision": "fp32", "weights": "pickle"},
    "prompt:local": {
        "instructions": "Which?",
        "shots": 2,
        "shots_by": "balanced",
        "shots_tokens": 500,
        "shots_seed": 3,
        "shots_encoder": "./encoder",
        "max_output_tokens": 32,
        "max_concurrency": 4,
    },
}
"""Of each method that computes here, every setting with a value that is not its default."""

BESIDE: dict[str, dict[str, Any]] = {
    "shots_by": {"shots": 2},
    "shots_seed": {"shots": 2, "shots_by": "random"},
    "shots_encoder": {"shots": 2, "shots_by": "nearest"},
}
"""What a setting needs to mean anything."""

ASKED: dict[str, dict[str, Any]] = {
    "plain": {},
    "openai": {"model": "openai:gpt-5.1"},
    "a tier": {"model": "openai:gpt-5.1", "service_tier": "flex"},
    "the plain tier": {"model": "openai:gpt-5.1", "service_tier": "default"},
    "an address": {"base_url": "http://localhost:8000/v1"},
    "instructions": {"instructions": "Which of these is it?"},
    "first shots": {"shots": 2},
    "random shots": {"shots": 2, "shots_by": "random", "shots_seed": 5},
    "balanced shots": {"shots": 4, "shots_by": "balanced"},
    "nearest shots": {"shots": 2, "shots_by": "nearest"},
    "as many shots as fit": {"shots_tokens": 60, "shots": 0},
    "effort": {"effort": "low"},
    "a short answer": {"max_output_tokens": 64},
    "stated scores": {"scores": "stated"},
    "votes": {"scores": "votes", "votes": 3},
    "a batch": {"batch": True},
    "few at once": {"max_concurrency": 2},
    "another key": {"api_key_env": "OTHER_KEY"},
    "stopping": {"stop_when_decided": True},
}


def dataset() -> Dataset:
    texts = ("win a prize", "see you at lunch", "cheap pills", "are you home yet")
    train = Rows(texts, np.array([1, 0, 1, 0]), ("0", "1", "2", "3"))
    test = Rows(("free money", "the meeting moved — café ☕"), np.array([1, 0]), ("0", "1"))
    return Dataset(("ham", "spam"), {"spam": "nobody asked for it"}, train, None, test, "d")


def fingerprints() -> dict[str, str]:
    """By method and setting."""
    found = {}
    for name, method in LOCAL.items():
        needs = MODEL if "model" in method.settings.model_fields else {}
        needs = {"model": "local:./here"} if name == "prompt:local" else needs
        for setting, value in {"": None, **OTHERWISE[name]}.items():
            given = {**needs, **BESIDE.get(setting, {}), **({setting: value} if setting else {})}
            spec = ContestantSpec("mine", name, method.settings(**given))
            weights = "" if name == "tfidf" else "w"
            found[f"{name} {setting}".strip()] = run_fingerprint(method, spec, 7, "d", weights)
    return found


def request_keys(base: Path) -> dict[str, list[str]]:
    """By kind of request, of every request for two test rows."""
    journal: Journal = Nothing()
    found = {}
    for name, facts in ASKED.items():
        settings = PromptSettings(**{"model": "anthropic:claude-haiku-5-5", **facts})
        found[name] = [request.key() for request in questions(settings, dataset(), journal, base).all()]
    return found


def test_every_setting_of_every_method_is_looked_at():
    for name, method in LOCAL.items():
        elsewhere = {"model", "scores", "votes", "effort", "base_url", "api_key_env", "service_tier", "batch"}
        elsewhere |= {"stop_when_decided", "recording", "optimise"}  # of an LLM that is asked
        assert set(method.settings.model_fields) - set(OTHERWISE[name]) <= elsewhere, name


def test_runs_are_kept_under_the_names_they_have():
    assert holds("fingerprints.json", as_text(fingerprints()))


@pytest.mark.usefixtures("no_addresses")
def test_answers_are_kept_under_the_keys_they_have(tmp_path: Path):
    assert holds("request_keys.json", as_text(request_keys(tmp_path)))


@pytest.fixture
def no_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says of addresses is no part of a key, and still left out here."""
    for name in ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
