"""Progress in a log: a line when a job starts, one now and then, one when it ends."""

from __future__ import annotations

import io

from pytest_modelcompare.contestants.base import Progress
from pytest_modelcompare.pytest_plugin.progress import BarWatcher, LineWatcher


class FakeClock:
    """Each look is so many seconds later."""

    def __init__(self, step_s: float) -> None:
        self.now = 0.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.now += self.step_s
        return self.now


def test_a_log_gets_a_line_every_fifteen_seconds_not_every_step():
    stream = io.StringIO()
    with LineWatcher(stream, FakeClock(6)).job("minilm: train") as tell:
        for step in range(1, 7):
            tell(Progress(step, 6, "loss 0.5"))
    assert stream.getvalue().splitlines() == [
        "",
        "modelcompare: minilm: train …",
        "modelcompare: minilm: train: 3 of 6, loss 0.5, 18 s",
        "modelcompare: minilm: train: 6 of 6, loss 0.5, 36 s",
        "modelcompare: minilm: train: done in 42.0 s",
    ]


def test_the_end_of_an_epoch_gets_a_line_whenever_it_comes():
    stream = io.StringIO()
    with LineWatcher(stream, FakeClock(1)).job("minilm: train") as tell:
        for step in range(1, 5):
            tell(Progress(step, 4, f"epoch {step // 2}", milestone=step % 2 == 0))
    assert [line for line in stream.getvalue().splitlines() if "epoch" in line] == [
        "modelcompare: minilm: train: 2 of 4, epoch 1, 2 s",
        "modelcompare: minilm: train: 4 of 4, epoch 2, 4 s",
    ]


def test_a_bar_is_gone_when_its_job_is_done():
    stream = io.StringIO()
    watcher = BarWatcher(stream)
    with watcher.job("minilm: train") as tell:
        tell(Progress(1, 2))
        assert watcher.running == 1
    assert (watcher.running, watcher.bars) == (0, None)
    assert "minilm: train: " in stream.getvalue()
