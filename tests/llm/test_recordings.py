"""A recording beside the suite: replayed without key, cost or network, made anew by a refresh, named when stale."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pytest_modelcompare.errors import LLMError, StoreError
from pytest_modelcompare.llm.answering import conversation
from pytest_modelcompare.llm.answers import LLMOptions
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.recordings import read_recording, write_recording
from tests.llm.anthropic_server import KEY
from tests.llm.test_answering import World, a_dataset, by_number, world

NAME = "answers.jsonl.gz"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def refreshed(there: World, session: str = "s1", **settings: Any) -> Path:
    there.ask(mode="refresh", session=session, recording=NAME, **settings)
    return there.folder / NAME


def with_an_empty_store(there: World) -> World:
    other = World(there.server, there.folder)
    other.journal = AnswerJournal(StoreFolders(there.folder / f"store of {there.server.calls}"))
    return other


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


@pytest.mark.parametrize("mode", ["replay", "auto"])
def test_a_recording_replays_without_key_call_or_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str):
    with world(tmp_path, by_number) as there:
        refreshed(there)
        monkeypatch.delenv("ANTHROPIC_API_KEY")
        answered = with_an_empty_store(there).ask(mode=mode, session="s2", recording=NAME)
        assert there.server.calls == 40
    assert answered.predictions.labels.tolist() == [0, 1] * 20
    assert (answered.calls, answered.usd, answered.stored) == (0, 0.0, 40)
    assert answered.latencies is not None


def test_a_line_holds_what_a_replay_needs_in_the_order_of_the_rows_and_no_secret(tmp_path: Path):
    with world(tmp_path, by_number) as there:
        path = refreshed(there)
    found = lines(path)
    assert [line["row"] for line in found] == [str(row) for row in range(40)]
    assert sorted(found[0]) == sorted(
        ["key", "row", "text_sha256", "text", "stop_reason", "usage", "latency_ms", "created", "model", "provider"]
    )
    assert KEY.encode() not in gzip.decompress(path.read_bytes())


def test_equal_answers_make_equal_bytes(tmp_path: Path):
    with world(tmp_path, by_number) as there:
        path = refreshed(there)
        first = path.read_bytes()
        there.ask(mode="refresh", recording=NAME)  # the same session: nothing is asked, the file is written again
        assert there.server.calls == 40
    assert path.read_bytes() == first
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_nearest_shots_are_recorded_so_that_a_replay_embeds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with world(tmp_path, by_number) as there:
        path = refreshed(there, shots=1, shots_by="nearest")
        assert [line["key"].partition("#")[0] for line in lines(path)[:1]] == ["shots"]

        def nothing(*_: object) -> None:
            raise AssertionError("embedded")

        monkeypatch.setattr("pytest_modelcompare.inference.ngrams.fit_ngrams", nothing)
        with_an_empty_store(there).ask(mode="replay", recording=NAME, shots=1, shots_by="nearest")


def test_a_refused_menu_is_recorded_so_that_a_replay_asks_for_the_same_free_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tests.llm.anthropic_server.LARGEST_GRAMMAR", 50)
    data = a_dataset(4, tuple(f"label{number:03d}" for number in range(80)))
    with world(tmp_path, lambda text, _: "label007") as there:
        there.ask(data, mode="refresh", recording=NAME)
        again = with_an_empty_store(there).ask(data, mode="replay", recording=NAME)
    assert again.predictions.labels.tolist() == [7] * 4


def test_the_store_comes_first(tmp_path: Path):
    with world(tmp_path, lambda text, times: "ham" if times == 0 else "spam") as there:
        refreshed(there)
        there.ask(mode="refresh", session="s2")  # without a recording: the store alone is made anew
        assert there.ask(mode="replay", session="s3", recording=NAME).predictions.labels.tolist() == [1] * 40
        alone = with_an_empty_store(there).ask(mode="replay", session="s3", recording=NAME)
    assert alone.predictions.labels.tolist() == [0] * 40


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"instructions": "Say what it is."}, r"is stale: 0 of its 40 answers fit \(the prompt is another\)"),
        ({"model": "anthropic:claude-sonnet-5"}, r"0 of its 40 answers fit \(it was recorded of anthropic:claude-haik"),
        ({"rows": 60}, r"20 of 60 answers .* holds 40 answers, all of which fit"),
        (
            {"rows": 30, "other": True},
            r"1 of 31 .*stale: 30 of its 40 answers fit \(10 are of texts that",
        ),
        ({"recording": "none.jsonl.gz"}, r"40 of 40 answers .* there is no recording none.jsonl.gz yet"),
    ],
)
@pytest.mark.parametrize("mode", ["replay", "auto"])
def test_a_recording_that_does_not_fit_is_named_and_what_is_missing_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], words: str, mode: Any
):
    change = dict(change)
    with world(tmp_path, by_number) as there:
        refreshed(there)
        monkeypatch.delenv("ANTHROPIC_API_KEY")
        rows, extra = change.pop("rows", 40), ("quite new 1",) if change.pop("other", False) else ()
        data = a_dataset(texts=tuple(f"message {number}" for number in range(rows)) + extra)
        wanted = PromptSettings(**({"model": "anthropic:claude-haiku-5-5", "recording": NAME} | change),
                                base_url=there.server.url)  # fmt: skip
        empty = AnswerJournal(StoreFolders(tmp_path / "empty"))
        with pytest.raises(LLMError, match=words):
            conversation(wanted, data, empty, tmp_path).run(LLMOptions(mode, 1.0, "s2"))
        assert there.server.calls == 40


def test_with_a_key_a_stale_recording_is_said_and_what_is_missing_is_asked(tmp_path: Path):
    with world(tmp_path, by_number) as there:
        refreshed(there)
        answered = with_an_empty_store(there).ask(recording=NAME, instructions="Say what it is.")
        assert there.server.calls == 80
    assert any("is stale: 0 of its 40 answers fit" in note for note in answered.notes)


def test_refreshes_are_counted_in_the_store_and_in_the_recording(tmp_path: Path):
    with world(tmp_path, by_number) as there:
        first = there.ask(recording=NAME)
        assert not any("asked anew" in note for note in first.notes)
        refreshed(there, "s2")
        refreshed(there, "s3")
        assert "asked anew 2 times" in there.ask(mode="replay", session="s4", recording=NAME).notes
        # a nightly job that starts with nothing but the repository goes on counting
        bare = with_an_empty_store(there)
        refreshed(bare, "s5")
        assert "asked anew 3 times" in with_an_empty_store(there).ask(mode="replay", recording=NAME).notes


def test_a_refresh_that_ends_badly_leaves_the_recording_as_it_was(tmp_path: Path):
    def answer(text: str, times: int) -> Any:
        return "ham" if times == 0 else {"status": 400, "message": "no"}

    with world(tmp_path, answer) as there:
        path = refreshed(there)
        before = path.read_bytes()
        with pytest.raises(LLMError):
            refreshed(there, "s2")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "broken", [b"{", b'{"key": "a"}', b'["key"]', b'{"key": "a", "text": 1}', b"\x1f\x8b\x08torn", b"[" * 200_000]
)
def test_a_broken_recording_is_named_with_its_line(tmp_path: Path, broken: bytes):
    path = tmp_path / "a.jsonl"
    path.write_bytes(broken)
    with pytest.raises(StoreError, match="recording"):
        read_recording(path)


LINE = {
    "key": "k", "text": "ham", "stop_reason": "end_turn", "latency_ms": 1, "created": "2026-01-01", "provider": "p",
    "model": "m", "row": "1", "text_sha256": "x", "usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"usage": {"input_tokens": -1, "output_tokens": 1}}, "no count of tokens"),
        ({"usage": {"input_tokens": "many", "output_tokens": 1}}, "no count of tokens"),
        ({"created": "yesterday"}, "yesterday"),
    ],
)
def test_a_line_whose_numbers_are_none_is_no_answer(tmp_path: Path, change: dict[str, Any], words: str):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(LINE))
    assert read_recording(path) is not None
    path.write_text(json.dumps({**LINE, **change}))
    with pytest.raises(StoreError, match=words):
        read_recording(path)


def test_a_recordings_folder_is_made_where_there_is_none(tmp_path: Path):
    write_recording(tmp_path / "recordings" / NAME, {"a#b": {"rows": []}})
    assert read_recording(tmp_path / "recordings" / NAME) == {"a#b": {"rows": []}}


def test_a_recording_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / NAME
    write_recording(path, {"a#b": {"rows": []}})
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("pytest_modelcompare.store.recordings.os.fsync", full)
    with pytest.raises(StoreError, match="no space"):
        write_recording(path, {})
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [NAME]
