"""Every method by its key. The engines behind them load their libraries when they work."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.providers import LOCAL as LOCAL_PROVIDER
from pytest_modelcompare.llm.providers import provider_kind
from pytest_modelcompare.methods.base import ContestantSpec, LocalMethod
from pytest_modelcompare.methods.fine_tune import FineTune
from pytest_modelcompare.methods.fitting import FineTuneSettings
from pytest_modelcompare.methods.later import CascadeSettings, DistillSettings, LoraSettings
from pytest_modelcompare.methods.linear_probe import LinearProbe, LinearProbeSettings
from pytest_modelcompare.methods.local_prompt import LocalPrompt
from pytest_modelcompare.methods.predictions import PredictionsSettings
from pytest_modelcompare.methods.published import PublishedSettings
from pytest_modelcompare.methods.tfidf import Tfidf, TfidfSettings
from pytest_modelcompare.methods.zero_shot import ZeroShot, ZeroShotSettings
from pytest_modelcompare.settings import Settings

METHODS: Mapping[str, type[Settings]] = {
    "fine_tune": FineTuneSettings,
    "lora": LoraSettings,
    "linear_probe": LinearProbeSettings,
    "tfidf": TfidfSettings,
    "zero_shot": ZeroShotSettings,
    "prompt": PromptSettings,
    "distill": DistillSettings,
    "cascade": CascadeSettings,
    "predictions": PredictionsSettings,
    "published": PublishedSettings,
}
"""The settings of each method."""

LOCAL: Mapping[str, LocalMethod] = {
    method.key: method for method in (FineTune(), LinearProbe(), Tfidf(), ZeroShot(), LocalPrompt())
}
"""Methods that compute on this machine."""

LATER = frozenset({"lora", "distill", "cascade"})
"""Methods that the format knows and this version refuses."""


def libraries_of(spec: ContestantSpec) -> tuple[str, ...]:
    """What a contestant is trained or asked with, of the libraries that extras install; replaying takes none."""
    settings = spec.settings
    if spec.method in LOCAL:
        return LOCAL[spec.method].libraries(settings)
    if not isinstance(settings, PromptSettings):
        return ()
    chosen = ("dspy",) if settings.optimise is not None else ()
    shown = ("torch", "transformers") if settings.shots_encoder is not None else ()
    return (*provider_kind(settings.provider).libraries, *chosen, *shown)


def engine_of(method: str, settings: Settings) -> str:
    """The method as it is run: a prompt to a model in this process computes here, as the local methods do."""
    local = isinstance(settings, PromptSettings) and settings.provider == LOCAL_PROVIDER
    return LocalPrompt.key if local else method
