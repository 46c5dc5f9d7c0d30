import numpy as np
import pyarrow as pa
import pytest

from genmodels.metrics.tables.views import shuffled_columns, table_views
from genmodels.schema import Column, TableSchema

SCHEMA = TableSchema(
    (
        Column("n", "continuous"),
        Column("t", "datetime"),
        Column("k", "categorical", levels=(1, 2)),
        Column("b", "boolean", levels=(False, True)),
        Column("id", "identifier"),
    )
)


def test_text_and_typed_tables_give_the_same_arrays():
    typed = pa.table(
        {
            "n": [1.5, None, 2.0],
            "t": pa.array([0, 86_400_000_000, None], pa.timestamp("us")),
            "k": pa.array([1, 2, 3]).dictionary_encode(),
            "b": [True, False, None],
            "id": [7, 8, 9],
        }
    )
    text = pa.table(
        {
            "n": ["1.5", "", "2"],
            "t": ["1970-01-01", "1970-01-02 00:00:00", None],
            "k": ["1", "2.0", "3"],
            "b": ["true", "False", ""],
        }
    )
    a, b = table_views([typed, text], SCHEMA)
    assert a.names == ("n", "t", "k", "b")
    np.testing.assert_array_equal(a.numbers, b.numbers)
    np.testing.assert_array_equal(a.codes, b.codes)
    assert a.levels[0] == ("1", "2", "3")
    assert a.numbers[1, 1] == 86_400


def test_zones_are_compared_as_instants():
    schema = TableSchema((Column("t", "datetime"),))
    utc = pa.table({"t": pa.array([0], pa.timestamp("us", "UTC"))})
    text = pa.table({"t": ["1970-01-01T02:00:00+02:00"]})
    a, b = table_views([utc, text], schema)
    assert a.numbers == b.numbers == 0


def test_unreadable_numbers_are_counted_and_become_missing():
    schema = TableSchema((Column("n", "continuous"),))
    (view,) = table_views([pa.table({"n": ["1", "x", "inf", None]})], schema)
    assert view.unreadable == {"n": 2}
    assert np.isnan(view.numbers[1:, 0]).all()


def test_chunked_dictionaries_share_one_vocabulary():
    schema = TableSchema((Column("k", "categorical", levels=("a",)),))
    chunks = [pa.array(["b", "a"]).dictionary_encode(), pa.array(["c", "b"]).dictionary_encode()]
    (view,) = table_views([pa.table({"k": pa.chunked_array(chunks)})], schema)
    assert [view.levels[0][k - 1] for k in view.codes[:, 0]] == ["b", "a", "c", "b"]


def test_a_lacking_column_is_named():
    with pytest.raises(ValueError, match="has no column 'k', 'b'"):
        table_views([pa.table({"n": [1.0], "t": [None]})], SCHEMA)


def test_empty_and_all_null_tables_are_read():
    empty = pa.table({name: pa.nulls(0) for name in ("n", "t", "k", "b")})
    gaps = pa.table({name: pa.nulls(3) for name in ("n", "t", "k", "b")})
    a, b = table_views([empty, gaps], SCHEMA)
    assert len(a) == 0
    assert b.missing().tolist() == [1.0] * 4


def test_shuffling_keeps_each_column_and_breaks_the_rows():
    schema = TableSchema((Column("n", "continuous"), Column("m", "continuous")))
    x = np.arange(100.0)
    (view,) = table_views([pa.table({"n": x, "m": x})], schema)
    mixed = shuffled_columns(view, 0)
    np.testing.assert_array_equal(np.sort(mixed.numbers, axis=0), view.numbers)
    assert abs(np.corrcoef(mixed.numbers.T)[0, 1]) < 0.4
    np.testing.assert_array_equal(mixed.numbers, shuffled_columns(view, 0).numbers)
