"""The options of `fine_tune: MODEL`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from pytest_modelcompare.contestants.base import Settings


class FineTuneSettings(Settings):
    """All weights are trained; any model with a sequence-classification head."""

    main: ClassVar[str] = "model"

    model: str = Field(min_length=1)
    """Hub id[@revision], a path, or `package:MODULE/SUBPATH` (weights inside an installed package)."""

    epochs: float = Field(default=3.0, gt=0, le=1000)
    """Passes over the training rows; may be a fraction."""

    learning_rate: float = Field(default=5e-5, gt=0, le=1)
    """The highest learning rate, reached after the warm-up."""

    batch_size: int = Field(default=32, ge=1, le=65536)
    """Training rows per batch. What is computed at once is smaller where memory does not suffice."""

    gradient_accumulation: int = Field(default=1, ge=1, le=65536)
    """Batches per optimiser step: their gradients are summed, as if they were one batch."""

    schedule: Literal["linear", "cosine", "constant"] = "linear"
    """How the learning rate goes on after the warm-up: down to 0 in a line or in half a cosine, or not at all."""

    max_length: int | None = Field(default=None, ge=4)
    """Texts are cut at this many tokens; by default the model's limit, at most 512."""

    warmup: float = Field(default=0.06, ge=0, lt=1)
    """Share of the steps over which the learning rate rises from 0."""

    weight_decay: float = Field(default=0.01, ge=0, le=1)
    """AdamW's decay; biases and norms are spared."""

    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of every row's target that is spread over all labels."""

    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(gt=0)]] | None = None
    """What a row's loss counts, by its label: `balanced` makes all labels count the same, as in scikit-learn; or a
    weight by label name, 1 where none is given."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """`auto` takes bf16 where a short probe shows that it pays, and fp16 on a CUDA device that has no bf16. Where the
    loss becomes no number, training begins once more in fp32."""

    seeds: list[int] = Field(default=[42], min_length=1)
    """One training per seed. With three or more, gates are about the recipe's mean."""

    weights: Literal["safetensors", "pickle"] = "safetensors"
    """`pickle` also accepts weights in torch's own format, read with `weights_only=True`."""

    serve: Literal["torch", "onnx", "onnx-int8"] = "torch"
    """What predicts, and is judged: torch, or the model exported to ONNX and run by onnxruntime, in fp32 or with int8
    weights (dynamic quantisation). Needs the extra `onnx`. Contestants that differ in this alone train once."""

    head: Literal["classification", "text_to_text"] = "classification"
    """A classification head, or (encoder-decoders) the label's name as generated text, scored by its likelihood."""

    prefix: str | None = Field(default=None, min_length=1)
    """Put before every text with a space between, e.g. a task name for T5."""

    early_stopping: int | None = Field(default=None, ge=1)
    """Stop after this many epochs without a better validation loss, and keep the weights with the best one."""

    @model_validator(mode="after")
    def a_graph_needs_a_head_that_classifies(self) -> Self:
        """Said before anything is trained: generating a label is a loop, and no graph of one pass."""
        if self.serve != "torch" and self.head != "classification":
            raise ValueError(f"`serve: {self.serve}` exports classification heads: leave `head` out, or `serve: torch`")
        return self

    @field_validator("seeds")
    @classmethod
    def each_seed_once(cls, seeds: list[int]) -> list[int]:
        """One training counted twice would pass for no variance between trainings."""
        if len(set(seeds)) < len(seeds):
            raise ValueError("every seed once: a repeated one trains the same model again")
        if any(not 0 <= seed < 2**63 for seed in seeds):
            raise ValueError("seeds lie between 0 and 2**63 - 1")
        return seeds
