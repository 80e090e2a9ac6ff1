"""Progress: what a log gets, and what a terminal shows."""

from __future__ import annotations

import io

import pytest

from pytest_modelcompare.pytest_plugin.progress import is_watched, relayed
from pytest_modelcompare.pytest_plugin.progress_bars import BarWatcher
from pytest_modelcompare.pytest_plugin.progress_lines import LineWatcher
from pytest_modelcompare.pytest_plugin.xdist_progress import Relay
from pytest_modelcompare.records.progress import Progress


class FakeClock:
    """Each look is so many seconds later."""

    def __init__(self, step_s: float) -> None:
        self.now = 0.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.now += self.step_s
        return self.now


def test_a_log_gets_a_line_every_tenth_and_none_more_often_than_every_five_seconds():
    stream = io.StringIO()
    with LineWatcher(stream, FakeClock(1)).job("claude: answers") as tell:
        for done in range(1, 101):
            tell(Progress(done, 100, "0.01 USD"))
    said = stream.getvalue().splitlines()
    assert said[:3] == [
        "modelcompare: claude: answers …",
        "modelcompare: claude: answers: 10 of 100, 0.01 USD, 10 s, 1:30 left",
        "modelcompare: claude: answers: 20 of 100, 0.01 USD, 20 s, 1:20 left",
    ]
    assert said[-2:] == [
        "modelcompare: claude: answers: 100 of 100, 0.01 USD, 100 s",
        "modelcompare: claude: answers: done in 101.0 s",
    ]
    assert len(said) == 12


def test_a_quick_job_says_its_beginning_and_its_end():
    stream = io.StringIO()
    with LineWatcher(stream, FakeClock(0.01)).job("words: train") as tell:
        for done in range(1, 101):
            tell(Progress(done, 100))
    assert len(stream.getvalue().splitlines()) == 2


def test_a_slow_job_says_every_five_minutes_that_it_lives():
    stream = io.StringIO()
    with LineWatcher(stream, FakeClock(301)).job("llm: answers") as tell:
        for done in range(1, 4):
            tell(Progress(done, 10_000))
    assert len(stream.getvalue().splitlines()) == 5


def test_the_end_of_an_epoch_gets_a_line_whenever_it_comes():
    stream = io.StringIO()
    with LineWatcher(stream, FakeClock(1)).job("minilm: train") as tell:
        for step in range(1, 5):
            tell(Progress(step, 4, f"epoch {step // 2}", milestone=step % 2 == 0))
    assert [line for line in stream.getvalue().splitlines() if "epoch" in line] == [
        "modelcompare: minilm: train: 2 of 4, epoch 1, 2 s, 0:02 left",
        "modelcompare: minilm: train: 4 of 4, epoch 2, 4 s",
    ]


def test_what_is_left_is_told_by_this_runs_pace_where_a_training_goes_on():
    stream = io.StringIO()
    with LineWatcher(stream, FakeClock(10)).job("minilm: train") as tell:
        tell(Progress(900, 1000))
        tell(Progress(910, 1000, milestone=True))
    assert "910 of 1,000, 20 s, 1:30 left" in stream.getvalue()


def test_lines_end_pytests_line_once_and_write_it_again():
    stream = io.StringIO()
    watcher = LineWatcher(stream, FakeClock(1), unfinished=lambda: "test_a.py ..")
    with watcher.working():
        with watcher.job("words: train"):
            pass
        with watcher.job("llm: answers"):
            pass
    assert stream.getvalue().splitlines()[0] == ""
    assert stream.getvalue().count("\n\n") == 0
    assert stream.getvalue().endswith("done in 1.0 s\ntest_a.py ..")


def test_where_no_job_runs_nothing_is_written():
    for kind in (LineWatcher, BarWatcher):
        stream = io.StringIO()
        with kind(stream, unfinished=lambda: "test_a.py ..").working():
            pass
        assert stream.getvalue() == ""


def test_bars_are_gone_when_the_last_job_is_done():
    stream = io.StringIO()
    watcher = BarWatcher(stream)
    with watcher.job("minilm: train") as tell:
        tell(Progress(1, 2))
        assert watcher.bars is not None
    assert watcher.bars is None
    assert "minilm: train: " in stream.getvalue()


def test_bars_end_with_a_job_that_fails():
    watcher = BarWatcher(io.StringIO())
    with pytest.raises(ValueError, match="boom"), watcher.working(), watcher.job("minilm: train"):
        raise ValueError("boom")
    assert watcher.bars is None


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "watched"),
    [
        (FakeTerminal(), {"TERM": "xterm"}, True),
        (FakeTerminal(), {"TERM": "dumb"}, False),
        (FakeTerminal(), {"TERM": "xterm", "CI": "true"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_bars_are_for_terminals_that_somebody_looks_at(stream: io.StringIO, environment: dict[str, str], watched: bool):
    assert is_watched(stream, environment) is watched


class FakeWriter:
    """A terminal writer with dots on its line."""

    def __init__(self) -> None:
        self.text = "..."

    @property
    def width_of_current_line(self) -> int:
        return len(self.text.rpartition("\n")[2])

    def line(self, s: str = "") -> None:
        self.text += s + "\n"


def test_a_worker_says_its_progress_through_the_controller():
    writer = FakeWriter()
    relay = Relay(writer)
    watcher = relayed({"modelcompare_progress": relay.path, "workerid": "gw1"})
    with watcher.working(), watcher.job("words: train"):
        pass
    relay.close()
    assert writer.text.splitlines()[:2] == ["...", "modelcompare: [gw1] words: train …"]
    assert not relay.path.exists()


def test_a_worker_that_was_told_nothing_says_nothing():
    with relayed({"workerid": "gw0"}).job("words: train") as tell:
        tell(Progress(1, 2))
