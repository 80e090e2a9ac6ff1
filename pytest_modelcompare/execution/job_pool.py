"""Trainings run at once, each begun when it is admitted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol

from pytest_modelcompare.execution.admission import Admission
from pytest_modelcompare.execution.local import LocalJob
from pytest_modelcompare.execution.orders import Ended, Tidings
from pytest_modelcompare.execution.watch import Watcher

SECONDS_BETWEEN_LOOKS = 0.1


class Runner(Protocol):
    """Makes trainings, one after the other."""

    @property
    def is_there(self) -> bool: ...

    def run(self, job: LocalJob, tell: Callable[[Tidings], None]) -> Ended: ...

    def end(self) -> None:
        """Begin to end it, whatever it does."""

    def close(self) -> None:
        """Wait until it has ended."""


def run_all(
    jobs: Sequence[LocalJob],
    start: Callable[[], Runner],
    admission: Admission,
    most: int,
    watcher: Watcher,
    late: Callable[[], bool],
) -> dict[str, Ended]:
    """Run jobs as they are admitted.

    Args:
        start: a new runner; one is kept warm ahead of its first job.
        most: jobs at once.
        late: whether no more may begin.

    Returns:
        fingerprint → what became of it; jobs that did not begin are not there.
    """
    waiting, running = deque(jobs), dict[Future[Ended], tuple[LocalJob, Runner]]()
    runners, idle, found = list[Runner](), list[Runner](), dict[str, Ended]()

    def hire() -> None:
        runners.append(start())
        idle.append(runners[-1])

    with ThreadPoolExecutor(most, thread_name_prefix="modelcompare-job") as pool:
        try:
            while running or (waiting and not late()):
                while waiting and not late() and len(running) < most and admission.admits(kind_of(waiting[0])):
                    job = waiting.popleft()
                    if not idle:
                        hire()
                    runner = idle.pop(0)
                    admission.begin(job.fingerprint, kind_of(job))
                    running[pool.submit(run_watched, job, runner, admission, watcher)] = job, runner
                    if waiting and not idle and len(running) < most:
                        hire()  # it imports what it needs while others train
                done, _ = wait(running, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
                for future in done:
                    job, runner = running.pop(future)
                    admission.end(job.fingerprint)
                    found[job.fingerprint] = future.result()
                    if runner.is_there:
                        idle.insert(0, runner)
        finally:  # also on an interrupt: threads that wait for a runner go on when it is gone
            for runner in runners:
                runner.end()
            for runner in runners:
                runner.close()
    return found


class UnmadeError(Exception):
    """Tells whoever looks on that a job ended without a run."""


def run_watched(job: LocalJob, runner: Runner, admission: Admission, watcher: Watcher) -> Ended:
    ended = Ended("left")
    try:
        with watcher.job(job.title) as progress:

            def tell(tidings: Tidings) -> None:
                admission.heard(job.fingerprint, tidings)
                progress(tidings.progress)

            ended = runner.run(job, tell)
            if ended.how in ("failed", "left"):
                raise UnmadeError
    except UnmadeError:
        pass
    return ended


def kind_of(job: LocalJob) -> str:
    """Trainings of one kind take about the same memory."""
    settings = job.spec.settings
    return ", ".join(str(getattr(settings, name, None)) for name in ("model", "max_length", "batch_size"))
