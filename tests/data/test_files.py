"""Files of every format are the same rows; a broken one is said in words, with the place."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import lzma
import math
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_modelcompare import extras
from pytest_modelcompare.data.data_settings import DataSettings, SourceSettings
from pytest_modelcompare.data.delimited import OtherSeparator, from_delimited
from pytest_modelcompare.data.sources import source_table
from pytest_modelcompare.data.text_table import Table, cell_text
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.extras import NotInstalledError

ROWS = [("hello, you", "1"), ("line\nbreak", "2"), ("café 🙂", "1")]


def csv_bytes() -> bytes:
    return 'text,label\n"hello, you",1\n"line\nbreak",2\ncafé 🙂,1\n'.encode()


def tsv_bytes() -> bytes:
    return 'text\tlabel\nhello, you\t1\n"line\nbreak"\t2\ncafé 🙂\t1\n'.encode()


def jsonl_bytes() -> bytes:
    return "\n".join(json.dumps({"text": text, "label": int(label)}) for text, label in ROWS).encode()


def json_bytes() -> bytes:
    return json.dumps([{"text": text, "label": int(label)} for text, label in ROWS], indent=1).encode()


def parquet_bytes() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": [text for text, _ in ROWS], "label": [float(label) for _, label in ROWS]}), buffer)
    return buffer.getvalue()


def xlsx_bytes(sheets: dict[str, list[tuple[Any, ...]]] | None = None) -> bytes:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    plain = {"Sheet1": [("text", "label"), *((text, int(label)) for text, label in ROWS)], "Sheet2": []}
    for name, rows in (sheets or plain).items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(buffer)
    return buffer.getvalue()


FORMATS = {
    "csv": csv_bytes,
    "tsv": tsv_bytes,
    "jsonl": jsonl_bytes,
    "json": json_bytes,
    "parquet": parquet_bytes,
    "xlsx": xlsx_bytes,
}


def with_a_broken_part() -> bytes:
    """A workbook whose sheet is no XML."""
    whole, buffer = zipfile.ZipFile(io.BytesIO(xlsx_bytes())), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, b"<worksheet><" if "sheet1" in name else whole.read(name))
    return buffer.getvalue()


def zipped(content: bytes, *names: str, litter: bool = True) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
        if litter:
            archive.writestr("__MACOSX/._rows", b"x")
            archive.writestr("folder/", b"")
    return buffer.getvalue()


def with_zstd(content: bytes) -> bytes:
    buffer = pa.BufferOutputStream()
    with pa.CompressedOutputStream(buffer, "zstd") as stream:
        stream.write(content)
    packed: bytes = buffer.getvalue().to_pybytes()
    return packed


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": with_zstd,
}


def table_in(folder: Path, name: str, content: bytes, **said: Any) -> Table:
    (folder / name).write_bytes(content)
    return source_table(SourceSettings(path=name, **said), folder, folder)


def rows_of(table: Table) -> list[tuple[str | None, str | None]]:
    return list(zip(table.column("text"), table.column("label"), strict=True))


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_holds_the_same_rows(tmp_path: Path, suffix: str, packed: str):
    content = PACKED[packed](FORMATS[suffix]())
    assert rows_of(table_in(tmp_path, f"rows.{suffix}{packed}", content)) == ROWS


@pytest.mark.parametrize("suffix", FORMATS)
def test_one_file_in_an_archive_is_read_by_its_own_name(tmp_path: Path, suffix: str):
    content = zipped(FORMATS[suffix](), f"folder/rows.{suffix}")
    assert rows_of(table_in(tmp_path, "whatever.zip", content)) == ROWS


def test_a_packed_file_in_an_archive_is_unpacked_too(tmp_path: Path):
    assert rows_of(table_in(tmp_path, "a.zip", zipped(gzip.compress(csv_bytes()), "rows.csv.gz"))) == ROWS


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_excels_own_line_about_the_separator_is_obeyed(tmp_path: Path, end: str):
    content = end.join(["sep=;", "text;label", "a, b;1", ""]).encode()
    assert rows_of(table_in(tmp_path, "a.csv", content)) == [("a, b", "1")]
    with pytest.raises(DataError, match="line 4 has 1 cell, the header has 2"):
        table_in(tmp_path, "b.csv", content + f"lonely{end}".encode())


def test_packed_in_parts_is_whole(tmp_path: Path):
    for suffix, pack in list(PACKED.items())[1:]:
        content = csv_bytes()
        assert rows_of(table_in(tmp_path, f"rows.csv{suffix}", pack(content[:20]) + pack(content[20:]))) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "json"])
def test_a_mark_tells_the_encoding_and_is_no_part_of_the_first_column(tmp_path: Path, encoding: str, suffix: str):
    content = FORMATS[suffix]().decode().encode(encoding)
    assert rows_of(table_in(tmp_path, f"a.{suffix}", content)) == ROWS
    big_endian = codecs.BOM_UTF16_BE + FORMATS[suffix]().decode().encode("utf-16-be")
    assert rows_of(table_in(tmp_path, f"b.{suffix}", big_endian)) == ROWS


@pytest.mark.parametrize("encoding", ["cp1252", "shift_jis", "utf-16-le"])
def test_another_encoding_is_said(tmp_path: Path, encoding: str):
    word = "カード" if encoding == "shift_jis" else "café"
    content = f"text,label\n{word},1\n".encode(encoding)
    assert table_in(tmp_path, "a.csv", content, encoding=encoding).column("text") == [word]


def test_what_is_no_utf8_is_shown_as_the_most_common_other_encoding_reads_it(tmp_path: Path):
    with pytest.raises(
        DataError, match="say its `encoding:`; with `encoding: cp1252` this place reads `un café crème,`"
    ):
        table_in(tmp_path, "a.csv", "text,label\nun café crème,1\n".encode("cp1252"))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_told(tmp_path: Path, encoding: str):
    with pytest.raises(DataError, match=f"without a mark, say `encoding: {encoding}`"):
        table_in(tmp_path, "a.csv", "text,label\na,b\n".encode(encoding))


@pytest.mark.parametrize(
    ("content", "said", "words"),
    [
        ("text,label\nä,x\n".encode("utf-16-le"), None, "say `encoding: utf-16-le`"),
        ("text,label\nä,x\n".encode("utf-16")[:-1], None, "it begins as UTF-16: fetch it again"),
        ("text,label\nä,x\n".encode(), "ascii", "it reads as UTF-8: leave `encoding:` out"),
        (b"text,label\n\x81,x\n", "cp1252", "say another `encoding:`"),
        (b"text,label\n\xe4,x\n", "ascii", "with `encoding: cp1252` this place reads `ä,x`"),
    ],
)
def test_advice_about_an_encoding_is_not_the_one_that_failed(
    tmp_path: Path, content: bytes, said: str | None, words: str
):
    with pytest.raises(DataError, match=words):
        table_in(tmp_path, "a.csv", content, encoding=said)


def test_an_encoding_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="Python knows no text encoding `latin-eins`"):
        SourceSettings(path="a.csv", encoding="latin-eins")
    with pytest.raises(ValueError, match="Python knows no text encoding `base64`"):
        SourceSettings(path="a.csv", encoding="base64")


@pytest.mark.parametrize(("separator", "sign"), [(";", ";"), ("|", "|"), ("tab", "\t"), ("\\t", "\t"), ("\t", "\t")])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt"])
def test_cells_are_separated_by_what_is_said(tmp_path: Path, separator: str, sign: str, name: str):
    content = f"text{sign}label\na, b{sign}1\n".encode()
    assert rows_of(table_in(tmp_path, name, content, separator=separator)) == [("a, b", "1")]


@pytest.mark.parametrize("separator", ["", ";;", '"', "\n"])
def test_what_cannot_separate_is_refused(separator: str):
    with pytest.raises(ValueError, match="one character between cells"):
        SourceSettings(path="a.csv", separator=separator)


@pytest.mark.parametrize(
    ("name", "sign"), [("a.csv", ";"), ("a.csv", "\t"), ("a.csv", "|"), ("a.tsv", ","), ("a.tsv", ";")]
)
def test_one_column_that_holds_another_separator_is_several(tmp_path: Path, name: str, sign: str):
    with pytest.raises(OtherSeparator, match="its only column is `text") as error:
        table_in(tmp_path, name, f"text{sign}label\na{sign}1\n".encode())
    assert error.value.separator == sign
    said = SourceSettings(path=name, separator=json.loads(str(error.value).partition("separator: ")[2].strip("`")))
    assert rows_of(source_table(said, tmp_path, tmp_path)) == [("a", "1")]


def test_a_single_column_is_fine(tmp_path: Path):
    assert table_in(tmp_path, "a.csv", b"prediction\na\nb\n").column("prediction") == ["a", "b"]


AG_NEWS = b'"3","Wall St. Bears","Short-sellers are back"\n"1","Talks","They ""go on"""\n'


def test_a_file_without_a_header_is_read_by_the_names_of_its_columns(tmp_path: Path):
    table = table_in(tmp_path, "train.csv", AG_NEWS, columns=["label", "title", "description"])
    assert table.column("label") == ["3", "1"]
    assert table.column("description") == ["Short-sellers are back", 'They "go on"']
    assert table.first_row == 1


def test_a_header_that_is_a_row_is_suspected_where_a_column_is_missed(tmp_path: Path):
    with pytest.raises(DataError, match="if its first line is no header, name its columns with `columns: "):
        table_in(tmp_path, "train.csv", AG_NEWS).column("text")
    with pytest.raises(DataError, match="no column `tixt`") as error:
        table_in(tmp_path, "a.csv", csv_bytes()).column("tixt")
    assert "columns:" not in str(error.value)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["label", "title"], "line 1 has 3 cells, `columns:` names 2"),
        (["3", "Wall St. Bears", "Short-sellers are back"], "line 1 is what `columns:` says"),
    ],
)
def test_names_that_do_not_fit_are_told(tmp_path: Path, columns: list[str], words: str):
    with pytest.raises(DataError, match=words):
        table_in(tmp_path, "train.csv", AG_NEWS, columns=columns)


@pytest.mark.parametrize("columns", [[], ["a", "a"]])
def test_columns_have_names_of_their_own(columns: list[str]):
    with pytest.raises(ValueError, match="each by a name of its own"):
        SourceSettings(path="a.csv", columns=columns)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'text,label\na,1\n"b,1\nc,1\n', "line 3: a quote opens and is never closed"),
        (b'text,label\n"a\nb",1\n"c ""d"",1\ne,1\n', "line 4: a quote opens and is never closed"),
        (b'text,label\n"a\nb","1\n', "line 3: a quote opens and is never closed"),
        (b'text,label\n"b,1\nc,1\nd,"e",1\n', "line 4: text follows the end of what was quoted from line 2 on"),
        (b'text,label\n"b,1\nc,1\nd",e,1\n', "the row in lines 2 to 4 has 3 cells, the header has 2"),
        (b'text,label\r\na,1\r\n"b,1\r\n', "line 3: a quote opens and is never closed"),
        (b'text,label\ra,1\r"b,1\r', "line 3: a quote opens and is never closed"),
    ],
)
def test_an_unclosed_quote_is_told_where_it_opened(tmp_path: Path, content: bytes, words: str):
    with pytest.raises(DataError, match=words):
        table_in(tmp_path, "a.csv", content)


CELLS = st.text(st.sampled_from('ab",;\n\r '), max_size=6).filter(lambda text: text.strip() != "")


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6), st.integers(0, 5), st.sampled_from([",", ";"]))
def test_wherever_a_quote_is_left_open_its_line_is_found(rows: list[tuple[str, str]], at: int, sign: str):
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    lines = [f"{quoted(text)}{sign}{quoted(label)}" for text, label in rows[: at % len(rows)]]
    before = "".join(f"{line}\n" for line in ["text" + sign + "label", *lines])
    opened = len(list(io.StringIO(before, newline=""))) + 1
    with pytest.raises(DataError, match=f"line {opened}: a quote opens and is never closed"):
        from_delimited(before + '"left open' + sign + "1\n2\n", "a.csv", sign, None)


@pytest.mark.parametrize(
    "content", [b'{"data": [{"text": "a", "label": 1}], "version": "1.1"}', b'{"text": "a", "label": 1}\n' * 2]
)
def test_json_is_read_as_people_write_it(tmp_path: Path, content: bytes):
    assert rows_of(table_in(tmp_path, "a.json", content))[0] == ("a", "1")


def test_a_sheet_is_chosen_where_several_hold_something(tmp_path: Path):
    sheets = {"first": [("text", "label"), ("a", 1.0)], "second": [("text", "label"), (None, None), ("b", True)]}
    content = xlsx_bytes(sheets)
    assert rows_of(table_in(tmp_path, "a.xlsx", content, sheet="second")) == [("b", "True")]
    with pytest.raises(DataError, match="choose one of first, second with `sheet:`"):
        table_in(tmp_path, "a.xlsx", content)
    with pytest.raises(DataError, match="has no sheet `third`"):
        table_in(tmp_path, "a.xlsx", content, sheet="third")


def test_a_workbook_without_a_header_is_read_by_the_names_of_its_columns(tmp_path: Path):
    content = xlsx_bytes({"one": [("a", 1), ("b", 2)]})
    assert rows_of(table_in(tmp_path, "a.xlsx", content, columns=["text", "label"])) == [("a", "1"), ("b", "2")]
    with pytest.raises(DataError, match="has 2 columns, `columns:` names 3"):
        table_in(tmp_path, "a.xlsx", content, columns=["text", "label", "more"])
    with pytest.raises(DataError, match="has 2 columns, `columns:` names 1"):
        table_in(tmp_path, "a.xlsx", content, columns=["text"])


def test_a_table_may_stand_anywhere_in_its_sheet(tmp_path: Path):
    content = xlsx_bytes({"one": [(), (None, None, "text", None, "label"), (), (None, None, "a", None, 1)]})
    assert rows_of(table_in(tmp_path, "a.xlsx", content)) == [("a", "1")]


def test_without_openpyxl_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(NotInstalledError, match=r'pip install "pytest-modelcompare\[xlsx\]", or save it as csv'):
        table_in(tmp_path, "a.xlsx", xlsx_bytes())


@pytest.mark.parametrize(("name", "needs"), [("a.parquet", "a parquet file"), ("a.csv.zst", "a zst file")])
def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, needs: str):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(NotInstalledError, match=rf"{name}: {needs} needs pyarrow.*\n.*pytest-modelcompare\[data\]"):
        table_in(tmp_path, name, b"anything")


def test_cells_are_text_as_a_csv_file_would_hold_them():
    values = [None, "a", 1, 1.0, 1.5, True, math.nan, date(2026, 1, 2), {"a": [1]}]
    assert [cell_text(value) for value in values] == [
        None,
        "a",
        "1",
        "1",
        "1.5",
        "True",
        None,
        "2026-01-02",
        '{"a": [1]}',
    ]


@pytest.mark.parametrize(
    ("name", "said", "words"),
    [
        ("a.jsonl", {"separator": ";"}, "`separator:` says nothing about a jsonl file"),
        ("a.parquet", {"columns": ["a"]}, "`columns:` says nothing about a parquet file"),
        ("a.xlsx", {"encoding": "cp1252"}, "`encoding:` says nothing about an xlsx file"),
        ("a.csv", {"sheet": "one"}, "`sheet:` says nothing about a csv file"),
        (".", {"sheet": "one"}, "`sheet:` says nothing about a `datasets` folder"),
        ("hf://a/b", {"encoding": "cp1252"}, "`encoding:` says nothing about a hub data set"),
    ],
)
def test_what_bears_on_nothing_is_refused(tmp_path: Path, name: str, said: dict[str, Any], words: str):
    if name.startswith("a."):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=words):
        source_table(SourceSettings(path=name, **said), tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"text,label\n", "has a header and no rows"),
        ("a.csv", b"text,label\na,b,c\n", "line 2 has 3 cells, the header has 2"),
        ("a.csv", b"text,text\na,b\n", "two columns are named `text`"),
        ("a.csv", b"text,label\na,\xe9\n", "byte 0xe9 at position 13 \\(line 2\\) is no UTF-8"),
        ("a.txt", b"text\tlabel\na\t1\n", "what separates the cells of a txt file"),
        ("a.jsonl", b'{"text": 1}\n{"text"\n', "line 2 is no JSON"),
        ("a.jsonl", b"[1]\n", "line 1 is no JSON object"),
        ("a.json", b'[{"text": 1},\n', "is no JSON: .*line 2, column 1"),
        ("a.json", b'{"text": ["a"]}', "holds an object without a list under `data`"),
        ("a.json", b"3", "holds no list"),
        ("a.json", b'[{"text": 1}, 2]', "item 2 of the list is no object"),
        ("a.json", b"[" * 100_000, "is nested too deeply"),
        ("a.json", b"[]", "is empty"),
        ("a.parquet", b"PAR1", "is no parquet file"),
        ("a.xlsx", b"PK", "is no xlsx file"),
        ("a.xlsx", with_a_broken_part(), "is no xlsx file that openpyxl reads"),
        ("a.xlsx", zipped(b"x", "a.txt"), "is no xlsx file"),
        ("a.xlsx", xlsx_bytes({"one": []}), "is empty"),
        ("a.xlsx", xlsx_bytes({"one": [("text", "label")]}), "has a header and no rows"),
        ("a.xlsx", xlsx_bytes({"one": [("text", "text"), ("a", "b")]}), "two columns are named `text`"),
        ("a.xlsx", xlsx_bytes({"one": [("text", None), ("a", "b")]}), "column B has no name"),
        ("a.csv.gz", b"plain", "is no whole gz file"),
        ("a.csv.gz", gzip.compress(csv_bytes())[:-9], "is no whole gz file"),
        ("a.csv.bz2", bz2.compress(csv_bytes())[:-9], "is no whole bz2 file"),
        ("a.csv.xz", lzma.compress(csv_bytes())[:-9], "is no whole xz file"),
        ("a.csv.zst", with_zstd(csv_bytes())[:-9], "is no whole zst file"),
        ("a.zip", zipped(csv_bytes(), "a.csv")[:-9], "is no whole zip file"),
        ("a.zip", zipped(csv_bytes(), "a.csv", "b.csv"), "holds 2 files \\(a.csv, b.csv\\)"),
        ("a.zip", zipped(b""), "holds no file"),
        ("a.pkl", b"x", "unknown format `.pkl`"),
        ("a.pkl.gz", gzip.compress(b"x"), "unknown format `.pkl`"),
    ],
    ids=lambda given: given if isinstance(given, str) else "file",  # packed bytes hold the time: ids would differ
)
def test_a_broken_file_is_said_in_words(tmp_path: Path, name: str, content: bytes, words: str):
    with pytest.raises(DataError, match=words):
        table_in(tmp_path, name, content)


def test_a_missing_column_names_the_nearest(tmp_path: Path):
    with pytest.raises(DataError, match="did you mean `label`"):
        table_in(tmp_path, "a.csv", csv_bytes()).column("labell")


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
        source_table(SourceSettings(path="saved"), tmp_path, tmp_path)


def test_the_hub_reader_takes_a_local_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.csv").write_text("text,label\na,x\nb,y\n")
    table = source_table(SourceSettings(path=f"hf://{tmp_path / 'set'}:train"), tmp_path, tmp_path)
    assert table.column("text") == ["a", "b"]


def test_a_changed_file_is_refused_by_its_digest(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes(csv_bytes())
    with pytest.raises(DataError, match="the content has changed"):
        source_table(SourceSettings(path="a.csv", sha256="0" * 64), tmp_path, tmp_path)


def test_settings_read_codes_names_and_descriptions():
    assert DataSettings(labels={1: "World", 2: "Sports"}).codes == {"1": "World", "2": "Sports"}
    assert DataSettings(labels={"ham": "wanted"}).descriptions == {"ham": "wanted"}
    assert DataSettings(labels=["b", "a"]).label_names == ("b", "a")
