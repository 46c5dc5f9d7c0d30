"""The table codec: layout, conditions, whole tables there and back, options, loading."""

import inspect
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pytest
import torch
import yaml

from genmodels.codecs.load import codec_from_state
from genmodels.codecs.table import TableCodec
from genmodels.layout import Expand
from genmodels.schema import Column, TableSchema

CONFIGS = Path(__file__).parents[2] / "configs" / "codec"
NAMES = ("mode_specific", "quantile", "tabvae")


def options(name, **changes):
    config = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
    return {k: v for k, v in config.items() if not k.startswith("_")} | changes


def table(rows=600):
    rng = np.random.default_rng(0)
    colours, jobs = pa.array(["red", "green", "blue"]), pa.array([f"job {i}" for i in range(40)])
    schema = TableSchema(
        (
            Column("id", "identifier", format="P{:05d}"),
            Column("income", "continuous", decimals=2, nullable=True),
            Column("age", "integer"),
            Column("children", "integer"),
            Column("colour", "categorical", levels=("red", "green", "blue"), nullable=True),
            Column("job", "categorical", levels=tuple(jobs.to_pylist())),
            Column("member", "boolean", levels=(False, True), role="target"),
            Column("joined", "datetime", timezone="Europe/Berlin"),
            Column("country", "constant", value="CH"),
        )
    )
    missing = rng.random(rows) < 0.2
    coded = pa.array(rng.integers(0, 3, rows).astype(np.int32), mask=missing)
    days = rng.integers(0, 1000, rows) * 24 - 1
    raw = pa.table(
        {
            "id": [f"P{i + 1:05d}" for i in range(rows)],
            "income": pa.array(np.round(np.exp(rng.normal(7, 1, rows)), 2), mask=missing),
            "age": rng.gamma(9, 4, rows).astype(np.int64) + 17,
            "children": rng.integers(0, 5, rows),
            "colour": pa.DictionaryArray.from_arrays(coded, colours),
            "job": pa.DictionaryArray.from_arrays(rng.integers(0, 40, rows).astype(np.int32), jobs),
            "member": rng.random(rows) < 0.3,
            "joined": pa.array(days * 3_600_000_000).cast(pa.timestamp("us", "Europe/Berlin")),
            "country": ["CH"] * rows,
        }
    )
    return raw, schema


@pytest.fixture(params=NAMES, scope="module")
def fitted(request):
    raw, schema = table()
    codec = TableCodec.fit(raw, schema, seed=0, **options(request.param))
    return codec, raw, codec.encode(raw, seed=1)


def test_a_table_comes_back_exactly(fitted):
    codec, raw, encoded = fitted
    back = codec.decode(encoded, rng=np.random.default_rng(0))
    assert back.column_names == raw.column_names
    for name in raw.column_names:
        assert back[name].to_pylist() == raw[name].to_pylist(), name
        assert back[name].type == raw[name].type


def test_the_layout_describes_the_encoded_rows(fitted):
    codec, raw, encoded = fitted
    assert encoded["values"].dtype == torch.float32
    assert encoded["codes"].dtype == torch.int32
    assert encoded["values"].shape == (raw.num_rows, len(codec.layout.continuous))
    assert encoded["codes"].shape == (raw.num_rows, len(codec.layout.categorical))
    dense = Expand(codec.layout)(encoded)
    assert dense.shape == (raw.num_rows, codec.layout.width)
    for block in codec.layout.categorical:
        assert (dense[:, codec.layout.slices[block.name]].sum(dim=1) == 1).all()


def test_conditions_are_the_discrete_columns_and_point_into_the_rows(fitted):
    codec, raw, encoded = fitted
    assert [g.name for g in codec.condition.groups] == ["colour", "job", "member"]
    codes = codec.condition_codes(encoded)
    assert np.array_equal(codes, codec.condition_codes(raw))
    assert codes.shape == (raw.num_rows, 3)
    dense = Expand(codec.layout)(encoded).numpy()
    for g, group in enumerate(codec.condition.groups):
        block = codec.layout.categorical[group.code]
        assert (block.name, block.width) == (group.name, group.size)
        assert group.start == codec.layout.offsets[group.code]
        rows = np.arange(raw.num_rows)
        assert (dense[rows, group.start + codes[:, g]] == 1).all()
        shares = np.bincount(codes[:, g], minlength=group.size) / raw.num_rows
        assert group.frequencies == pytest.approx(shares)
        assert len(group.levels) == group.size
    assert codec.condition.groups[2].levels == ("False", "True")


def test_a_saved_codec_is_the_same_codec(fitted):
    codec, raw, encoded = fitted
    twin = codec_from_state(json.loads(json.dumps(codec.state(), allow_nan=False)))
    assert twin.state() == codec.state()
    assert twin.layout == codec.layout
    assert twin.condition == codec.condition
    again = twin.encode(raw, seed=1)
    assert all(torch.equal(again[name], encoded[name]) for name in encoded)
    decoded = [c.decode(encoded, rng=np.random.default_rng(5)) for c in (codec, twin)]
    assert decoded[0].equals(decoded[1])


def test_the_seed_decides_and_the_chunks_of_the_table_do_not(fitted):
    codec, raw, encoded = fitted
    pieces = pa.concat_tables([raw.slice(low, 70) for low in range(0, raw.num_rows, 70)])
    again = codec.encode(pieces, seed=1)
    assert all(torch.equal(again[name], encoded[name]) for name in encoded)
    other = codec.encode(raw, seed=2)
    assert not all(torch.equal(other[name], encoded[name]) for name in encoded)


def test_identifiers_go_on_from_the_first_row_of_a_block(fitted):
    codec, _, encoded = fitted
    block = {name: tensor[:2] for name, tensor in encoded.items()}
    back = codec.decode(block, rng=np.random.default_rng(0), start=100)
    assert back["id"].to_pylist() == ["P00101", "P00102"]


def test_values_that_are_not_finite_are_an_error(fitted):
    codec, _, encoded = fitted
    broken = encoded | {"values": encoded["values"] * torch.nan}
    with pytest.raises(ValueError, match="not finite"):
        codec.decode(broken, rng=np.random.default_rng(0))


def test_a_state_holds_no_rows():
    raw, schema = table(3000)
    state = json.dumps(TableCodec.fit(raw, schema, seed=0, **options("quantile")).state())
    incomes = raw["income"].drop_null().sort()[1:-1]
    kept = sum(json.dumps(value) in state for value in incomes.to_pylist()[::10])
    assert kept < 5
    assert "P00007" not in state


def test_columns_named_like_parts_of_others_do_not_collide():
    schema = TableSchema(
        (Column("a", "integer"), Column("a.mode", "categorical", levels=("u", "v")))
    )
    raw = pa.table({"a": np.arange(40), "a.mode": pa.array(["u", "v"] * 20).dictionary_encode()})
    codec = TableCodec.fit(raw, schema, seed=0, **options("mode_specific"))
    assert len(codec.layout.slices) == len(codec.layout.blocks)
    back = codec.decode(codec.encode(raw, 0), rng=np.random.default_rng(0))
    assert back.to_pylist() == raw.to_pylist()


def test_a_table_without_anything_to_learn_still_has_rows():
    schema = TableSchema((Column("id", "identifier", format="integer"),))
    raw = pa.table({"id": np.arange(5) + 1})
    codec = TableCodec.fit(raw, schema, seed=0, **options("quantile"))
    assert codec.layout.width == 0
    assert codec.decode(codec.encode(raw, 0), rng=np.random.default_rng(0)).equals(raw)


def test_a_missing_column_is_named():
    raw, schema = table(50)
    with pytest.raises(ValueError, match="lacks the columns 'age'"):
        TableCodec.fit(raw.drop(["age"]), schema, seed=0, **options("quantile"))


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_in_the_yaml_and_nothing_else(name):
    parameters = inspect.signature(TableCodec.fit).parameters
    wanted = {k for k, p in parameters.items() if p.kind == p.KEYWORD_ONLY} - {"seed"}
    assert set(options(name)) == wanted


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"numeric": "gmm"}, "codec.numeric must be"),
        ({"weekday": "monday"}, "codec.weekday must be"),
        ({"max_modes": 0}, "codec.max_modes must be at least 1"),
        ({"max_levels": 1}, "codec.max_levels must be at least 2"),
        ({"knots": 3}, "codec.knots must be at least 16"),
        ({"tokens_below": -1}, "codec.tokens_below must be at least 0"),
    ],
)
def test_options_out_of_range_are_refused_with_their_key(change, match):
    raw, schema = table(50)
    with pytest.raises(ValueError, match=match):
        TableCodec.fit(raw, schema, seed=0, **options("quantile", **change))


def test_integer_columns_with_few_values_become_levels_when_asked():
    raw, schema = table()
    few = TableCodec.fit(raw, schema, seed=0, **options("quantile", discrete_below=6))
    never = TableCodec.fit(raw, schema, seed=0, **options("quantile", discrete_below=5))
    kinds = [{b.name: b.kind for b in c.layout.blocks}["children"] for c in (few, never)]
    assert kinds == ["categorical", "continuous"]


def kinds_of_numbers(rows, **changes):
    rng = np.random.default_rng(0)
    column = {"price": np.round(rng.integers(0, 50, rows) * 12.5, 1), "age": np.arange(rows) % 50}
    schema = TableSchema((Column("price", "continuous", decimals=1), Column("age", "integer")))
    codec = TableCodec.fit(pa.table(column), schema, seed=0, **options("quantile", **changes))
    return [block.kind for block in codec.layout.blocks]


def test_numbers_with_few_values_become_levels_when_asked_whole_or_not():
    assert kinds_of_numbers(600, tokens_below=50) == ["categorical"] * 2
    assert kinds_of_numbers(600, tokens_below=49) == ["continuous"] * 2


def test_numbers_of_few_rows_do_not_become_levels_because_of_that():
    assert kinds_of_numbers(390, tokens_below=50) == ["continuous"] * 2


def test_an_unknown_state_is_refused():
    with pytest.raises(ValueError, match="'table' or 'image', got 'sound'"):
        codec_from_state({"codec": "sound"})


@pytest.mark.data
@pytest.mark.skipif("GENMODELS_DATA" not in os.environ, reason="GENMODELS_DATA is not set")
@pytest.mark.parametrize("name", NAMES)
def test_adult_comes_back_exactly(name):
    raw = csv.read_csv(Path(os.environ["GENMODELS_DATA"]) / "tables" / "adult_train.csv.gz")
    columns, arrays = [], []
    for column, data in zip(raw.column_names, raw.columns, strict=True):
        if pa.types.is_integer(data.type):
            columns.append(Column(column, "integer"))
        else:
            data = data.dictionary_encode().unify_dictionaries()
            levels = tuple(data.chunk(0).dictionary.to_pylist())
            columns.append(Column(column, "categorical", levels=levels))
        arrays.append(data)
    typed = pa.table(arrays, names=raw.column_names)
    codec = TableCodec.fit(typed, TableSchema(tuple(columns)), seed=0, **options(name))
    back = codec.decode(codec.encode(typed, 0), rng=np.random.default_rng(0))
    for column in raw.column_names:
        assert back[column].to_pylist() == raw[column].to_pylist()
