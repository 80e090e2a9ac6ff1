"""`fine_tune: MODEL`: train all weights of a pretrained encoder with a classification head."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pytest_modelcompare.contestants.base import NotYet, Settings


class FineTuneSettings(Settings):
    """All weights are trained; any model with a sequence-classification head."""

    main: ClassVar[str] = "model"

    model: str = Field(min_length=1)
    """Hub id[@revision], a path, or `package:MODULE/SUBPATH` (weights inside an installed package)."""

    epochs: float = Field(default=3, gt=0, le=1000)
    """Passes over the training rows; may be a fraction."""

    learning_rate: float = Field(default=5e-5, gt=0, le=1)
    """The highest learning rate, reached after warm-up; decays linearly to 0."""

    batch_size: int = Field(default=32, ge=1, le=65536)
    """Training rows per step."""

    max_length: int | None = Field(default=None, ge=4)
    """Texts are cut at this many tokens; by default the model's limit, at most 512."""

    warmup: float = Field(default=0.06, ge=0, lt=1)
    """Share of the steps over which the learning rate rises from 0."""

    weight_decay: float = Field(default=0.01, ge=0, le=1)
    """AdamW's decay; biases and norms are spared."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto` takes bf16 where a short probe shows that it pays."""

    seeds: list[int] = Field(default=[42], min_length=1)
    """One training per seed. With three or more, gates are about the recipe's mean."""

    weights: Literal["safetensors", "pickle"] = "safetensors"
    """`pickle` also accepts weights in torch's own format, read with `weights_only=True`."""

    serve: Annotated[Literal["torch", "onnx", "onnx-int8"], NotYet()] = "torch"
    """What predicts: torch, or the model exported to ONNX."""

    head: Annotated[Literal["classification", "text_to_text"], NotYet()] = "classification"
    """A classification head, or the label's name as generated text."""

    prefix: Annotated[str | None, NotYet()] = None
    """Put before every text, e.g. a task name for T5."""

    early_stopping: Annotated[int | None, NotYet()] = None
    """Stop after this many epochs without a better validation loss."""
