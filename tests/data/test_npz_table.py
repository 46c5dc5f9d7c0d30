"""Tables in one `.npz`: what the writer writes is read back, anything else is refused."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from genmodels.data.open import open_source
from genmodels.data.sources.npz_table import NPZTable
from genmodels.writers.base import Shard
from genmodels.writers.npz import NPZWriter
from tests.writers.whole import write_whole

TABLE = pa.table(
    {
        "x": pa.array([1.5, None, -2.0]),
        "n": pa.array([1, 2, 3]),
        "some": pa.array([1, None, 3]),
        "kind": pa.array(["a", None, ""]).dictionary_encode(),
        "yes": pa.array([True, None, False]),
        "at": pa.array(pd.to_datetime(["2020-01-01", None, "2021-02-03"]), pa.timestamp("us")),
    }
)


def test_what_the_writer_writes_is_read_back(tmp_path):
    (file,) = write_whole(NPZWriter(), iter([TABLE]), tmp_path)
    source = open_source(file)
    assert isinstance(source, NPZTable)
    back = source.load()
    assert back.column_names == TABLE.column_names
    for name in TABLE.column_names:
        column = TABLE[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        assert back[name].to_pylist() == column.to_pylist()
    assert len(source.fingerprint()) == 64


def test_arrays_that_are_no_columns_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3), y=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="not a table"):
        open_source(tmp_path / "a.npz").load()
    np.savez(tmp_path / "b.npz", x=np.array([{}, {}], dtype=object))
    with pytest.raises(ValueError, match="cannot be read"):
        open_source(tmp_path / "b.npz").load()


def test_parts_are_read_as_one(tmp_path):
    """A part without missing values has other types than one with some."""
    writer = NPZWriter(rows_per_file=2)
    for number, start in enumerate((0, 2)):
        writer.write(
            iter([TABLE.slice(start, 2)]), tmp_path, Shard(number=number, of=2, start=start)
        )
    source = open_source(tmp_path)
    back = source.load()
    for name in TABLE.column_names:
        assert back[name].to_pylist() == TABLE[name].to_pylist()
    assert source.fingerprint() != open_source(next((tmp_path / "data").iterdir())).fingerprint()
    np.savez(tmp_path / "data" / "z.npz", other=np.zeros(3))
    with pytest.raises(ValueError, match=r"z\.npz has other columns"):
        open_source(str(tmp_path / "data" / "*.npz")).load()
