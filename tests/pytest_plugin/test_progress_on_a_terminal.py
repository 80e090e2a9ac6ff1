"""Bars on a real pseudo-terminal, as the terminal shows them: pyte plays the terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
import textwrap

import pytest

pyte = pytest.importorskip("pyte", reason="needs the extra `test` (pyte)")

CONFTEST = """
    import threading, time
    import pytest
    from pytest_modelcompare.pytest_plugin.session import SESSION
    from pytest_modelcompare.records.progress import Progress

    @pytest.fixture
    def jobs(request):
        watcher = request.config.stash[SESSION].watcher
        both = threading.Barrier(2)

        def job(title, total, note):
            with watcher.job(title) as tell:
                tell(Progress(0, total, note))
                time.sleep(0.05)
                tell(Progress(total // 2, total, note))
                both.wait()
                print("printed by a library")
                time.sleep(0.4)  # several pictures of both
                both.wait()

        with watcher.working():
            one = threading.Thread(target=job, args=("minilm: train, seed 42", 300, "epoch 2 of 3, loss 0.412"))
            one.start()
            job("claude: answers", 3080, "0.0123 USD")
            one.join()
"""
TESTS = """
    def test_first(): pass
    def test_jobs(jobs): pass
    def test_last(): pass
"""


def seen(columns: int, *arguments: str, **environment: str) -> tuple[list[list[str]], str]:
    """Runs pytest in a terminal.

    Returns:
        every picture of it, as lines; what was written, as it was.
    """
    screen = pyte.Screen(columns, 40)
    stream = pyte.ByteStream(screen)
    child, terminal = pty.fork()
    if child == 0:
        known = {name: text for name, text in os.environ.items() if name not in ("CI", "NO_COLOR", "COLUMNS")}
        plain = {"TERM": "xterm-256color", "PYTHONPATH": os.pathsep.join(sys.path)}
        command = ["-m", "pytest", "--modelcompare", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
        os.execve(sys.executable, [sys.executable, *command], {**known, **plain, **environment})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    pictures, written = [], b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        written += part
        stream.feed(part)
        pictures.append([line.rstrip() for line in screen.display if line.strip()])
    os.waitpid(child, 0)
    os.close(terminal)
    return pictures, written.decode()


@pytest.fixture
def world(tmp_path, monkeypatch):
    (tmp_path / "conftest.py").write_text(textwrap.dedent(CONFTEST))
    (tmp_path / "test_a.py").write_text(textwrap.dedent(TESTS))
    monkeypatch.chdir(tmp_path)


def with_both(pictures: list[list[str]]) -> list[str]:
    """The lines of the first picture in which both jobs have told how far they are."""
    for picture in pictures:
        if all(any(job in line and " left" in line for line in picture) for job in ("minilm: train", "claude")):
            return picture
    raise AssertionError(pictures[-1])


@pytest.mark.usefixtures("world")
def test_two_jobs_stand_below_each_other_and_leave_pytests_lines_whole():
    pictures, written = seen(80)
    minilm, claude = with_both(pictures)[-2:]
    assert minilm.startswith("  minilm: train, seed 42 ")
    assert "50%" in minilm
    assert minilm.endswith("epoch 2 of 3, loss 0.412")
    assert claude.endswith("0.0123 USD")
    end = pictures[-1]
    dots = next(number for number, line in enumerate(end) if line.startswith("test_a.py"))
    assert end[dots].split() == ["test_a.py", "...", "[100%]"]
    assert len(end[dots]) == 80 - 1
    assert sorted(line.split(":")[0].strip() for line in end[dots - 2 : dots]) == ["claude", "minilm"]
    assert "printed by a library" not in written


@pytest.mark.usefixtures("world")
def test_verbose_names_its_test_again_and_no_colour_means_none():
    pictures, written = seen(200, "-v", NO_COLOR="1")
    minilm = with_both(pictures)[-2]
    assert "150/300" in minilm
    assert "0:00:0" in minilm
    (line,) = [line for line in pictures[-1] if line.startswith("test_a.py::test_jobs")]
    assert line.split()[1] == "PASSED"
    assert "\x1b[3" not in written  # no foreground colour


@pytest.mark.usefixtures("world")
def test_with_s_what_is_printed_stands_above():
    pictures, _ = seen(80, "-s", "-q")
    assert [line for line in pictures[-1] if "library" in line] == ["printed by a library"] * 2


@pytest.mark.usefixtures("world")
def test_no_time_is_yellow_which_a_light_background_swallows():
    pictures, written = seen(200)
    assert "0:00:0" in with_both(pictures)[-2]
    assert "\x1b[33m" not in written
