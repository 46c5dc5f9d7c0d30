"""Tables larger than memory: who sees which rows, what a sample lacks, files of encoded rows."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from genmodels.data.streaming.buckets import Buckets
from genmodels.data.streaming.reservoir import Reservoir
from genmodels.data.streaming.sketch import numbered, sketched
from genmodels.data.streaming.split import StreamSplit, hashed

ROWS = 5000
KNOWN = [661968332935509762, 3474391977786370804, 7366105610827327673]


def split(**changes):
    return StreamSplit(**{"seed": 3, "holdout": 0.2, "validation": 0.1, "most_validation": 200}
                       | changes)  # fmt: skip


def cut(table, size):
    return [table.slice(start, size) for start in range(0, len(table), size)]


def texts(**changed):
    """A table as CSV files give it, where row 4321 may hold something rare."""
    rng = np.random.default_rng(0)
    columns = {
        "number": [f"{x:.2f}" for x in rng.normal(size=ROWS)],
        "whole": [str(x) for x in rng.integers(0, 5000, ROWS)],
        "level": list(rng.choice(["a", "b", "c"], ROWS)),
        "day": [str(np.datetime64("2020-01-01") + int(d)) for d in rng.integers(0, 3000, ROWS)],
        "row": [str(k) for k in range(ROWS)],
    }
    for name, value in changed.items():
        columns[name][4321] = value
    return pa.table(columns)


def training_number(part):
    """A seed with which row 4321 trains and is not in a sample of `part` rows."""
    for seed in range(1000):
        own = split(seed=seed, validation=0.0)
        found = sketched(cut(texts(), 700), own, most=part)
        if own.trains(np.array([4321]))[0] and "4321" not in found.sample["row"].to_pylist():
            return seed
    raise AssertionError("no such seed")


def test_hashes_are_uniform_independent_and_the_same_everywhere():
    numbers = np.arange(200_000)
    first, second = (hashed(numbers, seed=0, stream=s) / 2.0**64 for s in ("holdout", "order"))
    for draws in (first, second):
        assert abs(draws.mean() - 0.5) < 0.004
        assert abs(draws.std() - 12**-0.5) < 0.004
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.01
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.01
    known = hashed(np.array([0, 1, 10**12]), seed=0, stream="order")
    assert known.tolist() == KNOWN


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_a_reservoir_keeps_the_lowest_and_gives_back_the_rest(size):
    rng = np.random.default_rng(1)
    order = rng.permutation(500).astype(np.uint64)
    table = pa.table({"row": np.arange(500)})
    reservoir, out = Reservoir(40), []
    for part, numbers in numbered(cut(table, size)):
        for left, which in reservoir.offer((part, numbers), order[numbers]):
            assert left["row"].to_pylist() == which.tolist()
            out += which.tolist()
    (kept, numbers), ranks, last = reservoir.finish()
    out += [] if last is None else last[1].tolist()
    assert kept["row"].to_pylist() == numbers.tolist() == np.argsort(order)[:40].tolist()
    assert ranks.tolist() == list(range(40))
    assert sorted(out + numbers.tolist()) == list(range(500))


@pytest.mark.parametrize("size", [64, 5000])
def test_each_row_has_one_part_whatever_the_pieces(size):
    found = sketched(cut(texts(), size), split(), most=1000, most_holdout=300)
    counts = found.split.counts
    assert counts["rows"] == ROWS == counts["train"] + counts["validation"] + counts["holdout"]
    assert counts["validation"] == 200
    assert 900 < counts["holdout"] < 1100
    numbers = np.arange(ROWS)
    train, held = found.split.trains(numbers), found.split.held_out(numbers)
    assert train.sum() == counts["train"]
    assert not (train & held).any()
    validation = sorted(int(x) for x in found.validation["row"].to_pylist())
    assert validation == np.flatnonzero(~train & ~held).tolist()
    rows = [int(x) for x in found.telling["row"].to_pylist()]
    assert train[rows].all()
    assert 1000 <= len(rows) <= 1020
    kept = [int(x) for x in found.holdout["row"].to_pylist()]
    assert held[kept].all()
    assert len(kept) == 300
    again = StreamSplit.from_state(found.split.state())
    assert again == found.split


@pytest.mark.parametrize(
    ("column", "value"),
    [("level", "z"), ("level", None), ("number", "n/a"), ("number", "1e9"), ("number", "-1e9"),
     ("whole", "17.5"), ("whole", "99999"), ("day", "2031-01-01"), ("day", "1999-01-01"),
     ("number", None)],
)  # fmt: skip
def test_what_a_sample_lacks_is_shown_by_a_row(column, value):
    seed = training_number(1000)
    found = sketched(
        cut(texts(**{column: value}), 700), split(seed=seed, validation=0.0), most=1000
    )
    assert "4321" in found.telling["row"].to_pylist()
    assert value in found.telling[column].to_pylist()
    assert len(found.telling) <= 1000 + 200 + 20


def test_typed_columns_have_witnesses_too():
    seed = training_number(1000)
    rng = np.random.default_rng(2)
    columns = {
        "flag": rng.random(ROWS) < 2,
        "number": rng.normal(size=ROWS),
        "code": rng.integers(0, 9, ROWS),
        "word": pa.array(rng.choice(["a", "b"], ROWS)).dictionary_encode(),
        "row": np.arange(ROWS),
    }
    for name, value in (("flag", False), ("number", 50.0), ("code", 77)):
        columns[name][4321] = value
    found = sketched(cut(pa.table(columns), 700), split(seed=seed, validation=0.0), most=1000)
    assert pc.max(found.telling["number"]).as_py() == 50.0
    assert {False, True} == set(found.telling["flag"].to_pylist())
    assert 77 in found.telling["code"].to_pylist()


def test_nan_as_text_hides_no_fraction():
    seed = training_number(1000)
    table = texts(whole="17.5")
    whole = table["whole"].to_pylist()
    whole[:4000:50] = ["NaN"] * 80
    table = table.set_column(1, "whole", [whole])
    found = sketched(cut(table, 700), split(seed=seed, validation=0.0), most=1000)
    assert "17.5" in found.telling["whole"].to_pylist()


def test_levels_that_come_all_at_once_are_not_lost():
    level = ["a"] * 4000 + [f"level {k}" for k in range(400)] + ["b"] * 600
    table = texts().set_column(2, "level", [level])
    found = sketched(cut(table, 500), split(validation=0.0), most=100, most_levels=50)
    assert len(set(found.telling["level"].to_pylist())) > 50


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="2 rows are too few"):
        sketched([texts().slice(0, 2)], split(holdout=0.0, validation=0.5), most=10)
    with pytest.raises(ValueError, match="too few"):
        sketched([], split(), most=10)


def encoded(count, start=0):
    numbers = np.arange(start, start + count)
    values = torch.from_numpy(np.stack([numbers, -numbers], 1).astype(np.float32))
    codes = torch.from_numpy((numbers[:, None] % 7).astype(np.int32))
    return {"values": values, "codes": codes}, (numbers[:, None] % 3).astype(np.int32), numbers


def test_buckets_hold_each_row_once_as_it_was(tmp_path):
    buckets = Buckets(folder=tmp_path, rows=300_000, seed=5, widths=(2, 1, 1))
    for start in range(0, 300_000, 70_000):
        buckets.add(*encoded(min(70_000, 300_000 - start), start))
    assert buckets.count == 3 == len(buckets.sizes)
    assert len(buckets) == 300_000
    assert all(abs(size - 100_000) < 1500 for size in buckets.sizes)
    assert list(tmp_path.iterdir()) == []  # nothing is left, however the process ends
    seen = []
    for bucket in (2, 0, 1):
        rows, told = buckets.read(bucket)
        numbers = rows["values"][:, 0].long()
        assert torch.equal(rows["values"][:, 1].long(), -numbers)
        assert torch.equal(rows["codes"][:, 0].long(), numbers % 7)
        assert torch.equal(told[:, 0], numbers % 3)
        assert told.dtype == torch.int64
        assert numbers.diff().min() > 0  # the order of the data
        seen.append(numbers)
    assert torch.equal(torch.cat(seen).sort().values, torch.arange(300_000))
    buckets.close()
