"""A split is seeded, recorded by its recipe, and proves itself when it is rebuilt."""

import numpy as np
import pyarrow as pa
import pytest

from genmodels.data.splits import Split


def test_parts_cover_all_rows_once():
    split = Split(rows=1000, seed=0)
    parts = [split.train, split.val, split.test]
    assert [len(part) for part in parts] == [720, 80, 200]
    assert sorted(np.concatenate(parts)) == list(range(1000))
    assert all((np.diff(part) > 0).all() for part in parts)


def test_the_seed_decides():
    assert np.array_equal(Split(rows=100, seed=1).test, Split(rows=100, seed=1).test)
    assert not np.array_equal(Split(rows=100, seed=1).test, Split(rows=100, seed=2).test)


def test_validation_is_capped_and_shares_may_be_nothing():
    assert len(Split(rows=1000, seed=0, most_validation=10).val) == 10
    none = Split(rows=10, seed=0, holdout=0.0, validation=0.0)
    assert len(none.train) == 10
    assert len(Split(rows=5, seed=0).test) == 1


def test_it_comes_back_from_json_and_notices_a_change():
    split = Split(rows=100, seed=3, fingerprint="f")
    again = Split.from_state(split.state())
    assert np.array_equal(split.train, again.train)
    with pytest.raises(ValueError, match="cannot be rebuilt"):
        Split.from_state(split.state() | {"digest": "0" * 64})


def test_it_takes_rows_and_refuses_other_data():
    split = Split(rows=10, seed=0)
    table = pa.table({"x": list(range(10))})
    train, validation, holdout = split.take(table)
    assert train["x"].to_pylist() == split.train.tolist()
    assert (len(validation), len(holdout)) == (1, 2)
    with pytest.raises(ValueError, match="10 rows when"):
        split.take(table.slice(1))


@pytest.mark.parametrize("options", [{"holdout": 1.0}, {"validation": -0.1}, {"holdout": "some"}])
def test_a_share_out_of_range_is_refused(options):
    with pytest.raises(ValueError, match=f"data.{next(iter(options))} must be"):
        Split(rows=10, seed=0, **options)


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_too_few_rows_are_refused(rows):
    with pytest.raises(ValueError, match="too few"):
        Split(rows=rows, seed=0)
