"""Columns that others determine: which are found, which are not, and how they come back."""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pytest
import torch
import yaml

from genmodels.codecs.columns.derived import Identity, in_order
from genmodels.codecs.identities import find_identities
from genmodels.codecs.load import codec_from_state
from genmodels.codecs.table import TableCodec
from genmodels.schema import Column, TableSchema

CONFIG = Path(__file__).parents[2] / "configs" / "codec" / "tabvae.yaml"
ROWS = 2000


def whole(*names, **options):
    return [Column(name, "integer", **options) for name in names]


def find(columns, data):
    return find_identities(pa.table(data), TableSchema(tuple(columns)), 0)


def fitted(columns, data, **changes):
    config = yaml.safe_load(CONFIG.read_text())
    options = {k: v for k, v in config.items() if not k.startswith("_")} | changes
    return TableCodec.fit(pa.table(data), TableSchema(tuple(columns)), seed=0, **options)


def house(rows=ROWS):
    """Living space = ground floor + basement, half of the houses without a basement."""
    rng = np.random.default_rng(0)
    above = rng.integers(40, 400, rows) * 10
    basement = np.where(rng.random(rows) < 0.5, 0, rng.integers(10, 150, rows) * 10)
    return {"living": above + basement, "above": above, "basement": basement}


def money(rows=ROWS):
    """Net, tax and gross in cents, and gross in another currency."""
    rng = np.random.default_rng(1)
    net = np.rint(np.exp(rng.normal(5, 0.7, rows)) * 100)
    tax = np.rint(net * rng.uniform(0.1, 0.4, rows))
    gross = net + tax
    return {"net": net / 100, "tax": tax / 100, "gross": gross / 100, "foreign": gross / 50}


def cents(*names):
    return [Column(name, "continuous", decimals=2) for name in names]


def test_the_column_with_most_values_and_fewest_point_masses_is_computed():
    (identity,) = find(whole("living", "above", "basement"), house())
    assert identity == Identity("living", ("above", "basement"), (1.0, 1.0))
    assert str(identity) == "living = above + basement"


def test_the_target_is_never_computed():
    columns = [Column("living", "integer", role="target"), *whole("above", "basement")]
    (identity,) = find(columns, house())
    assert identity == Identity("above", ("living", "basement"), (1.0, -1.0))
    assert str(identity) == "above = living - basement"


@pytest.mark.parametrize("column", ["living", "above", "basement"])
def test_an_identity_that_breaks_in_one_row_is_not_used(column):
    data = house()
    data[column][1234] += 1
    assert find(whole(*data), data) == ()


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: x.copy(), (1.0, 0.0)),
        (lambda x: -x, (-1.0, 0.0)),
        (lambda x: 12 * x + 5, (12.0, 5.0)),
        (lambda x: 1000 - 3 * x, (-3.0, 1000.0)),
    ],
)
def test_copies_and_affine_maps_of_whole_numbers_are_found(make, expected):
    x = np.random.default_rng(0).integers(0, 500, ROWS)
    columns = [Column("x", "integer", role="target"), *whole("y")]
    (identity,) = find(columns, {"x": x, "y": make(x)})
    assert (identity.column, identity.sources) == ("y", ("x",))
    assert (*identity.coefficients, identity.constant) == expected


def test_a_change_of_unit_may_be_rounded_to_the_decimals_of_its_column():
    celsius = np.random.default_rng(0).integers(-200, 400, ROWS) / 10
    data = {"celsius": celsius, "fahrenheit": np.round(1.8 * celsius + 32, 1)}
    columns = [Column(name, "continuous", decimals=1) for name in data]
    (identity,) = find(columns, data)
    assert identity == Identity("fahrenheit", ("celsius",), (1.8,), 32.0)


def test_factors_of_too_many_digits_are_not_used():
    x = np.random.default_rng(0).normal(size=ROWS)
    columns = [Column("x", "continuous"), Column("y", "continuous")]
    assert find(columns, {"x": x, "y": x * np.pi}) == ()
    assert find(columns, {"x": x, "y": x * 2.54}) == (Identity("y", ("x",), (2.54,)),)


def clock(rows=ROWS):
    """Hour and minute, and both in one number, as timetables write it."""
    rng = np.random.default_rng(3)
    hour, minute = rng.integers(5, 24, rows), rng.choice([0, 5, 15, 29, 30, 45, 59], rows)
    return {"hour": hour, "minute": minute, "time": 100 * hour + minute}


def test_a_number_that_two_others_make_with_factors_is_found():
    (identity,) = find(whole("hour", "minute", "time"), clock())
    assert identity == Identity("time", ("hour", "minute"), (100.0, 1.0))
    data = clock()
    data["minutes_left"] = 1440 - 60 * data["hour"] - data["minute"]
    (_, left) = find(whole(*data), data)
    assert left == Identity("minutes_left", ("hour", "minute"), (-60.0, -1.0), 1440.0)
    data = clock()
    data["time"][77] += 1
    assert find(whole(*data), data) == ()


def test_a_price_in_two_units_is_found_to_the_cent():
    rng = np.random.default_rng(4)
    litres, kilos = rng.integers(1, 400, ROWS) / 10, rng.integers(1, 90, ROWS)
    data = {"litres": litres, "kilos": kilos, "price": np.round(1.9 * litres + 2.3 * kilos + 4, 2)}
    columns = [
        Column("litres", "continuous", decimals=1),
        *whole("kilos"),
        *cents("price"),
    ]
    (identity,) = find(columns, data)
    assert identity == Identity("price", ("litres", "kilos"), (1.9, 2.3), 4.0)


def test_a_total_of_many_parts_is_found_even_where_some_are_rare():
    rng = np.random.default_rng(5)
    parts = {f"month_{i}": rng.integers(0, 900, ROWS) for i in range(12)}
    parts["bonus"] = np.where(np.arange(ROWS) % 150 == 7, 500, 0)
    data = parts | {"total": np.sum(list(parts.values()), axis=0), "other": rng.normal(size=ROWS)}
    columns = [*whole(*parts, "total"), Column("other", "continuous")]
    (identity,) = find(columns, data)
    assert identity == Identity("total", tuple(parts), (1.0,) * 13)
    drawn = fitted(columns, data)
    assert drawn.identities == (identity,)


def test_a_needless_column_is_left_out_of_a_relation():
    data = clock()
    data["sum"] = data["hour"] + data["minute"]
    found = find(whole(*data), data)
    assert [len(identity.sources) for identity in found] == [2, 2]


def test_few_rows_prove_nothing_about_many_columns():
    rng = np.random.default_rng(6)
    data = {f"x{i}": rng.integers(0, 9, 40) for i in range(45)}
    assert find(whole(*data), data) == ()


def test_copies_make_no_relations_of_two():
    data = clock() | {"copy": clock()["hour"]}
    found = find(whole(*data), data)
    assert [len(identity.sources) for identity in found] == [1, 2]


def test_columns_that_only_go_together_have_no_identity():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 50, ROWS), rng.integers(0, 50, ROWS)
    data = {"x": x, "y": y, "less": x + y - (rng.random(ROWS) < 0.01), "step": (x > 25) * 20}
    data |= {"noisy": x * 3 + rng.integers(0, 2, ROWS)}
    assert find(whole(*data), data) == ()


def test_few_rows_and_columns_that_hardly_vary_prove_nothing():
    data = {name: values[:31] for name, values in house().items()}
    assert find(whole(*data), data) == ()
    rare = np.zeros(ROWS, np.int64)
    rare[[3, 5, 8, 1100]] = 1
    assert find(whole("a", "b"), {"a": rare, "b": rare}) == ()


def test_values_must_be_missing_exactly_together():
    mask = np.random.default_rng(2).random(ROWS) < 0.2
    columns = whole("living", "above", "basement", nullable=True)
    data = {name: pa.array(values, mask=mask) for name, values in house().items()}
    (identity,) = find(columns, data)
    assert identity.column == "living"
    mask[0] = ~mask[0]
    assert find(columns, data | {"above": pa.array(house()["above"], mask=mask)}) == ()


def test_a_column_that_cannot_be_missing_does_not_follow_from_one_that_can():
    columns = [*whole("living"), Column("above", "integer", nullable=True), *whole("basement")]
    (identity,) = find(columns, house())
    assert identity.column == "above"


def test_of_many_columns_those_with_most_values_are_looked_at():
    rng = np.random.default_rng(0)
    many = {f"x{i}": rng.integers(0, 900, ROWS) for i in range(64)}
    few = rng.integers(0, 20, ROWS)
    assert find(whole("a", "b"), {"a": few, "b": few}) != ()
    data = many | {"a": few, "b": few}
    assert find(whole(*data), data) == ()


def test_chains_are_in_order_and_circles_are_refused():
    data = money()
    found = find(cents(*data), data)
    assert len(found) == 2
    known = {"net", "tax", "gross", "foreign"} - {i.column for i in found}
    for identity in found:
        assert set(identity.sources) <= known
        known.add(identity.column)
    a, b = Identity("a", ("b",), (1.0,)), Identity("b", ("a",), (1.0,))
    assert in_order([Identity("c", ("a",), (2.0,)), a]) == (a, Identity("c", ("a",), (2.0,)))
    with pytest.raises(ValueError, match="determine each other"):
        in_order([a, b])
    with pytest.raises(ValueError, match="two identities"):
        in_order([a, Identity("a", ("c",), (1.0,))])


def test_equal_columns_leave_one_to_learn():
    x = np.random.default_rng(0).integers(0, 500, ROWS)
    data = {"a": x, "b": x, "c": x, "d": x + x}
    codec = fitted(whole(*data), data)
    assert len(codec.identities) == 3
    assert len({block.name.split(".")[0] for block in codec.layout.blocks}) == 1


TABLES = {
    "house": (whole("living", "above", "basement"), house()),
    "money": (cents("net", "tax", "gross", "foreign"), money()),
    "house with holes": (
        whole("living", "above", "basement", nullable=True),
        {n: pa.array(v, mask=np.arange(ROWS) % 7 == 0) for n, v in house().items()},
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_with_identities_come_back_exactly_and_load_again(name):
    columns, data = TABLES[name]
    raw, codec = pa.table(data), fitted(columns, data)
    assert codec.identities
    encoded = codec.encode(raw, seed=1)
    computed = {identity.column for identity in codec.identities}
    assert not computed & {block.name.split(".")[0] for block in codec.layout.blocks}
    twin = codec_from_state(json.loads(json.dumps(codec.state(), allow_nan=False)))
    assert twin.identities == codec.identities
    for one in (codec, twin):
        back = one.decode(encoded, rng=np.random.default_rng(0))
        assert back.column_names == raw.column_names
        for column in raw.column_names:
            assert back[column].to_pylist() == raw[column].to_pylist()
            assert back[column].type == raw[column].type


def test_numbers_of_full_precision_come_back_to_the_stated_tolerance():
    rng = np.random.default_rng(0)
    data = {"a": rng.normal(size=ROWS), "b": np.exp(rng.normal(size=ROWS))}
    data["c"] = data["a"] + data["b"]
    codec = fitted([Column(name, "continuous") for name in data], data)
    assert len(codec.identities) == 1
    back = codec.decode(codec.encode(pa.table(data), 0), rng=np.random.default_rng(0))
    for column, own in zip(data, codec.columns, strict=True):
        assert own.tolerance < 1e-4
        assert np.abs(back[column].to_numpy() - data[column]).max() <= own.tolerance


def test_whatever_is_drawn_obeys_the_identity_within_the_range():
    codec = fitted(*TABLES["house"])
    rng = np.random.default_rng(3)
    layout = codec.layout
    values = torch.from_numpy(rng.uniform(-1, 1, (5000, len(layout.continuous))))
    widths = np.array([block.width for block in layout.categorical])
    codes = torch.from_numpy(rng.integers(0, widths, (5000, len(widths))).astype(np.int32))
    made = codec.decode({"values": values.float(), "codes": codes}, rng=rng)
    living, above, basement = (made[name].to_numpy() for name in ("living", "above", "basement"))
    real = house()["living"]
    assert np.array_equal(living, np.clip(above + basement, real.min(), real.max()))
    assert (living == above + basement).mean() > 0.7


def test_no_rows_decode_to_no_rows():
    columns, data = TABLES["house with holes"]
    codec, raw = fitted(columns, data), pa.table(data).slice(0, 0)
    back = codec.decode(codec.encode(raw, 0), rng=np.random.default_rng(0))
    assert back.num_rows == 0
    assert back.schema.types == raw.schema.types


def test_conditions_do_not_depend_on_identities():
    rng = np.random.default_rng(0)
    kinds = pa.array(np.array(["x", "y"])[rng.integers(0, 2, ROWS)]).dictionary_encode()
    columns = [*whole("living"), Column("kind", "categorical", levels=("x", "y"))]
    columns += whole("above", "basement")
    data = {"living": house()["living"], "kind": kinds} | house()
    raw = pa.table({column.name: data[column.name] for column in columns})
    with_, without = (fitted(columns, raw, identities=on, remainders=False) for on in (True, False))
    assert with_.identities
    assert not without.identities
    (one,), (other,) = with_.condition.groups, without.condition.groups
    assert (one.name, one.frequencies, one.levels) == (other.name, other.frequencies, other.levels)
    encoded = with_.encode(raw, 0)
    assert np.array_equal(with_.condition_codes(encoded), with_.condition_codes(raw))
    assert np.array_equal(without.condition_codes(raw), with_.condition_codes(raw))


@pytest.mark.data
@pytest.mark.skipif("GENMODELS_DATA" not in os.environ, reason="GENMODELS_DATA is not set")
def test_the_living_space_of_the_houses_follows_from_its_parts():
    path = Path(os.environ["GENMODELS_DATA"]) / "tables" / "king_house.csv.gz"
    names = ["price", "sqft_living", "sqft_lot", "sqft_above", "sqft_basement", "sqft_living15"]
    raw = csv.read_csv(path).select(names)
    raw = pa.table({name: raw[name].cast(pa.int64()) for name in names})
    found = find(whole(*names), raw)
    assert found == (Identity("sqft_living", ("sqft_above", "sqft_basement"), (1.0, 1.0)),)
