"""A classification model as an ONNX graph: exported from torch, held against it, fused, quantised."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.onnx import OnnxClassifier, load_graph
from pytest_modelcompare.inference.onnx_rewrites import rewrite_graph
from pytest_modelcompare.inference.token_ids import Encoded, Encoder

if TYPE_CHECKING:
    import torch

TOLERANCE = 1e-3
"""Largest difference in a logit between torch and the exported graph, in parts of the largest logit."""


def export_graph(model: torch.nn.Module, encoder: Encoder, texts: Sequence[str], path: Path, where: str) -> None:
    """Write a model with a classification head as an ONNX graph that takes any number of rows and tokens.

    The graph is held against the model on rows of other shapes than it was traced with.

    Args:
        model: in fp32 on the CPU, in evaluation mode.
        texts: some rows, on which the answers are compared.

    Raises:
        ModelError: this architecture cannot be exported, or the graph answers otherwise.
    """
    import torch

    encoded = encoder.encode(probe_texts(texts))
    traced = encoder.batch(encoded, np.arange(2), "cpu")
    names = list(traced)
    axes = {name: {0: "rows", 1: "tokens"} for name in names} | {"logits": {0: "rows"}}
    try:
        with silence_exporters():
            torch.onnx.export(
                only_logits(model, names),
                tuple(traced.values()),
                str(path),
                input_names=names,
                output_names=["logits"],
                dynamic_axes=axes,
                opset_version=17,
                # the TorchScript exporter: its graphs are the ones that onnxruntime's fusions recognise
                dynamo=False,
            )
    except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
        said = str(error).strip().partition("\n")[0][:300]
        raise ModelError(f"the model cannot be exported to ONNX: {said}", where=where, fix="`serve: torch`") from error
    require_same_answers(load_graph(path, encoder, "fp32", "cpu"), model, encoded, where)


def probe_texts(texts: Sequence[str]) -> list[str]:
    """Texts of many lengths to compare on, the two traced ones first."""
    return ["a", "a longer text " * 3, *texts[:30], "the longest text " * 40]


def only_logits(model: torch.nn.Module, names: Sequence[str]) -> torch.nn.Module:
    """A module that takes the model's inputs by position and gives the logits alone."""
    import torch

    class OnlyLogits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *values: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.model(**dict(zip(names, values, strict=True))).logits
            return found

    # exporting puts back the mode that the outermost module had, and with it dropout
    return OnlyLogits().eval()


def require_same_answers(classifier: OnnxClassifier, model: torch.nn.Module, encoded: Encoded, where: str) -> None:
    """Raises ModelError where the graph, in batches and row by row, gives other logits than the model row by row."""
    import torch

    rows = range(len(encoded.lengths))
    with torch.inference_mode():
        one_by_one = [model(**classifier.encoder.batch(encoded, [row], "cpu")).logits.numpy() for row in rows]
    theirs = np.concatenate(one_by_one)
    worst = max(float(np.abs(classifier.logits(encoded, batch_size=size) - theirs).max()) for size in (1, 7))
    if not worst <= TOLERANCE * float(np.abs(theirs).max()):  # NaN is no match either
        raise ModelError(
            f"the exported graph answers otherwise than the model: a logit differs by {worst:.2g}",
            where=where,
            fix="`serve: torch`: what it computes depends on the rows that the export was traced with, or on padding",
        )


def fuse_graph(
    path: Path, model: torch.nn.Module, encoder: Encoder, texts: Sequence[str], where: str
) -> tuple[str, ...]:
    """Let onnxruntime's faster operators stand for attention and GELU, in place, and leave out what no head reads.

    Returns:
        a note where the graph then answers otherwise than the model, and so stays as it was exported.
    """
    import onnx
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions

    options, fused = FusionOptions("bert"), path.with_name("fused.onnx")
    # what these would make is slower on a CPU than what `rewrite_graph` leaves
    options.enable_skip_layer_norm = options.enable_bias_skip_layer_norm = options.enable_bias_gelu = False
    with silence_exporters():
        found = optimizer.optimize_model(str(path), model_type="bert", opt_level=0, optimization_options=options).model
    rewrite_graph(found, int(getattr(model.config, "num_attention_heads", 0)))
    onnx.save(found, str(fused))
    try:
        require_same_answers(
            load_graph(fused, encoder, "fp32", "cpu"), model, encoder.encode(probe_texts(texts)), where
        )
    except ModelError as error:
        fused.unlink()
        return (f"the graph runs as exported, slower than it might: {error.what}",)
    fused.replace(path)
    return ()


def quantise_graph(path: Path, target: Path) -> None:
    """Weights of matrix products and embeddings in int8, activations quantised as they come (dynamic quantisation).

    Source: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with silence_exporters():
        quantize_dynamic(
            str(path),
            str(target),
            weight_type=QuantType.QInt8,
            per_channel=True,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},  # of what follows onnxruntime's operators
        )


@contextmanager
def silence_exporters() -> Iterator[None]:
    """Exporters and optimisers warn about what is checked here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
