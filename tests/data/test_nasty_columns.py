"""Random columns of nasty values: whatever is decided can be applied, twice, and written down."""

import random

import pyarrow as pa
import pytest

from genmodels.data.infer import infer_schema
from genmodels.data.parse import apply_schema
from genmodels.data.schema_file import draft, parse_schema
from genmodels.data.sources.csv_options import DECIMAL

NASTY = [
    *("", "?", " ", "NA", "1", "2", "0", "-1", "3.5", "1,234", "1.234,5", "1,5", "1e5", "inf"),
    *("-inf", "nan", "2013-01-01", "01/02/2013", "2013-01-01T00:00:00Z", "20130101", "yes"),
    *("no", "Yes", "true", "007", "x", "é", 'a"b', "12345678901234567890", "1e400", "-0", "+5"),
    *("$5", "5%", "0x10", "1_000", "१२", "\u00a05", "2013-13-45", "24:00", "C001", "C002"),
    *("9223372036854775807", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", None),
]


def column(seed):
    rng = random.Random(seed)
    pool = rng.sample(NASTY, rng.randint(1, 6))
    values = [rng.choice(pool) for _ in range(rng.choice([2, 3, 30, 150]))]
    raw = pa.table({"x": pa.array(values, pa.string())})
    return raw.replace_schema_metadata({DECIMAL: b","}) if seed % 3 == 0 else raw


@pytest.mark.parametrize("start", range(0, 600, 100))
def test_what_is_decided_can_be_applied_twice_and_written_down(start):
    for seed in range(start, start + 100):
        raw = column(seed)
        schema = infer_schema(raw)
        once = apply_schema(raw, schema)
        assert apply_schema(once, schema).equals(once), (seed, raw)
        assert schema["x"].nullable or once["x"].null_count == 0, (seed, raw)
        assert parse_schema(draft(schema)) == schema, (seed, raw)
        again = apply_schema(raw.slice(1, 2), schema)
        assert again.to_pydict() == once.slice(1, 2).to_pydict(), (seed, raw)


@pytest.mark.parametrize(
    "kind",
    ["continuous", "integer", "categorical", "boolean", "datetime", "identifier", "constant"],
)
def test_a_demanded_kind_is_refused_or_can_be_applied(kind):
    applied = 0
    for seed in range(200):
        raw = column(seed)
        try:
            schema = infer_schema(raw, overrides={"x": {"kind": kind}})
        except ValueError:
            continue
        assert schema["x"].kind == kind
        apply_schema(raw, schema)
        applied += 1
    assert applied
