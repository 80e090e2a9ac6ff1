"""Runs jobs: each when what it needs is there, services beside the machine, timings alone and last."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.executors import Executor, LeftUndone
from pytest_modelcompare.execution.executors.here import Here
from pytest_modelcompare.records.jobs import Context, Job, Place
from pytest_modelcompare.records.progress import Watcher

SECONDS_BETWEEN_LOOKS = 0.1
"""At whether an executor has room again."""


class Owner(Protocol):
    """Whose jobs they are: told what becomes of each, from whatever thread it ran in."""

    results: dict[str, Any]
    """By key; what is there already is not run."""

    errors: dict[str, ModelCompareError]
    """By key, what jobs failed with."""

    def context(self, watcher: Watcher) -> Context:
        """What its jobs are run with."""

    def is_wanted(self, job: Job[Any]) -> bool:
        """Whether it is still worth doing."""

    def refuse_to_begin(self, job: Job[Any]) -> None:
        """Raises ModelCompareError where the job may not begin any more."""

    def job_done(self, job: Job[Any], result: Any) -> None: ...

    def job_failed(self, job: Job[Any], error: ModelCompareError) -> None: ...


@dataclass(slots=True, eq=False)
class Entry:
    """A job on the board."""

    job: Job[Any]
    owner: Owner
    is_needed: Callable[[Job[Any]], bool] = lambda _: True
    """Whether what it gives is still worth having."""

    alone: bool = False
    """Whether an executor left it: it is done here."""

    @property
    def at(self) -> tuple[int, str]:
        return id(self.owner), self.job.key

    @property
    def needs(self) -> tuple[Job[Any], ...]:
        """What it waits for the results of: nothing, where its own is stored."""
        return () if self.job.stored else self.job.needs

    @property
    def is_new_on_device(self) -> bool:
        return self.job.place is Place.DEVICE and not self.job.stored


@dataclass(slots=True)
class Board:
    """Every job of a session that is not done yet. Safe under threads."""

    waiting: list[Entry]
    running: list[Entry] = field(default_factory=list)
    open: set[tuple[int, str]] = field(init=False)
    """Owner and key of what waits or runs."""

    broken: BaseException | None = None
    """What no job may end with: it ends everything."""

    changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.open = {entry.at for entry in self.waiting}

    def take(self, wanted: Callable[[Entry], bool]) -> Entry | None:
        """The next job that may begin and is wanted; what fails with what it needed is told on the way."""
        for entry in list(self.waiting):
            if not self.is_settled(entry) and wanted(entry) and self.is_ready(entry):
                self.waiting.remove(entry)
                self.running.append(entry)
                return entry
        return None

    def is_settled(self, entry: Entry) -> bool:
        """Whether the job will not be run: its result is there, nobody wants it, or what it needs has none."""
        job, owner = entry.job, entry.owner
        lost = None
        if job.key not in owner.results and owner.is_wanted(job) and entry.is_needed(job):
            gone = (one for one in entry.needs if not self.is_open(owner, one) and one.key not in owner.results)
            lost = next(gone, None)
            if lost is None:
                return False
        self.waiting.remove(entry)
        self.open.discard(entry.at)
        if lost is not None:
            owner.job_failed(job, waited(lost, owner.errors.get(lost.key)))
        return True

    def is_open(self, owner: Owner, job: Job[Any]) -> bool:
        return (id(owner), job.key) in self.open

    def is_ready(self, entry: Entry) -> bool:
        if entry.job.place is Place.ALONE:
            return not self.running and all(one.job.place is Place.ALONE for one in self.waiting)
        return not any(self.is_open(entry.owner, one) for one in (*entry.needs, *entry.job.after))

    def is_computing(self) -> bool:
        """Whether a job runs that is no service's."""
        return any(entry.job.place is not Place.API for entry in self.running)

    def end(self, entry: Entry) -> None:
        with self.changed:
            self.running.remove(entry)
            self.open.discard(entry.at)
            self.changed.notify_all()

    def put_back(self, entry: Entry) -> None:
        with self.changed:
            self.running.remove(entry)
            entry.alone = True
            self.waiting.insert(0, entry)
            self.changed.notify_all()

    def break_with(self, error: BaseException) -> None:
        """Nothing more begins."""
        with self.changed:
            self.broken = self.broken or error
            self.changed.notify_all()


def waited(job: Job[Any], error: ModelCompareError | None) -> ModelCompareError:
    """What a job ends with that waited for one that failed, or that was not run because another one failed."""
    what = f"it waited for `{job.title}`, which failed"
    if error is None:
        return ModelCompareError(what)
    return ModelCompareError(f"{what}: {error.what}", where=error.where, fix=error.fix)


def run_jobs(entries: Iterable[Entry], executor: Executor, watcher: Watcher, stop: Callable[[], None]) -> None:
    """Run everything.

    Args:
        stop: called on an interrupt, or when something unforeseen ends a thread: no more is asked.
    """
    board = Board(list(entries))
    asking = threading.Thread(target=ask_in_turn, args=(board, watcher, stop), name="modelcompare-llm")
    try:
        asking.start()
        compute_in_turn(board, executor, watcher)
        asking.join()
    except BaseException as error:  # an interrupt must not go on spending
        stop()
        board.break_with(error)
        raise
    finally:
        executor.close()
        if asking.is_alive():
            asking.join()
    if board.broken is not None:
        raise board.broken


def ask_in_turn(board: Board, watcher: Watcher, stop: Callable[[], None]) -> None:
    """One service after the other, each with many requests in flight, beside everything else."""

    def is_asked(entry: Entry) -> bool:
        return entry.job.place is Place.API

    here = Here()
    try:
        while (entry := next_entry(board, is_asked)) is not None:
            run_here(board, entry, here, watcher)
    except BaseException as error:  # noqa: BLE001  # raised again by `run_jobs`
        stop()
        board.break_with(error)


def next_entry(board: Board, mine: Callable[[Entry], bool]) -> Entry | None:
    """The next job, waited for; None: there is none any more."""
    with board.changed:
        while board.broken is None:
            if (entry := board.take(mine)) is not None:
                return entry
            if not any(mine(one) for one in board.waiting):
                return None
            board.changed.wait(SECONDS_BETWEEN_LOOKS)
    return None


def compute_in_turn(board: Board, executor: Executor, watcher: Watcher) -> None:
    """What runs on this machine: in this thread, or where the executor takes it."""
    here = Here()

    def goes_away(entry: Entry) -> bool:
        return entry.is_new_on_device and not entry.alone and executor.takes(entry.job)

    def may_begin(entry: Entry) -> bool:
        if entry.job.place is Place.API:
            return False
        if goes_away(entry):
            return executor.has_room(entry.job)
        return not entry.is_new_on_device or not board.is_computing()  # here it has the device to itself

    while (entry := next_computed(board, may_begin)) is not None:
        if goes_away(entry):
            send_away(board, entry, executor, watcher, more=any(goes_away(one) for one in board.waiting))
        else:
            run_here(board, entry, here, watcher)


def next_computed(board: Board, may_begin: Callable[[Entry], bool]) -> Entry | None:
    """The next job of this machine, waited for; None: all of them have ended."""
    with board.changed:
        while board.broken is None:
            if (entry := board.take(may_begin)) is not None:
                return entry
            if all(one.job.place is Place.API for one in (*board.waiting, *board.running)):
                return None
            board.changed.wait(SECONDS_BETWEEN_LOOKS)
    return None


def run_here(board: Board, entry: Entry, here: Here, watcher: Watcher) -> None:
    job, owner = entry.job, entry.owner
    try:
        owner.refuse_to_begin(job)
        future = here.submit(job, owner.context(watcher), owner.results, more=False)
        owner.job_done(job, future.result())
    except ModelCompareError as error:
        owner.job_failed(job, error)
    finally:
        board.end(entry)


def send_away(board: Board, entry: Entry, executor: Executor, watcher: Watcher, *, more: bool) -> None:
    job, owner = entry.job, entry.owner
    try:
        owner.refuse_to_begin(job)
    except ModelCompareError as error:
        owner.job_failed(job, error)
        board.end(entry)
        return
    needed = {one.key: owner.results[one.key] for one in job.needs}

    def ended(future: Future[Any]) -> None:
        try:
            owner.job_done(job, future.result())
        except LeftUndone:
            board.put_back(entry)
            return
        except ModelCompareError as error:
            owner.job_failed(job, error)
        except BaseException as error:  # noqa: BLE001  # raised again by `run_jobs`
            board.break_with(error)
        board.end(entry)

    executor.submit(job, owner.context(watcher), needed, more=more).add_done_callback(ended)
