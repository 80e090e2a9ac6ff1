"""`predictions: SOURCE`: answers that were recorded elsewhere."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import field_validator

from pytest_modelcompare.data.recorded_answers import RecordedSource
from pytest_modelcompare.settings import Settings


class PredictionsSettings(Settings):
    """Recorded answers, matched to the test rows by `id`, else by text, else by position."""

    main: ClassVar[str] = "source"

    source: RecordedSource
    """A path, or `{path: …, prediction: COLUMN, …}`."""

    model: str | None = None
    """`provider:model` that gave the answers: what their tokens are priced by."""

    missing: Literal["error", "wrong"] = "error"
    """What becomes of test rows without exactly one recorded answer."""

    read: Literal["exact", "lenient"] = "exact"
    """`exact`: an answer is a label as the suite spells it, anything else is wrong. `lenient`: answers in words are
    read as an LLM's replies are (a sentence, JSON, emphasis, thinking aloud), where the label is unambiguous."""

    @field_validator("source", mode="before")
    @classmethod
    def path_alone(cls, value: object) -> object:
        return {"path": value} if isinstance(value, str) else value
