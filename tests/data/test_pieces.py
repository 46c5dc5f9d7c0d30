"""Files in pieces say the same as files as a whole."""

import gzip
import logging

import numpy as np
import pyarrow as pa
import pyarrow.feather as pa_feather
import pyarrow.parquet as pq
import pytest

from genmodels.data.sources import csv_options, csv_stream, parquet
from genmodels.data.sources.csv import CSV
from genmodels.data.sources.csv_options import DECIMAL
from genmodels.data.sources.parquet import Parquet
from genmodels.types import Streamable

LINES = [f'{k},{k / 7:.3f},"a ""b"" {k % 3}",{"" if k % 5 else "x"}' for k in range(4000)]
TEXT = "\n".join(["n,x,t,e", *LINES]) + "\n"
QUOTED = 'a,b\n1,"two\nlines, ""quoted"""\n' + "2,x\n" * 3000 + '3,"more\r\nlines"\n'
FILES = {
    "plain": (TEXT.encode(), {}),
    "no line at the end": (TEXT.rstrip("\n").encode(), {}),
    "windows": (TEXT.replace("\n", "\r\n").encode(), {}),
    "mark": (b"\xef\xbb\xbf" + TEXT.encode(), {}),
    "tabs": (TEXT.replace(",", "\t").encode(), {}),
    "comma as decimal": (
        ("a;b\n" + "".join(f"{k},5;{k}\n" for k in range(3000))).encode(), {},
    ),
    "utf-16": (TEXT.replace("x", "é").encode("utf-16"), {}),
    "latin-1": (TEXT.replace('"a ', '"é ').encode("latin-1"), {}),
    "said to be latin-1": (TEXT.replace('"a ', '"é ').encode("latin-1"), {"encoding": "latin-1"}),
    "no names": ("\n".join(LINES).encode(), {"names": ["a", "b", "c", "d"]}),
    "a name twice": (TEXT.replace("n,x,t,e", "n,n,,e").encode(), {}),
    "quoted lines": (QUOTED.encode(), {}),
    "left out": (TEXT.encode(), {"drop": ["t"]}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(csv_options, "_MOST_BLOCK", 1 << 13)
    monkeypatch.setattr(csv_stream, "_HEAD", 1 << 12)
    monkeypatch.setattr(parquet, "_PIECE_ROWS", 700)


def same(pieces, whole, at_least=2):
    pieces = list(pieces)
    assert len(pieces) >= at_least
    joined = pa.concat_tables(pieces)
    assert joined.column_names == whole.column_names
    for name in whole.column_names:
        assert joined[name].to_pylist() == whole[name].to_pylist()
    assert (joined.schema.metadata or {}).get(DECIMAL) == (whole.schema.metadata or {}).get(DECIMAL)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_delimited_text(tmp_path, name, packed):
    content, words = FILES[name]
    path = tmp_path / ("file.csv.gz" if packed else "file.csv")
    path.write_bytes(gzip.compress(content) if packed else content)
    source = CSV(path=path, **words)
    assert isinstance(source, Streamable)
    same(source.pieces(), source.load())
    same(source.pieces(), source.load())  # and again, from the beginning


def test_the_decimal_comma_is_found(tmp_path):
    (tmp_path / "a.csv").write_bytes(FILES["comma as decimal"][0])
    piece = next(CSV(path=tmp_path / "a.csv").pieces())
    assert piece.schema.metadata[DECIMAL] == b","


def test_parts_come_one_after_the_other(tmp_path):
    for k in range(3):
        (tmp_path / f"{k}.csv").write_text("\n".join(["n,x,t,e", *LINES[k::3]]) + "\n")
    source = CSV(path=tmp_path)
    same(source.pieces(), source.load())
    (tmp_path / "3.csv").write_text("n,x,t\n1,2,3\n")
    with pytest.raises(ValueError, match=r"3\.csv has other columns .* lacks 'e'"):
        list(source.pieces())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (TEXT.encode() + b"1,2\n", "has 2 fields instead of 4"),
        (TEXT.encode() + '1,2,"é",4\n'.encode("latin-1"), "the rest is not: set `encoding`"),
        (TEXT.encode() + b'1,2,3,"open\n' + b"1,2,3,4\n" * 9, "never closed"),
        (TEXT.encode() + b'1,2,"open,4\n' + b"1,2,3,4\n" * 9000, "never closed"),
    ],
)
def test_damage_is_one_line_that_names_the_file(tmp_path, content, message):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        list(CSV(path=path).pieces())
    assert "\n" not in str(caught.value)
    assert "bad.csv" in str(caught.value)


def test_a_packed_file_that_is_cut_off_is_refused(tmp_path):
    path = tmp_path / "bad.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode())[:-200])
    with pytest.raises(ValueError, match=r"bad\.csv\.gz cannot be read"):
        list(CSV(path=path).pieces())


def table(rows=3000):
    rng = np.random.default_rng(0)
    return pa.table(
        {
            "x": rng.normal(size=rows),
            "word": pa.array(rng.choice(["a", "b", "c"], rows)).dictionary_encode(),
            "at": pa.array(np.datetime64("2020-01-01", "us") + np.arange(rows)),
            "gap": pa.array([None if k % 3 else k for k in range(rows)]),
        }
    )


@pytest.mark.filterwarnings("ignore:Feather V1")
@pytest.mark.parametrize("kind", ["parquet", "arrow", "arrows", "feather"])
def test_files_with_types(tmp_path, kind):
    path = tmp_path / f"file.{kind}"
    if kind == "parquet":
        pq.write_table(table(), path, row_group_size=1000)
    elif kind == "feather":
        pa_feather.write_feather(table().drop_columns("word"), path, version=1)
    else:
        new = pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream
        with pa.OSFile(str(path), "wb") as sink, new(sink, table().schema) as writer:
            writer.write_table(table(), max_chunksize=1000)
    source = Parquet(path=path)
    pieces = list(source.pieces())
    assert max(len(piece) for piece in pieces) <= 700
    same(pieces, source.load())


def test_parts_of_other_types_are_refused(tmp_path):
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"a": ["x", "y"]}), tmp_path / "b.parquet")
    with pytest.raises(ValueError, match="columns of different types"):
        list(Parquet(path=tmp_path).pieces())
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"b\.parquet cannot be read"):
        list(Parquet(path=tmp_path).pieces())


@pytest.mark.parametrize(
    "parts",
    [([1, 2], [1.5, None]), ([None, None], ["a", "b"]), ([1.5], [7]), (["a"], [None])],
)
def test_parts_have_the_types_that_hold_them_all(tmp_path, parts):
    for k, values in enumerate(parts):
        pq.write_table(pa.table({"a": values}), tmp_path / f"{k}.parquet")
    source = Parquet(path=tmp_path, least=1)
    assert next(source.pieces()).schema.types == source.load().schema.types
    same(source.pieces(), source.load())


def test_wide_tables_come_in_fewer_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_PIECE_VALUES", 400)
    pq.write_table(table(), tmp_path / "a.parquet")
    pieces = list(Parquet(path=tmp_path).pieces())
    assert {len(piece) for piece in pieces} == {100}


def test_reading_in_pieces_says_nothing_twice(tmp_path, caplog):
    (tmp_path / "a.csv").write_bytes(FILES["latin-1"][0])
    with caplog.at_level(logging.INFO):
        list(CSV(path=tmp_path / "a.csv").pieces())
    assert len([r for r in caplog.records if "latin-1" in r.message or "cp1252" in r.message]) == 1
