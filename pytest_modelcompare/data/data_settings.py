"""What a suite says of its data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class DataPart(BaseModel):
    """Base of the settings below; the docstrings of their fields are their documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


TABS = {"tab": "\t", "\\t": "\t"}
"""As people write a tab where YAML has none."""


class FileSettings(DataPart):
    """Where rows come from, and how a file is read where its name and content do not say it."""

    path: str
    """csv, tsv, txt, jsonl, json, parquet or xlsx (each also .gz, .bz2, .xz, .zst, or alone in a .zip), a `datasets`
    folder, `hf://NAME@REVISION:split`, or `https://…` with `sha256`."""

    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")] | None = None
    """Digest of the file as it is stored. Required for `https://`; checked for files too."""

    split: str | None = None
    """Which split of a `datasets` folder or hub data set."""

    separator: str | None = None
    """The character between the cells of a csv, tsv or txt file: `";"`, `"|"`, `tab`. Without it, a comma, and a tab
    in a tsv."""

    columns: list[str] | None = None
    """The names of the columns of a csv, tsv, txt or xlsx file that has no header line, from left to right."""

    encoding: str | None = None
    """Of a text file that is neither UTF-8 nor UTF-16 or UTF-32 with its mark: `cp1252`, `latin1`, `shift_jis` and
    whatever else Python knows."""

    sheet: str | None = None
    """Which sheet of an xlsx file (needs the extra `xlsx`); without it, the only one that holds anything."""

    @field_validator("separator")
    @classmethod
    def one_character(cls, value: str | None) -> str | None:
        value = TABS.get(value or "", value)
        if value is not None and (len(value) != 1 or value in '"\r\n'):
            raise ValueError('name the one character between cells, such as ";" or tab')
        return value

    @field_validator("columns")
    @classmethod
    def distinct_names(cls, value: list[str] | None) -> list[str] | None:
        if value is not None and (not value or len(set(value)) < len(value)):
            raise ValueError("name every column, each by a name of its own")
        return value

    @field_validator("encoding")
    @classmethod
    def known_encoding(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                "".encode(value)
            except LookupError:
                raise ValueError(f"Python knows no text encoding `{value}`") from None
        return value


class SourceSettings(FileSettings):
    """A path alone, or with more said about it."""

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

    empty: Literal["error", "drop"] = "error"
    """Rows without text: `error` names them, `drop` leaves them out and counts them."""

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


SourceKind = Literal["file", "url", "hub"]


def kind_of(source: FileSettings) -> SourceKind:
    """What a path names."""
    if source.path.startswith("hf://"):
        return "hub"
    return "url" if "://" in source.path else "file"
