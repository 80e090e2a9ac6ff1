"""What every method of contesting says of itself, and what it is handed to work with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_modelcompare.records.progress import Progress, silent
from pytest_modelcompare.settings import Settings

if TYPE_CHECKING:
    from pytest_modelcompare.data.subsets import Subset
    from pytest_modelcompare.records import Dataset, Footprint, Outcome


@dataclass(frozen=True, slots=True)
class Work:
    """What a local method works on."""

    dataset: Dataset
    seed: int
    device: str
    """auto, cpu, cuda or mps, as requested."""

    folder: Path
    """An empty folder; what is written to `folder/"model"` is kept with the run."""

    base: Path
    """The suite's folder: relative model paths start here."""

    progress: Callable[[Progress], None] = silent
    smoke: bool = False
    """True: two steps on a few rows with small random weights; only whether it runs matters."""

    tokens: Path | None = None
    """A folder for tokens of texts, shared by all runs, on the disk of `folder`; None to keep none."""

    checkpoints: Path | None = None
    """This run's own folder for checkpoints, which an interrupted run left its last one in; None to keep none."""

    shared_device: bool = False
    """Whether other trainings use the device meanwhile."""


class Predictor(ABC):
    """A trained model in memory, for timing."""

    @abstractmethod
    def predict(self, texts: Sequence[str]) -> object:
        """Label the texts from text to label, tokenising included; synchronised when it returns."""

    def tokens(self, texts: Sequence[str]) -> int | None:  # noqa: ARG002
        """Tokens in the texts without padding; None without a tokenizer."""
        return None

    def memory_mb(self) -> float:
        """Memory that this model's weights and work space take, in 2**20 bytes; NaN if unknown."""
        return float("nan")

    batch_sizes: tuple[int, ...] = (32, 128)
    """What throughput is tried with."""


class LocalMethod(ABC):
    """A contestant that computes on this machine: it trains (or embeds), predicts, and can be timed."""

    key: ClassVar[str]
    """The method's key in a suite."""

    engine_version: ClassVar[int]
    """Raised whenever the same settings would give other predictions; part of the fingerprint."""

    serving_version: ClassVar[int] = 1
    """The same for what `serve` makes; part of its fingerprint alone, never of the training's."""

    settings: ClassVar[type[Settings]]
    trains: ClassVar[bool] = True

    @abstractmethod
    def weights_digest(self, settings: Any, base: Path) -> str:
        """What identifies the weights started from, cheap to compute; "" for methods without any.

        For a folder: sha256 over names and contents of config, tokenizer and weight files. Must not import torch.
        """

    @abstractmethod
    def run(self, settings: Any, work: Work) -> Outcome:
        """Train where the method trains, predict `work.dataset.test`, keep the model under `work.folder`."""

    @abstractmethod
    def load(self, folder: Path, settings: Any, work: Work) -> Predictor:
        """The model that `run` or `serve` kept in `folder`, ready to be timed."""

    def trained_as(self, settings: Any) -> Any | None:  # noqa: ARG002
        """The settings of the training that these only serve in another form; None where they train themselves."""
        return None

    def serve(self, settings: Any, work: Work, trained: Path, footprint: Footprint) -> Outcome:
        """Predict `work.dataset.test` with another form of the model in `trained`, and keep it under `work.folder`.

        Args:
            trained: the folder that `run` with the settings `trained_as` filled.
            footprint: what that training took.
        """
        raise NotImplementedError

    def rehearse_serving(self, settings: Any, work: Work) -> None:  # noqa: B027
        """Try, in seconds and before the training, whether `serve` will be able to serve what it makes.

        Raises:
            ModelCompareError: it will not.
        """

    def libraries(self, settings: Any) -> tuple[str, ...]:  # noqa: ARG002
        """What it computes with, of the libraries that extras install; a stored run is replayed without them."""
        return ("torch", "transformers")

    def libraries_to_predict(self, settings: Any) -> tuple[str, ...]:
        """What a model that it kept predicts with."""
        return self.libraries(settings)

    def devices(self, settings: Any) -> tuple[str, ...]:  # noqa: ARG002
        """The kinds of device that it can predict on."""
        return ("cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True)
class ContestantSpec:
    """One contestant as the suite names it."""

    name: str
    method: str
    settings: Settings
    seeds: tuple[int, ...] = (0,)
    line: int = 0
    column: int = 0
    """Where the suite names it, 1-based; 0 in suites made in Python."""

    subset: Subset | None = None
    """How much of the training rows it learns from; None: all."""

    members: tuple[str, ...] = ()
    """Of a sweep: its members' names. The plain name stands for the one best on validation."""

    member_of: str | None = None
    """The sweep's plain name, of a member."""

    extra: Mapping[str, Any] = field(default_factory=dict)
