import gzip
import itertools
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genmodels.data.open import open_source
from genmodels.schema import Column, TableSchema
from genmodels.writers.arrow import ArrowWriter
from genmodels.writers.base import Shard, Writer
from genmodels.writers.csv import CSVWriter, format_table
from genmodels.writers.parquet import ParquetWriter
from tests.writers.whole import write_whole

SCHEMA = TableSchema(
    (
        Column("x", "continuous", decimals=2, nullable=True),
        Column("n", "integer"),
        Column("job, title", "categorical", levels=("a", 'say "b"', "c,d"), missing=("?", "NA")),
        Column("flag", "boolean", levels=(False, True), nullable=True),
        Column("day", "datetime", format="%d/%m/%Y %H:%M", nullable=True),
        Column("at", "datetime", format="%Y-%m-%dT%H:%M:%S.%f%z", timezone="Europe/Paris"),
        Column("code", "categorical", levels=(1, 2)),
    )
)


def block(start, rows):
    i = np.arange(start, start + rows)
    words = pa.array(["a", 'say "b"', "c,d"])
    stamps = pa.array(i * 60_000_000 + 1_700_000_000_250_000, pa.timestamp("us"))
    gap = pa.array(i % 5 == 0)
    none = pa.scalar(None)
    return pa.table(
        {
            "x": pa.compute.if_else(gap, none.cast(pa.float64()), pa.array(i / 3)),
            "n": i,
            "job, title": pa.DictionaryArray.from_arrays(
                pa.array((i % 3).astype(np.int32), mask=i % 7 == 0), words
            ),
            "flag": pa.compute.if_else(gap, none.cast(pa.bool_()), pa.array(i % 2 == 0)),
            "day": pa.compute.if_else(gap, none.cast(pa.timestamp("us")), stamps),
            "at": stamps.cast(pa.timestamp("us", "Europe/Paris")),
            "code": pa.DictionaryArray.from_arrays(
                pa.array((i % 2).astype(np.int32)), pa.array([1, 2])
            ),
        }
    )


def blocks(sizes=(100, 100, 50)):
    for start, rows in zip(itertools.accumulate(sizes, initial=0), sizes, strict=False):
        yield block(start, rows)


PARQUET = {"schema": SCHEMA, "rows_per_file": 120, "row_group_rows": 64, "compression": "snappy"}
ARROW = {"schema": SCHEMA, "rows_per_file": 120, "row_group_rows": 64, "compression": "lz4"}
WRITERS = {
    "arrow": ArrowWriter(**ARROW),
    "parquet": ParquetWriter(**PARQUET),
    "csv": CSVWriter(schema=SCHEMA, rows_per_file=120, gzip=False),
    "csv.gz": CSVWriter(schema=SCHEMA, rows_per_file=120, gzip=True),
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_shards_are_named_by_number_and_hold_every_row_in_order(tmp_path, suffix):
    writer = WRITERS[suffix]
    assert isinstance(writer, Writer)
    files = write_whole(writer, blocks(), tmp_path)
    expected = [tmp_path / "data" / f"train-0000{i}-of-00003.{suffix}" for i in range(3)]
    assert files == expected
    assert sorted((tmp_path / "data").iterdir()) == expected
    read = {"parquet": pd.read_parquet, "arrow": pd.read_feather}.get(suffix, pd.read_csv)
    frames = [read(file) for file in files]
    assert [len(frame) for frame in frames] == [120, 120, 10]
    assert pd.concat(frames)["n"].tolist() == list(range(250))


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("sizes", [(250,), (1, 99, 0, 150), (64, 56, 8, 122), (7,) * 35 + (5,)])
def test_the_bytes_depend_on_the_rows_alone_and_not_on_how_they_come(tmp_path, suffix, sizes):
    contents = []
    for name, cut in (("one", (100, 100, 50)), ("two", sizes)):
        (tmp_path / name).mkdir()
        files = write_whole(WRITERS[suffix], blocks(cut), tmp_path / name)
        contents.append([file.read_bytes() for file in files])
    assert contents[0] == contents[1]


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_shard_of_which_every_row_was_dropped_has_its_columns(tmp_path, suffix):
    shard = Shard(number=0, of=1, start=0)
    (file,) = WRITERS[suffix].write(iter([block(0, 0)]), tmp_path, shard)
    read = {"parquet": pd.read_parquet, "arrow": pd.read_feather}.get(suffix, pd.read_csv)
    assert read(file).shape == (0, 7)


def test_parquet_gives_back_the_same_table(tmp_path):
    files = write_whole(ParquetWriter(**PARQUET), blocks(), tmp_path)
    tables = [pq.read_table(file) for file in files]
    assert tables[0].schema.metadata[b"genmodels.synthetic"] == b"true"
    assert pq.ParquetFile(files[0]).metadata.num_row_groups == 2
    back = pa.concat_tables(tables).replace_schema_metadata(None)
    assert back.schema.field("job, title").type == pa.dictionary(pa.int32(), pa.string())
    assert back.schema.field("at").type == pa.timestamp("us", "Europe/Paris")
    whole = pa.concat_tables(blocks())
    assert back.to_pylist() == whole.to_pylist()
    assert pd.read_parquet(tmp_path / "data")["job, title"].dtype == "category"


def test_a_csv_line_is_spelled_as_the_source_spells_it():
    text = bytes(format_table(block(3, 5), SCHEMA)).decode()
    assert text.splitlines() == [
        "1,3,a,False,14/11/2023 22:16,2023-11-14T23:16:20.250000+0100,2",
        '1.33,4,"say ""b""",True,14/11/2023 22:17,2023-11-14T23:17:20.250000+0100,1',
        ',5,"c,d",,,2023-11-14T23:18:20.250000+0100,2',
        "2,6,a,True,14/11/2023 22:19,2023-11-14T23:19:20.250000+0100,1",
        "2.33,7,?,False,14/11/2023 22:20,2023-11-14T23:20:20.250000+0100,2",
    ]


def test_pandas_reads_the_csv_as_written(tmp_path):
    files = write_whole(CSVWriter(schema=SCHEMA, rows_per_file=1000, gzip=True), blocks(), tmp_path)
    header = gzip.decompress(files[0].read_bytes()).decode().splitlines()[0]
    assert header == 'x,n,"job, title",flag,day,at,code'
    frame = pd.read_csv(files[0], na_values="?")
    whole = pa.concat_tables(blocks()).to_pandas()
    assert frame["job, title"].isna().sum() == whole["job, title"].isna().sum()
    assert frame["job, title"].dropna().tolist() == whole["job, title"].dropna().tolist()
    assert frame["x"].dropna().tolist() == whole["x"].dropna().round(2).tolist()


def test_a_missing_value_in_a_single_column_is_not_an_empty_line():
    schema = TableSchema((Column("x", "continuous", nullable=True),))
    assert bytes(format_table(pa.table({"x": [1.5, None]}), schema)) == b'1.5\n""\n'


def test_text_that_needs_quotes_gets_them():
    texts = ["plain", "a,b", 'c"d', "e\nf", " g", "h ", "Ünï"]
    schema = TableSchema((Column("t", "identifier"), Column("n", "integer")))
    table = pa.table({"t": texts, "n": list(range(7))})
    text = bytes(format_table(table, schema)).decode()
    assert text == 'plain,0\n"a,b",1\n"c""d",2\n"e\nf",3\n" g",4\n"h ",5\nÜnï,6\n'


@pytest.mark.parametrize("name", ["%d %B %Y", "%m/%d/%y %I:%M %p", "%Y%m%dT%H%M%S", "%Y-%m-%dZ"])
def test_dates_are_spelled_by_their_format(name):
    stamp = pd.Timestamp("2013-02-03 16:05:06")
    zone = "UTC" if name.endswith("Z") else None
    column = Column("d", "datetime", format=name, timezone=zone)
    times = pa.array([stamp], pa.timestamp("us")).cast(pa.timestamp("us", zone))
    table = pa.table({"d": times, "n": [1]})
    text = bytes(format_table(table, TableSchema((column, Column("n", "integer")))))
    assert text.decode() == f"{stamp.strftime(name)},1\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rows_per_file": 0}, "rows_per_file"),
        ({"row_group_rows": 0}, "row_group_rows"),
        ({"compression": "rar"}, "none, snappy, lz4 or zstd"),
    ],
)
def test_impossible_options_are_refused(tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        write_whole(ParquetWriter(**PARQUET | options), blocks(), tmp_path)


FORMULAS = TableSchema(
    (
        Column("=name", "identifier"),
        Column("kind", "categorical", levels=("=1+1", "'=1", "-1", "plain"), missing=("--",)),
        Column("n", "integer", nullable=True),
    )
)


def formulas():
    kind = pa.array(["=1+1", "'=1", "-1", "plain", None]).dictionary_encode()
    texts = ["=cmd|' /C calc'!A0", "+49 30", "a,b", "@x", "'tis"]
    return pa.table({"=name": texts, "kind": kind, "n": [-1, 2, None, 3, -4]})


def test_texts_that_a_spreadsheet_would_run_are_written_as_texts(tmp_path):
    writer = CSVWriter(schema=FORMULAS, rows_per_file=10, gzip=False)
    (file,) = write_whole(writer, [formulas()], tmp_path)
    assert file.read_text().splitlines() == [
        "'=name,kind,n",
        "'=cmd|' /C calc'!A0,'=1+1,-1",
        "'+49 30,''=1,2",
        '"a,b",-1,',
        "'@x,plain,3",
        "'tis,'--,-4",
    ]


@pytest.mark.parametrize("guard", [True, False])
def test_our_source_restores_the_texts_of_a_dataset(tmp_path, guard):
    writer = CSVWriter(schema=FORMULAS, rows_per_file=2, gzip=True, formula_guard=guard)
    write_whole(writer, [formulas()], tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps(writer.facts))
    back = open_source(tmp_path / "data").load()
    assert back.column_names == ["=name", "kind", "n"]
    assert back["=name"].to_pylist() == formulas()["=name"].to_pylist()
    assert back["kind"].to_pylist() == ["=1+1", "'=1", "-1", "plain", "--"]


def test_texts_of_other_files_are_taken_as_they_are(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n'=1,2\n'=2,3\n")
    assert open_source(tmp_path / "a.csv").load()["a"].to_pylist() == ["'=1", "'=2"]
