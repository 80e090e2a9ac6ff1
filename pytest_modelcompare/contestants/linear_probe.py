"""`linear_probe: ENCODER`: frozen embeddings and a logistic regression."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from pytest_modelcompare.contestants.base import Settings


class LinearProbeSettings(Settings):
    """The encoder is frozen; only a logistic regression on its embeddings is trained."""

    main: ClassVar[str] = "model"

    model: str = Field(min_length=1)
    """Hub id[@revision], a path, or `package:MODULE/SUBPATH` (weights inside an installed package)."""

    pooling: Literal["auto", "mean", "cls"] = "auto"
    """How token vectors become one: `auto` does as the model's own `1_Pooling/config.json` says, else the mean."""

    C: float = Field(default=10.0, gt=0)
    """Inverse strength of the L2 penalty, as in scikit-learn's LogisticRegression."""

    max_length: int | None = Field(default=None, ge=4)
    """Texts are cut at this many tokens; by default the model's limit, at most 512."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto` takes bf16 where a short probe shows that it pays."""

    weights: Literal["safetensors", "pickle"] = "safetensors"
    """`pickle` also accepts weights in torch's own format, read with `weights_only=True`."""
