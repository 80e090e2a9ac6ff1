"""Labels and scores from a classification model as an ONNX graph, run by onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import ModelError, UnavailableError
from pytest_modelcompare.inference.device import limit_threads
from pytest_modelcompare.inference.tokens import Encoded, Encoder, by_length
from pytest_modelcompare.records import Device
from pytest_modelcompare.records.progress import Progress, Watch, silent

GRAPH = "model.onnx"
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


# read when onnxruntime is imported: its builds report their use to its maker unless told not to
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


@dataclass(frozen=True, slots=True)
class OnnxClassifier:
    """A graph with its tokenizer, in an onnxruntime session."""

    session: Any
    encoder: Encoder
    device: Device

    def logits(self, encoded: Encoded, batch_size: int = 16, watch: Watch = silent) -> NDArray[np.float32]:
        """Shape (n, n_labels), in the order given; computed in batches of similar length."""
        wanted = [one.name for one in self.session.get_inputs()]
        n, done = len(encoded.lengths), 0
        found: NDArray[np.float32] | None = None
        for rows in by_length(encoded.lengths, batch_size):
            batch = self.encoder.batch(encoded, rows, "cpu")
            (values,) = self.session.run(None, {name: batch[name].numpy() for name in wanted})
            found = np.zeros((n, values.shape[1]), np.float32) if found is None else found
            found[rows] = values
            done += len(rows)
            watch(Progress(done, n, "predict"))
        return np.zeros((0, 0), np.float32) if found is None else found

    def predict(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Label numbers, shape (n,), from text to label."""
        return np.asarray(self.logits(self.encoder.encode(texts)).argmax(axis=1), np.int64)


def require_onnxruntime() -> None:
    """Raises UnavailableError where the extra `onnx` is not installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise UnavailableError(
            f"`serve: onnx` needs {error.name}", fix="pip install 'pytest-modelcompare[onnx]'"
        ) from error


def runs_on(kind: str) -> bool:
    """Whether the installed onnxruntime can use a kind of device."""
    import onnxruntime

    return PROVIDERS.get(kind) in onnxruntime.get_available_providers()


def load(path: Path, encoder: Encoder, precision: str, kind: str) -> OnnxClassifier:
    """A graph, ready to run on as many threads as this process has cores.

    Raises:
        ModelError: onnxruntime cannot read it, or cannot run it on this kind of device.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals

    if not runs_on(kind):
        raise ModelError(f"onnxruntime cannot run on {kind} here", fix="install onnxruntime-gpu, or gate on (cpu)")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = limit_threads()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=[PROVIDERS[kind]])
    except (refusals.Fail, refusals.InvalidGraph, refusals.InvalidProtobuf, refusals.NoSuchFile) as error:
        raise ModelError(f"the graph cannot be loaded: {str(error)[:300]}", where=str(path)) from error
    return OnnxClassifier(session, encoder, Device(kind, precision, f"onnxruntime {onnxruntime.__version__}"))
