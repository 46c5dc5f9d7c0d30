"""Columns that are learned as a distance from others: which are found, and how they come back."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from genmodels.codecs.aims import Aim
from genmodels.codecs.columns.derived import Identity
from genmodels.codecs.columns.remainder import Remainder
from genmodels.codecs.load import codec_from_state
from genmodels.codecs.remainders import find_remainders
from genmodels.codecs.restrict import Restrictor
from genmodels.codecs.table import TableCodec
from genmodels.sampling.control.partial import PartialRows
from genmodels.schema import Column, TableSchema
from genmodels.wishes import Cells

CONFIG = Path(__file__).parents[2] / "configs" / "codec" / "tabvae.yaml"
ROWS = 1500
SECOND = 1_000_000
TIMES = [Column("start", "datetime"), Column("end", "datetime")]
MONEY = [Column(name, "continuous", decimals=2) for name in ("fare", "tip", "total")]


def times(values, **options):
    return pa.array(np.asarray(values, np.int64), **options).cast(pa.timestamp("us"))


def trips(rows=ROWS):
    """Starts within 60 days, ends some minutes later."""
    rng = np.random.default_rng(0)
    start = (rng.integers(0, 60 * 86400, rows) + 1_600_000_000) * SECOND
    length = np.rint(np.exp(rng.normal(6.5, 0.6, rows))).astype(np.int64) * SECOND
    return {"start": times(start), "end": times(start + length)}


def bills(rows=ROWS):
    """A total of a fare, a tip and one of three surcharges."""
    rng = np.random.default_rng(1)
    fare = np.rint(np.exp(rng.normal(2.5, 0.7, rows)) * 100) / 100
    tip = np.where(rng.random(rows) < 0.4, 0.0, np.rint(fare * rng.uniform(5, 30, rows)) / 100)
    extra = rng.choice([0.5, 1.3, 3.8], rows, p=[0.3, 0.5, 0.2])
    return {"fare": fare, "tip": tip, "total": np.round(fare + tip + extra, 2)}


def find(columns, data, identities=()):
    return find_remainders(pa.table(data), TableSchema(tuple(columns)), identities)


def fitted(columns, data):
    options = yaml.safe_load(CONFIG.read_text())
    options = {k: v for k, v in options.items() if not k.startswith("_")}
    return TableCodec.fit(pa.table(data), TableSchema(tuple(columns)), seed=0, **options)


def test_the_end_of_a_span_is_learned_as_a_duration():
    (found,) = find(TIMES, trips())
    assert found == Identity("end", ("start",), (1.0,), rest=True)
    assert str(found) == "end = start + rest"


def test_times_that_have_nothing_to_do_with_each_other_are_left_alone():
    rng = np.random.default_rng(2)
    data = trips() | {"end": times((rng.integers(0, 60 * 86400, ROWS) + 1_600_000_000) * SECOND)}
    assert find(TIMES, data) == ()


def test_deadlines_that_fall_on_few_days_are_left_alone():
    data = trips()
    month = 30 * 86400 * SECOND
    starts = np.array(data["start"].cast(pa.int64()))
    ends = (starts // (month // 20) + 1) * (month // 20)  # 40 moments
    assert find(TIMES, data | {"end": times(ends)}) == ()


def test_a_total_is_learned_as_what_it_holds_beyond_its_parts():
    (found,) = find(MONEY, bills())
    assert found == Identity("total", ("fare", "tip"), (1.0, 1.0), rest=True)


def test_numbers_that_only_go_together_are_left_alone():
    rng = np.random.default_rng(3)
    data = bills()
    data["total"] = np.round(data["total"] + rng.normal(0, 0.3, ROWS), 2)
    assert find(MONEY, data) == ()


def test_a_column_that_is_there_without_its_source_is_left_alone():
    data = trips()
    gaps = np.zeros(ROWS, bool)
    gaps[7] = True
    start = times(np.array(data["start"].cast(pa.int64())), mask=gaps)
    assert find(TIMES, data | {"start": start}) == ()


def test_ends_on_whole_minutes_are_left_alone_where_starts_are_not():
    data = trips()
    ends = np.array(data["end"].cast(pa.int64()))
    whole = times((ends // (60 * SECOND) + 1) * 60 * SECOND)
    assert find(TIMES, data | {"end": whole}) == ()
    starts = np.array(data["start"].cast(pa.int64())) // (60 * SECOND) * 60 * SECOND
    assert [i.column for i in find(TIMES, {"start": times(starts), "end": whole})] == ["end"]


def test_a_source_may_be_missing_only_where_the_column_may():
    columns = [Column("start", "datetime", nullable=True), TIMES[1]]
    assert find(columns, trips()) == ()
    assert find([columns[0], Column("end", "datetime", nullable=True)], trips())


def test_a_target_may_be_a_total_but_not_a_part_of_one():
    for name, found in (("total", True), ("fare", False)):
        columns = [replace(c, role="target") if c.name == name else c for c in MONEY]
        assert bool([i for i in find(columns, bills()) if i.column == "total"]) == found


def test_what_is_learned_as_a_distance_from_a_column_does_not_tell_it(caplog):
    data = bills(300)
    restrictor = Restrictor(fitted(MONEY, data))
    options = {"unknown": lambda _: True, "slack": 0.0}
    rows = PartialRows(
        raw=pa.table(data), restricts=restrictor, what="predict", without="fare", **options
    )
    assert set(rows.cells) == {"tip"}
    assert "'total' is learned as a distance from 'fare'" in caplog.text
    part = pa.table(data).drop_columns(["fare"])
    with pytest.raises(ValueError, match=r"gives 'total' but not 'fare'.*remainders=false"):
        PartialRows(raw=part, restricts=restrictor, what="complete", **options)


def test_what_belongs_to_a_computed_column_is_left_alone():
    computed = Identity("total", ("fare", "tip"), (1.0, 1.0))
    assert find(MONEY, bills(), (computed,)) == ()


@pytest.mark.parametrize("gaps", [False, True])
def test_rows_come_back_exactly_and_the_codec_loads_again(gaps):
    data = trips() | bills()
    if gaps:
        missing = np.arange(ROWS) % 5 == 0
        data["end"] = times(np.array(data["end"].cast(pa.int64())), mask=missing)
    raw = pa.table(data)
    codec = fitted([*TIMES, *MONEY], data)
    assert [i.column for i in codec.identities] == ["end", "total"]
    twin = codec_from_state(json.loads(json.dumps(codec.state())))
    for one in (codec, twin):
        back = one.decode(one.encode(raw, seed=0), rng=np.random.default_rng(0))
        assert back["start"].equals(raw["start"])
        assert back["end"].equals(raw["end"])
        assert np.allclose(back["total"].to_numpy(), data["total"], atol=1e-9)
    assert twin.layout == codec.layout
    assert twin.identities == codec.identities


def test_surcharges_are_levels_and_durations_are_numbers():
    codec = fitted([*TIMES, *MONEY], trips() | bills())
    rests = {c.column.name: c.own for c in codec.columns if isinstance(c, Remainder)}
    assert rests["total"].levels.tolist() == [0.5, 1.3, 3.8]
    assert len(rests["end"].blocks) >= 1


def test_whatever_is_drawn_ends_after_it_started_and_within_the_range():
    codec = fitted(TIMES, trips())
    rng = np.random.default_rng(4)
    encoded = codec.encode(pa.table(trips()), seed=0)
    mixed = {
        "values": encoded["values"].clone(),
        "codes": encoded["codes"][rng.permutation(ROWS)].clone(),
    }
    start = len(fitted([TIMES[0]], {"start": trips()["start"]}).layout.continuous)
    mixed["values"][:, start:] = encoded["values"][rng.permutation(ROWS)][:, start:]
    back = codec.decode(mixed, rng=rng)
    length = np.array(back["end"].cast(pa.int64())) - np.array(back["start"].cast(pa.int64()))
    assert (length >= 0).all()
    assert back["end"].to_numpy().max() <= trips()["end"].to_numpy().max()


def test_a_column_goes_with_its_source_unless_it_was_set_itself():
    data = bills(300)
    codec = fitted(MONEY, data)
    raw = pa.table(data)
    moved = raw.set_column(0, "fare", pa.array(np.round(data["fare"] + 1.0, 2)))
    total = data["total"].copy()
    total[3] = 12.34
    moved = moved.set_column(2, "total", pa.array(total))
    back = Restrictor(codec).derive(moved, {}, decoded=raw)["total"].to_numpy()
    high = data["total"].max()
    expected = np.minimum(np.round(data["total"] + 1.0, 2), high)
    expected[3] = 12.34
    assert np.allclose(back, expected, atol=1e-9)


def test_a_rest_is_known_where_the_column_and_all_its_sources_are():
    data = bills(300)
    restrictor = Restrictor(fitted(MONEY, data))
    part = restrictor.parts("total")[0]
    everything, some = np.ones(300, bool), np.arange(300) % 2 == 0
    cells = {
        "fare": Cells(pa.array(data["fare"]), everything),
        "tip": Cells(pa.array(data["tip"]), some),
        "total": Cells(pa.array(data["total"]), everything),
    }

    def known(cells):
        return restrictor.known(cells, 300, lambda _: np.random.default_rng(0)).known[:, part]

    assert known(cells).all(1).tolist() == some.tolist()
    assert not known({k: v for k, v in cells.items() if k != "tip"}).any()


def test_a_time_is_told_from_its_rest_and_the_start_that_is_given():
    data = trips(300)
    codec = fitted(TIMES, data)
    later = np.array(data["start"].cast(pa.int64())) + 3600 * SECOND
    given = {"start": Cells(times(later), np.ones(300, bool))}
    aim = Aim(Restrictor(codec), "end")
    assert aim.derived
    found = aim.of_rows(codec.encode(pa.table(data), seed=0), given)
    expected = np.array(data["end"].cast(pa.int64())) + 3600 * SECOND
    assert np.array_equal(found, np.minimum(expected, expected.max() - 3600 * SECOND))
