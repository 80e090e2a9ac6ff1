"""What the settings of every method, and of its parts, have in common."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class NotYet:
    """Marks a setting (as `Annotated` metadata) that the format knows and this version refuses."""


class Settings(BaseModel):
    """The settings of one method. Field docstrings feed docs, schema and editor help."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    main: ClassVar[str]
    """The field that the value beside the method's key fills: `fine_tune: MODEL` fills `model`."""
