"""A suite, and the settings it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pytest_modelcompare.data.data_settings import DataSettings
from pytest_modelcompare.gates.spec import Decide, GateSpec, Undecided
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.pricing.prices import Prices

FORMAT = 1


class Part(BaseModel):
    """Base of a suite's settings; the docstrings of fields are their documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ComputeSettings(Part):
    """What the machine costs that trains and serves. Both are needed for gates on cost."""

    price_per_hour: Annotated[float, Field(ge=0)] | dict[Literal["cpu", "cuda", "mps"], Annotated[float, Field(ge=0)]]
    """USD per hour, or by device: `{cpu: 0.10, cuda: 5.40}`."""

    utilisation: Annotated[float, Field(gt=0, le=1)]
    """Share of the paid hour in which the machine works."""

    def price_on(self, device: str) -> float | None:
        """USD per hour on a device; None where the suite names none for it."""
        return self.price_per_hour.get(device) if isinstance(self.price_per_hour, dict) else self.price_per_hour  # type: ignore[call-overload]


class BudgetSettings(Part):
    """What a session may use for this suite. Without one, LLM calls for more than 1 USD are refused."""

    usd: Annotated[float, Field(ge=0)] | None = None
    """Most USD for LLM calls."""

    minutes: Annotated[float, Field(gt=0)] | None = None
    """No training is started after so many minutes."""


class PriceSettings(Part):
    """The suite's own price of a model, in USD per million tokens."""

    input: Annotated[float, Field(ge=0)]
    """Per million input tokens."""

    output: Annotated[float, Field(ge=0)]
    """Per million output tokens."""

    cache_read: Annotated[float, Field(ge=0)] | None = None
    """Per million tokens read from the prompt cache; by default as `input`."""

    cache_write: Annotated[float, Field(ge=0)] | None = None
    """Per million tokens written to the prompt cache; by default as `input`."""

    batch: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of these prices that a request costs in a batch."""

    def as_prices(self) -> Prices:
        def money(value: float | None) -> Decimal | None:
            return None if value is None else Decimal(str(value))

        return Prices(
            Decimal(str(self.input)),
            Decimal(str(self.output)),
            money(self.cache_read),
            money(self.cache_write),
            Decimal(str(self.batch)),
        )


class GateSettings(Part):
    """A gate with more said about it than its sentence."""

    gate: str | None = None
    """The sentence."""

    any_of: Annotated[list[str], Field(min_length=2)] | None = None
    """Instead of `gate`: sentences of which one must be shown to hold."""

    name: Annotated[str, Field(pattern=r"^[\w-]+$")] | None = None
    """Its id in pytest; without one, the sentence."""

    decide: Decide = "interval"
    """`point` compares the bare figures, which guarantees nothing; `next_training` claims it of the next
    trained model."""

    undecided: Undecided | None = None
    """What an undecided gate does: `fail` (default), `pass` or `warn`; the last two give up the guarantee."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)] | None = None
    """Of each one-sided bound; by default the suite's."""

    expect: float | None = None
    """The value you expect to be true: what the rows needed are worked out for."""

    marks: list[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]] = []
    """pytest markers."""

    slice: Annotated[dict[str, str | int | float], Field(min_length=1)] | None = None
    """Judge on a part of the test rows: `{length: long}` (thirds by characters: short, medium, long), or a column
    of the test rows with a value, `{language: de}`; several conditions must all hold."""

    @model_validator(mode="after")
    def one_claim(self) -> GateSettings:
        if (self.gate is None) == (self.any_of is None):
            raise ValueError("give `gate:` or `any_of:`, one of them")
        return self


class SuiteSettings(Part):
    """A suite file."""

    modelcompare: Literal[1]
    """Version of the format."""

    name: str | None = None
    """What the summary calls it; by default the file's name."""

    data: DataSettings
    """The rows."""

    defaults: dict[str, dict[str, Any]] = {}
    """Method → options that every contestant of the method starts from."""

    compute: ComputeSettings | None = None
    """What the machine costs."""

    budget: BudgetSettings | None = None
    """What a session may use."""

    prices: dict[str, PriceSettings] = {}
    """`provider:model` → its price, before the price table's."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Of each one-sided bound of a gate."""

    undecided: Undecided = "fail"
    """What an undecided gate does."""

    min_coverage: Annotated[float, Field(ge=0, le=1)] = 0.9
    """An opponent that answered a smaller share of the rows makes a comparison an error."""

    references: bool = True
    """Show what the most frequent label and plain TF-IDF reach, as two free lines of the table."""

    contestants: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]
    """Name → method and options."""

    gates: list[str | GateSettings]
    """The claims that must hold; `[]`: none, and the suite is one test that shows its table."""

    @field_validator("name")
    @classmethod
    def some_name(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("the name is empty: leave it out, and the file's name is taken")
        return value


@dataclass(frozen=True, slots=True)
class Suite:
    """A checked suite."""

    path: Path
    """The file; of a suite built in Python, a name in the folder that its relative paths start from."""

    name: str
    data: DataSettings
    contestants: Mapping[str, ContestantSpec]
    gates: tuple[GateSpec, ...]
    compute: ComputeSettings | None = None
    budget: BudgetSettings | None = None
    prices: Mapping[str, Prices] | None = None
    confidence: float = 0.95
    undecided: Undecided = "fail"
    min_coverage: float = 0.9
    references: bool = True
