"""What every column codec promises, over every kind of values it may meet."""

import json

import numpy as np
import pyarrow as pa
import pytest

from genmodels.codecs.columns.build import Recipe, column_from_state
from genmodels.schema import Column

ROWS = 400


def recipe(numeric, **options):
    defaults = {
        "numeric": numeric,
        "point_masses": False,
        "max_modes": 10,
        "min_weight": 0.005,
        "concentration": 0.001,
        "mixture_points": 2048,
        "knots": 1024,
        "max_levels": 64,
        "discrete_below": 0,
        "tokens_below": 0,
        "weekday": "auto",
    }
    return Recipe(**(defaults | options))


RECIPES = {
    "mode_specific": recipe("mode_specific"),
    "mode_specific with point masses": recipe("mode_specific", point_masses=True),
    "quantile": recipe("quantile"),
    "quantile with point masses": recipe("quantile", point_masses=True),
    "tokens": recipe("tokens", max_levels=100_000),
}


def floats(values, **options):
    return Column("x", "continuous", **options), pa.array(np.asarray(values, np.float64))


def whole(values, **options):
    return Column("x", "integer", **options), pa.array(np.asarray(values, np.int64))


def holes(case, share=0.3):
    column, values = case
    mask = np.random.default_rng(9).random(len(values)) < share
    nullable = Column(**(vars(column) | {"nullable": True}))
    return nullable, pa.array(values.to_numpy(), mask=mask)


def numbers():
    rng = np.random.default_rng(0)
    normal = rng.normal(size=ROWS)
    zeros = np.where(rng.random(ROWS) < 0.7, 0, 1)
    return {
        "normal": floats(normal),
        "two far modes": floats(np.where(normal > 0, normal, normal + 1e6)),
        "heavy tail": floats(np.exp(4 * normal)),
        "cents": floats(np.round(np.exp(2 * normal), 2), decimals=2),
        "cents below zero": floats(np.round(normal * 1000, 2), decimals=2),
        "many zeros": floats(np.where(zeros, normal - 5, 0.0)),
        "few tied values": floats(rng.choice([0.1, 1 / 3, 2.7], ROWS)),
        "one value": floats(np.full(ROWS, 3.7)),
        "two values": floats(rng.choice([-1.0, 1.0], ROWS)),
        "1e308": floats(rng.choice([-1e308, 0.0, 1.7e308, 1e307], ROWS)),
        "spread to 1e308": floats(rng.uniform(-1, 1, ROWS) * 1e308),
        "denormal": floats(rng.random(ROWS) * 1e-310),
        "tiny range, large offset": floats(1e9 + rng.random(ROWS) * 1e-5),
        "negative zero": floats(np.where(zeros, -0.0, 0.0)),
        "one row": floats([2.5]),
        "two rows": floats([2.5, -1.0]),
        "ages": whole(rng.gamma(9, 4, ROWS) + 17),
        "many zeros, far outlier": whole(
            np.append(zeros[1:] * rng.integers(1, 3000, ROWS - 1), 99999)
        ),
        "one outlier": whole(np.append(rng.integers(0, 9, ROWS - 1), 100_000)),
        "wide": whole(rng.integers(0, 1_000_000, ROWS)),
        "below zero": whole(rng.integers(-5000, -4000, ROWS)),
        "large offset": whole(2**60 + rng.integers(0, 100, ROWS)),
        "one whole value": whole(np.full(ROWS, 7)),
        "one whole row": whole([4]),
        "normal with holes": holes(floats(normal)),
        "ages with holes": holes(whole(rng.gamma(9, 4, ROWS) + 17)),
        "zeros with holes": holes(whole(zeros * rng.integers(1, 3000, ROWS))),
        "all missing": (Column("x", "continuous", nullable=True), pa.nulls(ROWS, pa.float64())),
        "all missing, whole": (Column("x", "integer", nullable=True), pa.nulls(ROWS, pa.int64())),
    }


def moments(texts_or_micros, zone=None, **options):
    values = pa.array(np.asarray(texts_or_micros, np.int64)).cast(pa.timestamp("us", zone))
    return Column("x", "datetime", timezone=zone, **options), values


DAY, HOUR = 86_400_000_000, 3_600_000_000


def times():
    rng = np.random.default_rng(0)
    days = rng.integers(0, 900, ROWS) * DAY + 18_000 * DAY
    office = days[(days // DAY + 3) % 7 < 5]
    hours = 1_698_000_000_000_000 // HOUR * HOUR + rng.integers(0, 400, ROWS) * HOUR
    halves = rng.integers(0, 60_000, ROWS) * HOUR // 2
    return {
        "days": moments(days),
        "days before 1970": moments(-days),
        "working days": moments(office),
        "days in UTC": moments(days, "UTC"),
        "midnights of New York": moments(
            days + np.where(days // DAY % 365 > 180, 4, 5) * HOUR, "America/New_York"
        ),
        "hours around the change": moments(hours, "Europe/Berlin"),
        "Lord Howe, half hours": moments(1_600_000_200_000_000 + halves, "Australia/Lord_Howe"),
        "fixed offset": moments(hours, "+05:30"),
        "minutes": moments(days + rng.integers(0, 1440, ROWS) * 60_000_000),
        "seconds": moments(days + rng.integers(0, 86_400, ROWS) * 1_000_000),
        "milliseconds": moments(days + rng.integers(0, 86_400_000, ROWS) * 1000),
        "microseconds": moments(days + rng.integers(0, DAY, ROWS)),
        "microseconds in Berlin": moments(days + rng.integers(0, DAY, ROWS), "Europe/Berlin"),
        "one moment": moments(np.full(ROWS, 18_000 * DAY + 12 * HOUR)),
        "one row of time": moments([18_000 * DAY + 5]),
        "all missing times": (
            Column("x", "datetime", nullable=True),
            pa.nulls(ROWS, pa.timestamp("us")),
        ),
        "days with holes": (
            Column("x", "datetime", nullable=True, timezone="UTC"),
            pa.array(days, mask=rng.random(ROWS) < 0.3).cast(pa.timestamp("us", "UTC")),
        ),
        "hours with holes": (
            Column("x", "datetime", nullable=True),
            pa.array(hours, mask=rng.random(ROWS) < 0.3).cast(pa.timestamp("us")),
        ),
    }


def coded(levels, rows=ROWS, holes=0.0, **options):
    rng = np.random.default_rng(0)
    indices = pa.array(
        rng.integers(0, len(levels), rows).astype(np.int32), mask=rng.random(rows) < holes
    )
    column = Column("x", "categorical", levels=tuple(levels), nullable=holes > 0, **options)
    return column, pa.DictionaryArray.from_arrays(indices, pa.array(levels))


def categories():
    rng = np.random.default_rng(0)
    colours = ["red", "green", "blue", "ünï", ""]
    reverse = coded(colours[::-1])[1]
    flags = rng.random(ROWS) < 0.3
    return {
        "colours": coded(colours),
        "dictionary in another order": (coded(colours)[0], reverse),
        "colours with holes": coded(colours, holes=0.3),
        "whole-number codes": coded([3, 1, 2]),
        "one level": coded(["a"]),
        "one coloured row": coded(colours, rows=1),
        "open set": coded(colours, closed=False),
        "all missing categories": coded(colours, holes=1.1),
        "booleans": (Column("x", "boolean", levels=(False, True)), pa.array(flags)),
        "booleans with holes": (
            Column("x", "boolean", levels=(False, True), nullable=True),
            pa.array(flags, mask=rng.random(ROWS) < 0.2),
        ),
        "zero and one": (
            Column("x", "boolean", levels=(0, 1)),
            pa.array(flags.astype(np.int64)).dictionary_encode(),
        ),
        "yes and no": (
            Column("x", "boolean", levels=("no", "yes")),
            pa.array(np.where(flags, "yes", "no")).dictionary_encode(),
        ),
    }


def rest():
    mixed = pa.array(["a", None] * (ROWS // 2))
    return {
        "constant text": (Column("x", "constant", value="a"), pa.array(["a"] * ROWS)),
        "constant number": (Column("x", "constant", value=1.5), pa.array([1.5] * ROWS)),
        "constant date": (
            Column("x", "constant", value="2020-01-01"),
            pa.array([0] * ROWS).cast(pa.timestamp("us", "UTC")),
        ),
        "nothing at all": (Column("x", "constant", nullable=True), pa.nulls(ROWS)),
        "nothing, typed": (Column("x", "constant", nullable=True), pa.nulls(ROWS, pa.int64())),
        "constant or missing": (Column("x", "constant", value="a", nullable=True), mixed),
    }


NUMBERS, TIMES, OTHERS = numbers(), times(), categories() | rest()
CASES = [
    *[(r, n) for r in RECIPES for n in NUMBERS],
    *[(r, n) for r in ("mode_specific", "quantile", "quantile with point masses") for n in TIMES],
    *[("quantile", n) for n in OTHERS],
]
DATA = NUMBERS | TIMES | OTHERS


@pytest.fixture(params=CASES, ids=[f"{r}: {n}" for r, n in CASES], scope="module")
def fitted(request):
    which, name = request.param
    column, values = DATA[name]
    chunked = pa.chunked_array([values])
    return RECIPES[which].fit(column, chunked, np.random.default_rng(0)), column, values


def encode(codec, values, seed=1):
    return codec.encode(values, np.random.default_rng(seed))


def decode(codec, parts, seed=2, start=0):
    return codec.decode(*parts, np.random.default_rng(seed), start)


def test_decoding_gives_back_the_values_to_the_stated_tolerance(fitted):
    codec, column, values = fitted
    back = decode(codec, encode(codec, values))
    assert back.type == values.type
    assert back.is_null().equals(values.is_null())
    if column.kind != "continuous" or column.decimals is not None:
        assert codec.tolerance == 0.0
    if codec.tolerance == 0.0:
        assert back.equals(values) or back.cast(pa.string()).equals(values.cast(pa.string()))
        return
    known, found = (array.drop_null().to_numpy() / 2 for array in (values, back))
    assert codec.tolerance / 2 <= 2e-6 * np.ptp(known)
    assert np.abs(found - known).max() <= codec.tolerance / 2


def test_parts_are_what_the_blocks_say(fitted):
    codec, _, values = fitted
    parts = encode(codec, values)
    continuous = [b for b in codec.blocks if b.kind == "continuous"]
    widths = np.array([b.width for b in codec.blocks if b.kind == "categorical"])
    assert parts[0].shape == (len(continuous), len(values))
    assert parts[0].dtype == np.float32
    assert np.isfinite(parts[0]).all()
    assert (np.abs(parts[0]) <= 1.0).all()
    assert parts[1].shape == (len(widths), len(values))
    assert parts[1].dtype == np.int32
    assert ((parts[1] >= 0) & (parts[1] < widths[:, None])).all()
    assert all(b.width == 1 for b in continuous)
    assert all(b.name == "x" or b.name.startswith("x.") for b in codec.blocks)


def test_state_is_json_and_rebuilds_the_codec_to_the_bit(fitted):
    codec, column, values = fitted
    text = json.dumps(codec.state(), allow_nan=False)
    twin = column_from_state(column, json.loads(text))
    assert json.dumps(twin.state()) == text
    assert twin.blocks == codec.blocks
    assert twin.tolerance == codec.tolerance
    parts, again = encode(codec, values), encode(twin, values)
    assert np.array_equal(parts[0], again[0])
    assert np.array_equal(parts[1], again[1])
    assert decode(twin, parts).equals(decode(codec, parts))


def test_the_seed_decides_and_chunks_do_not(fitted):
    codec, _, values = fitted
    whole, rng = encode(codec, values), np.random.default_rng(1)
    pieces = [codec.encode(values.slice(low, 37), rng) for low in range(0, len(values), 37)]
    for part in (0, 1):
        assert np.array_equal(whole[part], encode(codec, values)[part])
        assert np.array_equal(whole[part], np.concatenate([p[part] for p in pieces], axis=1))


def test_anything_in_range_decodes_to_a_valid_value(fitted):
    codec, column, values = fitted
    rng = np.random.default_rng(3)
    parts = (
        rng.uniform(-30, 30, (sum(b.kind == "continuous" for b in codec.blocks), 500)),
        np.array(
            [rng.integers(0, b.width, 500) for b in codec.blocks if b.kind == "categorical"]
        ).reshape(-1, 500),
    )
    back = decode(codec, (parts[0].astype(np.float32), parts[1].astype(np.int32)))
    back.validate(full=True)
    assert back.type == values.type
    known = values.drop_null()
    if column.kind in ("continuous", "integer", "datetime") and len(known):
        known, found = known.to_numpy(), back.drop_null().to_numpy()
        assert found.min() >= known.min()
        assert found.max() <= known.max()
    if column.decimals is not None:
        found = back.drop_null().to_numpy()
        assert np.array_equal(np.round(found, column.decimals), found)


def test_no_rows_encode_and_decode_to_no_rows(fitted):
    codec, _, values = fitted
    back = decode(codec, encode(codec, values.slice(0, 0)))
    assert len(back) == 0
    assert back.type == values.type


@pytest.mark.parametrize("which", RECIPES)
def test_missing_values_where_none_were_are_refused(which):
    codec = RECIPES[which].fit(
        Column("age", "integer"), pa.chunked_array([[1, 2, 3]]), np.random.default_rng(0)
    )
    with pytest.raises(ValueError, match=r"'age'.*nullable: true"):
        encode(codec, pa.array([1, None]))


@pytest.mark.parametrize("which", RECIPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(which, bad):
    data = pa.chunked_array([np.array([1.0, bad, 2.0])])
    with pytest.raises(ValueError, match=r"'x'.*infinite values or NaN"):
        RECIPES[which].fit(Column("x", "continuous"), data, np.random.default_rng(0))
    good = pa.chunked_array([[1.0, 2.0]])
    codec = RECIPES[which].fit(Column("x", "continuous"), good, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"'x'.*infinite values or NaN"):
        encode(codec, data.chunk(0))


@pytest.mark.parametrize("which", RECIPES)
def test_the_bounds_of_the_schema_hold_where_they_are_tighter(which):
    column = Column("x", "integer", minimum=0, maximum=10)
    data = pa.chunked_array([np.arange(-5, 20)])
    codec = RECIPES[which].fit(column, data, np.random.default_rng(0))
    back = decode(codec, encode(codec, data.chunk(0))).to_numpy()
    assert (back.min(), back.max()) == (0, 10)
