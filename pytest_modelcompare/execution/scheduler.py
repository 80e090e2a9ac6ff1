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
    alone: bool = False
    """Whether an executor left it: it is done here."""


@dataclass(slots=True)
class Board:
    """Every job of a session that is not done yet. Safe under threads."""

    waiting: list[Entry]
    running: list[Entry] = field(default_factory=list)
    ended: set[tuple[int, str]] = field(default_factory=set)
    """Owner and key of what is done, failed or not wanted."""

    broken: BaseException | None = None
    """What no job may end with: it ends everything."""

    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, wanted: Callable[[Entry], bool]) -> Entry | None:
        """The next job that may begin and is wanted; what fails with what it needed is told on the way."""
        for entry in list(self.waiting):
            if self.settled(entry) or not wanted(entry) or not self.is_ready(entry):
                continue
            self.waiting.remove(entry)
            self.running.append(entry)
            return entry
        return None

    def settled(self, entry: Entry) -> bool:
        """Whether the job will not be run: its result is there, nobody wants it, or what it needs failed."""
        job, owner = entry.job, entry.owner
        if job.key in owner.results or not owner.is_wanted(job):
            self.drop(entry)
        elif not job.stored and (lost := next((one for one in job.needs if self.is_lost(owner, one)), None)):
            self.drop(entry)
            owner.job_failed(job, Waited(lost))
        else:
            return False
        return True

    def is_lost(self, owner: Owner, job: Job[Any]) -> bool:
        return (id(owner), job.key) in self.ended and job.key not in owner.results

    def is_ready(self, entry: Entry) -> bool:
        job, owner = entry.job, entry.owner
        if job.place is Place.ALONE:
            return not self.running and all(one.job.place is Place.ALONE for one in self.waiting)
        pending = {(id(one.owner), one.job.key) for one in (*self.waiting, *self.running)}
        needs = () if job.stored else job.needs
        return not any((id(owner), one.key) in pending for one in (*needs, *job.after))

    def drop(self, entry: Entry) -> None:
        self.waiting.remove(entry)
        self.ended.add((id(entry.owner), entry.job.key))

    def has(self, wanted: Callable[[Entry], bool]) -> bool:
        return any(wanted(entry) for entry in (*self.waiting, *self.running))

    def end(self, entry: Entry) -> None:
        with self.changed:
            self.running.remove(entry)
            self.ended.add((id(entry.owner), entry.job.key))
            self.changed.notify_all()

    def put_back(self, entry: Entry) -> None:
        with self.changed:
            self.running.remove(entry)
            entry.alone = True
            self.waiting.insert(0, entry)
            self.changed.notify_all()


class Waited(ModelCompareError):
    """What a job ends with that waited for one that failed.

    Args:
        job: the one that it waited for.
    """

    def __init__(self, job: Job[Any]) -> None:
        super().__init__(f"it waited for `{job.title}`, which failed")
        self.job = job


def run_jobs(entries: Iterable[Entry], executor: Executor, watcher: Watcher, stop: Callable[[], None]) -> None:
    """Run everything.

    Args:
        stop: called on an interrupt, or when something unforeseen ends a thread: no more is asked.
    """
    board = Board(list(entries))
    asking = threading.Thread(target=ask_in_turn, args=(board, watcher, stop), name="modelcompare-llm")
    asking.start()
    try:
        compute_in_turn(board, executor, watcher)
    except BaseException as error:  # an interrupt must not go on spending
        stop()
        with board.changed:
            board.broken = board.broken or error
            board.changed.notify_all()
        raise
    finally:
        executor.close()
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
        with board.changed:
            board.broken = board.broken or error
            board.changed.notify_all()


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
    away = 0

    def goes_away(entry: Entry) -> bool:
        return (
            entry.job.place is Place.DEVICE and not entry.alone and not entry.job.stored and executor.takes(entry.job)
        )

    def may_begin(entry: Entry) -> bool:
        if entry.job.place is Place.API:
            return False
        if goes_away(entry):
            return executor.has_room(entry.job)
        return not entry.alone or not board.running or all(one.job.place is Place.API for one in board.running)

    while True:
        with board.changed:
            if board.broken is not None:
                return
            entry = board.take(may_begin)
            if entry is None:
                if not board.has(lambda one: one.job.place is not Place.API) and not board.waiting:
                    return
                if not any(one.job.place is not Place.API for one in (*board.waiting, *board.running)):
                    return
                board.changed.wait(SECONDS_BETWEEN_LOOKS)
                continue
        if goes_away(entry):
            away += 1
            more = any(goes_away(one) for one in board.waiting)
            send_away(board, entry, executor, watcher, more=more)
        else:
            run_here(board, entry, here, watcher)


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
            board.broken = board.broken or error
        board.end(entry)

    executor.submit(job, owner.context(watcher), needed, more=more).add_done_callback(ended)
