"""`optimise:` of a prompted contestant: how much is spent on the search for a better prompt."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from pytest_modelcompare.contestants.base import Settings


class OptimiseSettings(Settings):
    """Tries prompts on training rows before a test row is asked, and keeps the best. Needs the extra `dspy`."""

    main: ClassVar[str] = ""

    trials: Annotated[int, Field(ge=2, le=200)]
    """How many prompts are tried, the one that the suite gives included."""

    rows: Annotated[int, Field(ge=2)]
    """So many training rows are held out, and every prompt is tried on them. Shots come from the others."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Starts what is drawn; with another seed the search is made anew."""
