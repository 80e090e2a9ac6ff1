"""Files of every format are the same rows; a broken one is said in words, with the place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from pytest_modelcompare.data.settings import DataSettings, SourceSettings
from pytest_modelcompare.data.sources import source_table
from pytest_modelcompare.data.table import read_table
from pytest_modelcompare.errors import DataError

ROWS = [("hello, you", "1"), ("line\nbreak", "2"), ("café 🙂", "1")]


def csv_bytes() -> bytes:
    return 'text,label\n"hello, you",1\n"line\nbreak",2\ncafé 🙂,1\n'.encode()


def tsv_bytes() -> bytes:
    return 'text\tlabel\nhello, you\t1\n"line\nbreak"\t2\ncafé 🙂\t1\n'.encode()


def jsonl_bytes() -> bytes:
    return "\n".join(json.dumps({"text": text, "label": int(label)}) for text, label in ROWS).encode()


def parquet_bytes() -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": [text for text, _ in ROWS], "label": [float(label) for _, label in ROWS]}), buffer)
    return buffer.getvalue()


FORMATS = {"csv": csv_bytes, "tsv": tsv_bytes, "jsonl": jsonl_bytes, "parquet": parquet_bytes}


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_holds_the_same_rows(tmp_path: Path, suffix: str, gzipped: bool):
    content = FORMATS[suffix]()
    path = tmp_path / f"rows.{suffix}{'.gz' if gzipped else ''}"
    path.write_bytes(gzip.compress(content) if gzipped else content)
    table = read_table(path)
    assert list(zip(table.column("text"), table.column("label"), strict=True)) == ROWS


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbftext,label\na,b\n")
    assert read_table(tmp_path / "a.csv").column("text") == ["a"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"text,label\n", "has a header and no rows"),
        ("a.csv", b"text,label\na,b,c\n", "line 2 has 3 cells, the header has 2"),
        ("a.csv", b"text,text\na,b\n", "two columns are named `text`"),
        ("a.csv", b"text,label\na,\xe9\n", "byte 0xe9 at position 13 \\(line 2\\) is no UTF-8"),
        ("a.jsonl", b'{"text": 1}\n{"text"\n', "line 2 is no JSON"),
        ("a.jsonl", b"[1]\n", "line 1 is no JSON object"),
        ("a.parquet", b"PAR1", "is no parquet file"),
        ("a.csv.gz", b"plain", "is no whole gzip file"),
        ("a.pkl", b"x", "unknown format `.pkl`"),
    ],
)
def test_a_broken_file_is_said_in_words(tmp_path: Path, name: str, content: bytes, words: str):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_table(tmp_path / name)


def test_a_missing_column_names_the_nearest(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes(csv_bytes())
    with pytest.raises(DataError, match="did you mean `label`"):
        read_table(tmp_path / "a.csv").column("labell")


def a_dataset_folder(folder: Path) -> Path:
    import datasets

    names = datasets.ClassLabel(names=["ham", "spam"])
    features = datasets.Features({"text": datasets.Value("string"), "label": names})
    made = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
    datasets.DatasetDict({"train": made, "test": made.select([0])}).save_to_disk(str(folder / "saved"))
    return folder / "saved"


def test_a_datasets_folder_gives_class_labels_by_name(tmp_path: Path):
    a_dataset_folder(tmp_path)
    table = source_table(SourceSettings(path="saved", split="train"), tmp_path, tmp_path)
    assert table.column("label") == ["spam", "ham"]


def test_a_split_must_be_chosen_where_there_are_several(tmp_path: Path):
    a_dataset_folder(tmp_path)
    with pytest.raises(DataError, match="choose one of train, test"):
        source_table("saved", tmp_path, tmp_path)


def test_the_hub_reader_takes_a_local_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.csv").write_text("text,label\na,x\nb,y\n")
    table = source_table(f"hf://{tmp_path / 'set'}:train", tmp_path, tmp_path)
    assert table.column("text") == ["a", "b"]


def test_a_changed_file_is_refused_by_its_digest(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes(csv_bytes())
    with pytest.raises(DataError, match="the content has changed"):
        source_table(SourceSettings(path="a.csv", sha256="0" * 64), tmp_path, tmp_path)


def test_settings_read_codes_names_and_descriptions():
    assert DataSettings(labels={1: "World", 2: "Sports"}).codes == {"1": "World", "2": "Sports"}
    assert DataSettings(labels={"ham": "wanted"}).descriptions == {"ham": "wanted"}
    assert DataSettings(labels=["b", "a"]).label_names == ("b", "a")
