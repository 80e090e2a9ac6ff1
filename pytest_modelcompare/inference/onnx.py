"""Labels and scores from a classification model as an ONNX graph, run by onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.device import limit_threads
from pytest_modelcompare.inference.token_ids import Encoded, Encoder, batches_by_length
from pytest_modelcompare.records import Device
from pytest_modelcompare.records.progress import Progress, Watch, silent

GRAPH = "model.onnx"
TOKENS = 512
"""In a batch: what a layer makes of so many stays in the cache of a CPU's core, and padding is little."""

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


# read when onnxruntime is imported: its builds report their use to its maker unless told not to
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


@dataclass(frozen=True, slots=True)
class OnnxClassifier:
    """A graph with its tokenizer, in onnxruntime sessions."""

    session: Any
    """Shares every product among all threads: the least time for a few rows."""

    encoder: Encoder
    device: Device
    threads: int = 1
    single: Callable[[], Any] | None = None
    """A session that computes on the thread that calls it, made when first asked for. Several batches at once, each on
    a thread of its own, take less time than one after the other on all: threads wait for each other after every
    product."""

    def logits(self, encoded: Encoded, batch_size: int = 64, watch: Watch = silent) -> NDArray[np.float32]:
        """Shape (n, n_labels), in the order given; computed in batches of similar length.

        Raises:
            ModelError: onnxruntime refuses to compute the graph.
        """
        n, done = len(encoded.lengths), 0
        batches = batches_by_length(encoded.lengths, batch_size, TOKENS)
        found: NDArray[np.float32] | None = None
        for rows, values in zip(batches, self.compute_batches(encoded, batches), strict=True):
            found = np.zeros((n, values.shape[1]), np.float32) if found is None else found
            found[rows] = values
            done += len(rows)
            watch(Progress(done, n, "predict"))
        return np.zeros((0, 0), np.float32) if found is None else found

    def compute_batches(self, encoded: Encoded, batches: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.float32]]:
        """The logits of every batch, in their order."""
        if self.single is None or len(batches) <= 2 * self.threads:
            yield from (self.batch_logits(self.session, encoded, rows) for rows in batches)
            return
        with ThreadPoolExecutor(self.threads, thread_name_prefix="modelcompare-onnx") as pool:
            yield from pool.map(partial(self.batch_logits, self.single(), encoded), batches)

    def batch_logits(self, session: Any, encoded: Encoded, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        from onnxruntime.capi import onnxruntime_pybind11_state as refusals

        batch = self.encoder.batch(encoded, rows, "cpu")
        try:
            (values,) = session.run(None, {one.name: batch[one.name].numpy() for one in session.get_inputs()})
        except (refusals.Fail, refusals.InvalidArgument, refusals.RuntimeException) as error:
            raise ModelError(f"the graph cannot be computed: {str(error)[:300]}") from error
        return np.asarray(values, np.float32)

    def predict(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Label numbers, shape (n,), from text to label."""
        return np.asarray(self.logits(self.encoder.encode(texts)).argmax(axis=1), np.int64)


def runs_on(kind: str) -> bool:
    """Whether the installed onnxruntime can use a kind of device."""
    import onnxruntime

    return PROVIDERS.get(kind) in onnxruntime.get_available_providers()


def load_graph(path: Path, encoder: Encoder, precision: str, kind: str) -> OnnxClassifier:
    """A graph, ready to run on as many threads as this process has cores.

    Raises:
        ModelError: onnxruntime cannot read it, or cannot run it on this kind of device.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals

    if not runs_on(kind):
        raise ModelError(f"onnxruntime cannot run on {kind} here", fix="install onnxruntime-gpu, or gate on (cpu)")

    def open_session(threads: int) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(str(path), options, providers=[PROVIDERS[kind]])
        except (refusals.Fail, refusals.InvalidGraph, refusals.InvalidProtobuf, refusals.NoSuchFile) as error:
            raise ModelError(f"the graph cannot be loaded: {str(error)[:300]}", where=str(path)) from error

    threads, device = limit_threads(), Device(kind, precision, f"onnxruntime {onnxruntime.__version__}")
    several = kind == "cpu" and threads > 1
    return OnnxClassifier(
        open_session(threads), encoder, device, threads, cache(partial(open_session, 1)) if several else None
    )
