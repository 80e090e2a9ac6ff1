"""What a suite says of its data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class DataPart(BaseModel):
    """Base of the settings below; the docstrings of their fields are their documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class SourceSettings(DataPart):
    """Where rows come from: a path alone, or with more said about it."""

    path: str
    """csv, tsv, jsonl or parquet (each also .gz), a `datasets` folder, `hf://NAME@REVISION:split`, or
    `https://…` with `sha256`."""

    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")] | None = None
    """Digest of the file as it is stored. Required for `https://`; checked for files too."""

    split: str | None = None
    """Which split of a `datasets` folder or hub data set."""

    rows: Annotated[int, Field(gt=0)] | None = None
    """Take a seeded sample of this many rows, stratified by label."""

    seed: int = 0
    """Seed of the sample."""


class SplitSettings(DataPart):
    """Make the test rows out of one file: stratified by label, groups and equal texts kept on one side."""

    test: Annotated[float, Field(gt=0, lt=1)]
    """Share of the rows that become test rows."""

    seed: int = 42
    """Seed of the split."""


Source = str | SourceSettings
LabelSettings = list[str] | dict[str, str] | dict[int, str]


class DataSettings(DataPart):
    """The rows that are trained on and judged on."""

    train: Source | None = None
    """The training rows; with `split`, all rows. May be missing where nothing is trained."""

    test: Source | None = None
    """The rows that gates are judged on."""

    text: str | list[str] = "text"
    """The column with the text, or several, joined by a line break in this order."""

    label: str = "label"
    """The column with the label."""

    id: str | None = None
    """Row identity for pairing with recorded answers; without it, the position in the test rows."""

    group: str | None = None
    """Rows that belong together: never split apart, and intervals are clustered by it."""

    labels: LabelSettings | None = None
    """A list of names; names with descriptions for prompts; or codes with names (`{1: World, 2: Sports}`)."""

    validation: Annotated[float, Field(gt=0, lt=1)] | Source | None = None
    """A share of the training rows, or a source; carved only when an option needs it."""

    split: SplitSettings | None = None
    """Make the test rows out of `train` instead of `test`."""

    leakage: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Share of test rows whose text also stands in train above which the suite is an error."""

    @field_validator("text")
    @classmethod
    def some_column(cls, value: str | list[str]) -> str | list[str]:
        if not value:
            raise ValueError("name at least one column")
        return value

    @property
    def text_columns(self) -> tuple[str, ...]:
        return (self.text,) if isinstance(self.text, str) else tuple(self.text)

    @property
    def codes(self) -> dict[str, str]:
        """Coded label as text → name; empty where labels stand for themselves."""
        if isinstance(self.labels, dict):
            return {str(code): name for code, name in self.labels.items() if isinstance(code, int)}
        return {}

    @property
    def label_names(self) -> tuple[str, ...] | None:
        """The labels in the suite's order, where it names them."""
        if self.labels is None:
            return None
        if self.codes:
            return tuple(self.codes.values())
        return tuple(str(name) for name in self.labels)

    @property
    def descriptions(self) -> dict[str, str]:
        if isinstance(self.labels, dict) and not self.codes:
            return {str(name): text for name, text in self.labels.items()}
        return {}


def as_source(source: Source) -> SourceSettings:
    return SourceSettings(path=source) if isinstance(source, str) else source


SourceKind = Literal["file", "folder", "url", "hub"]


def kind_of(source: SourceSettings) -> SourceKind:
    """What a path names."""
    if source.path.startswith("hf://"):
        return "hub"
    return "url" if "://" in source.path else "file"
