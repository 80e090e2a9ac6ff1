"""What computes on this machine: a training and its predictions by seed, stored whole, timed and priced."""

from __future__ import annotations

import hashlib
import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.made_up import MADE_UP
from pytest_modelcompare.data.subsets import with_subset
from pytest_modelcompare.errors import DataError, ModelError
from pytest_modelcompare.extras import installed_versions
from pytest_modelcompare.gates.places import place_of
from pytest_modelcompare.inference.classifiers import softmax
from pytest_modelcompare.inference.device import machine_in_words
from pytest_modelcompare.inference.random_models import guess_note
from pytest_modelcompare.methods.base import ContestantJobs, ContestantSpec, Desk, Known, MachinePrice, Method
from pytest_modelcompare.pricing.compute import compute_cost, train_cost_usd
from pytest_modelcompare.records import Cost, Dataset, Evidence, Footprint, Outcome, Predictions, Rows, Run, Speed
from pytest_modelcompare.records.jobs import Context, Expected, Job, Kind, Place, Results, titled
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Watch, silent
from pytest_modelcompare.records.traits import Traits
from pytest_modelcompare.store.folders import StoreFolders, store_errors
from pytest_modelcompare.store.runs import RunStore
from pytest_modelcompare.store.timings import Timing

if TYPE_CHECKING:
    from pytest_modelcompare.inference.token_ids import Encoder

T = TypeVar("T", Timing, str)
SMOKE_ROWS = 64
RECORDED_PACKAGES = ("pytest-modelcompare", "torch", "transformers", "scikit-learn", "numpy")
SERVING_PACKAGES = ("onnx", "onnxruntime")
NO_COMPUTE = "say in the suite what the machine costs: `compute: {price_per_hour: 0.10, utilisation: 0.5}`"


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

    progress: Watch = silent
    smoke: bool = False
    """True: two steps on a few rows with small random weights; only whether it runs matters."""

    tokens: Path | None = None
    """A folder for tokens of texts, shared by all runs, on the disk of `folder`; None to keep none."""

    checkpoints: Path | None = None
    """This run's own folder for checkpoints, which an interrupted run left its last one in; None to keep none."""

    shared_device: bool = False
    """Whether other trainings use the device meanwhile."""

    given: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Of the contestants that it builds on: name → the results of their jobs."""


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


class LocalMethod(Method):
    """A contestant that computes on this machine: it trains (or embeds), predicts, and can be timed."""

    engine_version: ClassVar[int]
    """Raised whenever the same settings would give other predictions; part of the fingerprint."""

    serving_version: ClassVar[int] = 1
    """The same for what `serve` makes; part of its fingerprint alone, never of the training's."""

    traits: ClassVar[Traits] = Traits(trains=True, runs_here=True)
    shares_a_device: ClassVar[bool] = False
    """Whether several trainings may run on one GPU at once, each in a process of its own."""

    is_exported: ClassVar[bool] = False
    """Whether what it keeps is a model that other libraries load."""

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

    def rehearse_serving(self, settings: Any, work: Work) -> None:
        """Try, in seconds and before the training, whether `serve` will be able to serve what it makes.

        Raises:
            ModelCompareError: it will not.
        """

    def libraries(self, settings: Any) -> tuple[str, ...]:  # noqa: ARG002
        return ("torch", "transformers")

    def libraries_to_predict(self, settings: Any) -> tuple[str, ...]:
        """What a model that it kept predicts with."""
        return self.libraries(settings)

    def devices(self, settings: Any) -> tuple[str, ...]:  # noqa: ARG002
        """The kinds of device that it can predict on."""
        return ("cpu", "cuda", "mps")

    def jobs(self, spec: ContestantSpec, desk: Desk) -> ContestantJobs:
        """One run per seed, found in the store or made; in a smoke run, two steps."""
        if desk.options.smoke:
            return smoke_jobs(self, spec, desk)
        given = {name: desk.jobs_of(name).results for name in self.builds_on(spec.settings)}
        keys = {name: tuple(job.key for job in jobs) for name, jobs in given.items()}
        needs = tuple(job for jobs in given.values() for job in jobs)
        return jobs_of_orders(run_orders(spec, self, desk.dataset, desk.base, keys), needs, desk)

    def evidence(self, spec: ContestantSpec, found: Sequence[Any], known: Known) -> Evidence | None:
        runs = [one.run for one in found if isinstance(one, Obtained)]
        return evidence_of_runs(spec, self.traits, runs, known) if runs else None


@dataclass(frozen=True, slots=True)
class RunOrder:
    """One run of one seed: what a process that makes it must know."""

    spec: ContestantSpec
    method: LocalMethod
    seed: int
    fingerprint: str
    dataset: Dataset
    """With the training rows of this contestant."""

    base: Path
    training: RunOrder | None = None
    """The training that this one only serves in another form."""

    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Contestant that it builds on → the keys of its jobs."""

    @property
    def task(self) -> str:
        """E.g. "train, seed 43"."""
        seed = f", seed {self.seed}" if len(self.spec.seeds) > 1 else ""
        return ("serve" if self.training else "train" if self.method.traits.trains else "predict") + seed


@dataclass(frozen=True, slots=True)
class Obtained:
    """A run, and where it came from."""

    run: Run
    is_made: bool = False
    """Made now; False: it was in the store."""


def run_fingerprint(
    method: LocalMethod,
    spec: ContestantSpec,
    seed: int,
    data_digest: str,
    weights_digest: str,
    given: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """sha256 hex over data, settings as written, weights, engine version and seed.

    The device, precision and library versions are recorded beside the run, not
    keyed: a pull request on a CPU replays what a nightly GPU job trained. Weights
    count by content; the path they were found under does not. What only serves a
    training in another form has a name of its own, its training that of the
    contestant without: the same model served in three ways trains once.

    Args:
        given: the keys of the results that it builds on, by contestant.
    """
    settings = spec.settings.model_dump(mode="json", exclude={"seeds"})
    if weights_digest:
        settings.pop(spec.settings.main, None)
    requested = {
        "method": method.key,
        "engine": method.engine_version,
        "settings": settings,
        "seed": seed,
        "data": data_digest,
        "weights": weights_digest,
    }
    if method.trained_as(spec.settings) is not None:
        requested["serving"] = method.serving_version
    if given:
        requested["given"] = {name: list(keys) for name, keys in given.items()}
    return hashlib.sha256(json.dumps(requested, sort_keys=True).encode()).hexdigest()


def run_orders(
    spec: ContestantSpec,
    method: LocalMethod,
    dataset: Dataset,
    base: Path,
    given: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> list[RunOrder]:
    """One per seed, with the fingerprint it is stored under.

    Raises:
        DataError: there are fewer training rows than the contestant asks for.
    """
    weights = method.weights_digest(spec.settings, base)
    own = with_subset(dataset, spec.subset)
    trained_as = method.trained_as(spec.settings)
    training = None if trained_as is None else replace(spec, settings=trained_as)

    def order(spec: ContestantSpec, seed: int, training: RunOrder | None = None) -> RunOrder:
        key = run_fingerprint(method, spec, seed, own.digest, weights, given)
        return RunOrder(spec, method, seed, key, own, base, training, given)

    return [order(spec, seed, None if training is None else order(training, seed)) for seed in spec.seeds]


def jobs_of_orders(orders: Sequence[RunOrder], needs: tuple[Job[Any], ...], desk: Desk) -> ContestantJobs:
    """The trainings, what serves them in another form, and before them a rehearsal of the serving."""
    trainings = [order.training for order in orders if order.training is not None]
    found = {one.fingerprint: stored_run(one, desk.store, desk.options) for one in (*trainings, *orders)}
    rehearsal: tuple[Job[Any], ...] = ()
    if trainings and not any(found.values()):  # what was trained or served before can be served
        rehearsal = (rehearsal_job(orders[0]),)
    needs, jobs = (*needs, *rehearsal), dict[str, Job[Any]]()
    for order in (*trainings, *orders):
        its = needs if order.training is None else (jobs[order.training.fingerprint],)
        jobs[order.fingerprint] = job_of_order(order, its, found[order.fingerprint])
    return ContestantJobs((*rehearsal, *jobs.values()), tuple(jobs[order.fingerprint] for order in orders))


def job_of_order(order: RunOrder, needs: tuple[Job[Any], ...], found: Run | None) -> Job[Obtained]:
    """One run; what is stored was read when that was found out, and is handed over.

    Args:
        found: the stored run.
    """
    own_rows = order.dataset.train if order.spec.subset is not None else None
    return Job(
        order.fingerprint,
        order.task,
        Kind.TRAIN if order.training is None else Kind.SERVE,
        Place.DEVICE,
        partial(obtain, order) if found is None else partial(hand_over, found),
        needs,
        stored=found is not None,
        expected=Expected(train_rows=None if own_rows is None else len(own_rows)),
        memory_like=memory_like(order.spec) if order.method.shares_a_device and order.training is None else "",
        contestant=order.spec.name,
    )


def hand_over(run: Run, context: Context, results: Results) -> Obtained:  # noqa: ARG001
    return Obtained(run)


def memory_like(spec: ContestantSpec) -> str:
    """Trainings of one such name take about the same memory."""
    return ", ".join(str(getattr(spec.settings, name, None)) for name in ("model", "max_length", "batch_size"))


def rehearsal_job(order: RunOrder) -> Job[None]:
    key = f"rehearse:{order.fingerprint}"
    work = partial(rehearse, order)
    return Job(key, "rehearse serving", Kind.REHEARSE, Place.HERE, work, contestant=order.spec.name)


def rehearse(order: RunOrder, context: Context, results: Results) -> None:  # noqa: ARG001
    """What could not be served is refused before it is trained.

    Raises:
        ModelCompareError: it could not.
    """
    with StoreFolders(context.options.store).scratch() as scratch:
        work = Work(order.dataset, order.seed, "cpu", scratch, order.base)
        order.method.rehearse_serving(order.spec.settings, work)


def smoke_jobs(method: LocalMethod, spec: ContestantSpec, desk: Desk) -> ContestantJobs:
    """Two steps with the first seed; nothing of it is kept."""
    dataset = desk.dataset if desk.dataset.digest == MADE_UP else with_subset(desk.dataset, spec.subset)
    order = RunOrder(spec, method, spec.seeds[0], "", dataset, desk.base)
    job = Job(f"smoke:{spec.name}", "smoke", Kind.SMOKE, Place.HERE, partial(smoke, order), contestant=spec.name)
    return ContestantJobs((job,), (job,))


def smoke(order: RunOrder, context: Context, results: Results) -> tuple[str, ...]:  # noqa: ARG001
    """Run it small; what is to be said of the model that stood in.

    Raises:
        ModelCompareError: whatever would stop the real run, as far as it can be known.
    """
    method, settings = order.method, order.spec.settings
    with (
        context.watcher.job(titled(order.spec.name, "smoke")),
        StoreFolders(context.options.store).scratch() as scratch,
    ):
        work = Work(order.dataset, order.seed, context.options.device, scratch, order.base, smoke=True)
        trained_as = method.trained_as(settings)
        if trained_as is None:
            method.run(settings, work)
        else:
            trained = scratch / "trained"
            trained.mkdir()
            outcome = method.run(trained_as, replace(work, folder=trained))
            method.serve(settings, work, trained, outcome.footprint)
    model = order.spec.model
    return tuple(guess_note(model.removeprefix("local:"), order.base)) if isinstance(model, str) else ()


def stored_run(order: RunOrder, store: RunStore, options: Options) -> Run | None:
    """The run of an earlier session, or with `fresh` one that this session already made.

    What serves an older training than the store now has is out of date.
    """
    found = store.find(order.fingerprint, options.session if options.fresh else None)
    if found is not None and order.training is not None:
        trained = store.find(order.training.fingerprint)
        if trained is not None and trained.created > found.created:
            return None
    return found


def obtain(order: RunOrder, context: Context, results: Results, title: str = "") -> Obtained:
    """The stored run, or a new one.

    Args:
        title: what it is announced as, where that is not the contestant's task.
    """
    store = RunStore(StoreFolders(context.options.store), context.set_aside)
    if (found := stored_run(order, store, context.options)) is not None:
        return Obtained(found)
    trained = None if order.training is None else whole_training(order.training, store, context, results)
    given = {name: [results[key] for key in keys] for name, keys in order.given.items()}
    with context.watcher.job(title or titled(order.spec.name, order.task)) as progress:
        return make_run(order, store, context, progress, trained, given)


def whole_training(order: RunOrder, store: RunStore, context: Context, results: Results) -> Run:
    """A run whose model can be relied on: one that was damaged is put aside and made anew."""
    planned = results.get(order.fingerprint)  # none where what it is made of was stored when that was planned
    run: Run = (obtain(order, context, results) if planned is None else planned).run
    return run if store.is_whole(run) else obtain(order, context, results).run


def make_run(
    order: RunOrder,
    store: RunStore,
    context: Context,
    progress: Watch = silent,
    trained: Run | None = None,
    given: Mapping[str, Sequence[Any]] = MappingProxyType({}),
) -> Obtained:
    """Train, predict the test rows, and keep the result; if another process just did, take what it made.

    Args:
        trained: the run of `order.training`, where there is one.
        given: of the contestants that it builds on, the results.
    """
    options = context.options
    with store.lock(order.fingerprint):
        if found := stored_run(order, store, options):
            return Obtained(found)
        with checkpoints_for(order, store, options) as checkpoints, store.folders.scratch() as scratch:
            folder = scratch / "run"
            folder.mkdir()
            work = Work(
                order.dataset,
                order.seed,
                options.device,
                folder,
                order.base,
                progress,
                options.smoke,
                store.folders.tokens,
                checkpoints,
                context.shared_device,
                given,
            )
            with store_errors(store.folders.root):  # models are kept in the scratch folder while they run
                if trained is None:
                    outcome = order.method.run(order.spec.settings, work)
                else:
                    outcome = order.method.serve(order.spec.settings, work, trained.folder, trained.outcome.footprint)
            kind = outcome.device.kind if outcome.device else "cpu"
            run = Run(
                order.fingerprint,
                replace(outcome, shared_device=context.shared_device),
                order.seed,
                machine_in_words(kind),
                versions(SERVING_PACKAGES if trained else ()),
                datetime.now(UTC).isoformat(timespec="microseconds"),
                options.session,
                folder,
            )
            return Obtained(store.keep(run), is_made=True)


@contextmanager
def checkpoints_for(order: RunOrder, store: RunStore, options: Options) -> Iterator[Path]:
    """The run's folder for checkpoints; removed when it is kept or fails for good, else the next session's."""
    folder = store.folders.checkpoints / order.fingerprint
    if options.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    except ModelError:  # it would fail again, at the same step
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def versions(more: tuple[str, ...] = ()) -> Mapping[str, str]:
    """The libraries that made a run."""
    return installed_versions(RECORDED_PACKAGES + more)


def evidence_of_runs(spec: ContestantSpec, traits: Traits, runs: Sequence[Run], known: Known) -> Evidence:
    """A contestant that computed here, or on the machine whose run is stored."""
    dataset, timing, first = known.dataset, known.timing, runs[0]
    cost, because, train_cost = compute_costs(runs, known)
    return Evidence(
        spec.name,
        spec.method,
        dataset.labels,
        dataset.test.labels,
        dataset.test.groups,
        tuple(run.outcome.predictions for run in runs),
        spec.seeds,
        spec.model,
        traits=traits,
        machine=f"{first.machine}, {first.outcome.device.precision}" if first.outcome.device else first.machine,
        latencies=timing.latencies if timing else None,
        throughput=timing.throughput if timing else None,
        footprint=mean_footprint(runs),
        cost=cost,
        no_cost_because=because,
        train_cost_usd=train_cost,
        trained_on=frozenset((one.outcome.device.kind if one.outcome.device else "cpu", one.machine) for one in runs),
        shared_device=any(one.outcome.shared_device for one in runs),
        speeds={at: speed_at(found, at, known) for at, found in known.timings_at.items() if isinstance(found, Timing)},
        not_timed={at: why for at, why in known.timings_at.items() if isinstance(why, str)},
    )


def speed_at(timing: Timing, place: str, known: Known) -> Speed:
    """A timing with the cost that follows from it, at the price of its own device."""
    machine, device = known.machine_price, place_of(place).device or known.device_kind
    price = None if machine is None else machine.price_on(device)
    if machine is None or price is None or timing.throughput is None:
        because = NO_COMPUTE if machine is None else no_price(device)
        return Speed(timing.latencies, timing.throughput, timing.memory_mb, None, because)
    cost = compute_cost(timing.throughput, price, machine.utilisation)
    return Speed(timing.latencies, timing.throughput, timing.memory_mb, cost)


def no_price(device: str) -> str:
    return f"`compute: price_per_hour` names no price for {device}"


def compute_costs(runs: Sequence[Run], known: Known) -> tuple[Cost | None, str, float | None]:
    """Cost per prediction, why there is none, and the cost of every training that is paid for."""
    machine, timing = known.machine_price, known.timing
    if machine is None:
        return None, NO_COMPUTE, None
    trained = training_cost(known.trained or runs, machine)
    if timing is None or timing.throughput is None:
        return None, str(known.timings_at.get("", "it was not timed on this machine")), trained
    price = machine.price_on(known.device_kind)
    if price is None:
        return None, no_price(known.device_kind), trained
    return compute_cost(timing.throughput, price, machine.utilisation), "", trained


def training_cost(runs: Sequence[Run], machine: MachinePrice) -> float | None:
    """USD for these trainings, each at the price of the device it ran on; None where a price or a time is missing."""
    total = 0.0
    for run in runs:
        price = machine.price_on(run.outcome.device.kind if run.outcome.device else "cpu")
        seconds = run.outcome.footprint.train_seconds
        if price is None or not np.isfinite(seconds):
            return None
        total += train_cost_usd(seconds, price, machine.utilisation)
    return total


def mean_footprint(runs: Sequence[Run]) -> Footprint:
    """Means over seeds; sizes are the same for all."""
    prints = [run.outcome.footprint for run in runs]
    return Footprint(
        float(np.mean([one.train_seconds for one in prints])),
        float(np.mean([one.train_memory_mb for one in prints])),
        float(np.mean([one.inference_memory_mb for one in prints])),
        prints[0].size_mb,
        prints[0].parameters,
    )


def training_rows(work: Work) -> Rows:
    """The rows to train on; a few of every label in a smoke run.

    Raises:
        DataError: the suite names none.
    """
    train = work.dataset.train
    if train is None or len(train) == 0:
        raise DataError("there are no rows to train on", fix="name them: `data: {train: …}`")
    return few_rows(train) if work.smoke else train


def rows_to_predict(work: Work) -> Rows:
    return few_rows(work.dataset.test) if work.smoke else work.dataset.test


def validated(work: Work, predict: Callable[[Rows], Predictions]) -> Predictions | None:
    """What `predict` says of the validation rows; None where there are none."""
    rows = work.dataset.validation
    if rows is None:
        return None
    return predict(few_rows(rows) if work.smoke else rows)


def few_rows(rows: Rows) -> Rows:
    """Some rows, two per label at first, at most SMOKE_ROWS."""
    ranks = [int((rows.labels[:at] == label).sum()) for at, label in enumerate(rows.labels[:5000])]
    chosen = np.sort(np.argsort(ranks, kind="stable")[:SMOKE_ROWS])
    texts, ids = tuple(rows.texts[at] for at in chosen), tuple(rows.ids[at] for at in chosen)
    groups = None if rows.groups is None else rows.groups[chosen]
    return replace(rows, texts=texts, labels=rows.labels[chosen], ids=ids, groups=groups, columns={})


def scored(logits: NDArray[np.floating[Any]], scores_from: str) -> Predictions:
    """The label with the highest logit, and softmax scores."""
    scores = softmax(logits)
    return Predictions(logits.argmax(axis=1).astype(np.int64), scores, scores_from)


def cut_note(share: float, max_length: int) -> tuple[str, ...]:
    """Says so when texts are cut."""
    return (f"{share:.1%} of the test rows fill {max_length} tokens or are cut there",) if share else ()


@dataclass
class LocalPredictor(Predictor):
    """A function from texts to labels, with its tokenizer and the memory it took."""

    label: Callable[[Sequence[str]], object]
    encoder: Encoder | None = None
    megabytes: float = float("nan")
    batch_sizes: tuple[int, ...] = (32, 128)

    def predict(self, texts: Sequence[str]) -> object:
        return self.label(texts)

    def tokens(self, texts: Sequence[str]) -> int | None:
        return None if self.encoder is None else int(self.encoder.encode(texts).lengths.sum())

    def memory_mb(self) -> float:
        return self.megabytes
