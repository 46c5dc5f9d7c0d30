"""DataFrames of any dtype."""

import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from genmodels.data.infer import infer_schema
from genmodels.data.parse import apply_schema
from genmodels.data.sources.frame import Frame
from genmodels.data.sources.parts import notes_of

ROWS = 120


def frame():
    rng = np.random.default_rng(0)
    text = pd.Series([["a", "b"][i % 2] for i in range(ROWS)])
    return pd.DataFrame(
        {
            "float": rng.normal(size=ROWS),
            "gaps": np.where(np.arange(ROWS) % 5, np.arange(ROWS) * 3.0, np.nan),
            "nullable": pd.array([None, *range(5, ROWS + 4)], dtype="Int64"),
            "flag": pd.array([True, None] * (ROWS // 2), dtype="boolean"),
            "text": text.where(text != "b", None),
            "string": text.astype("string"),
            "category": pd.Categorical(text, categories=["b", "c", "a"]),
            "cut": pd.cut(rng.normal(size=ROWS), [-9, 0, 9]),
            "zoned": pd.date_range("2020-01-01", periods=ROWS, tz="Europe/Berlin"),
            "period": pd.period_range("2020-01", periods=ROWS, freq="M"),
            "span": pd.to_timedelta(np.arange(ROWS) * 1.5, unit="s"),
            "mixed": pd.Series([1, "x", 2.5, None] * (ROWS // 4), dtype=object),
            "decimal": [decimal.Decimal(i) / 4 for i in range(ROWS)],
            "sparse": pd.arrays.SparseArray([0, 0, 1.5] * (ROWS // 3)),
        }
    )


def test_kinds_of_dtypes():
    raw = Frame(frame=frame()).load()
    schema = infer_schema(raw)
    kinds = {c.name: c.kind for c in schema.columns}
    assert kinds == {
        "float": "continuous",
        "gaps": "integer",
        "nullable": "integer",
        "flag": "boolean",
        "text": "categorical",
        "string": "categorical",
        "category": "categorical",
        "cut": "categorical",
        "zoned": "datetime",
        "period": "datetime",
        "span": "continuous",
        "mixed": "categorical",
        "decimal": "continuous",
        "sparse": "continuous",
    }
    assert schema["category"].levels == ("b", "a")
    assert schema["zoned"].timezone == "Europe/Berlin"
    assert schema["mixed"].nullable
    assert any("'mixed' mixes float, int, str" in note for note in notes_of(raw))
    typed = apply_schema(raw, schema)
    assert apply_schema(typed, schema).equals(typed)


def test_names_and_index():
    raw = Frame(frame=pd.DataFrame([[1, 2], [3, 4]], columns=[0, 0])).load()
    assert raw.column_names == ["0", "0.1"]
    with_index = pd.DataFrame({"a": [1, 2]}, index=pd.Index([5, 6], name="key"))
    raw = Frame(frame=with_index).load()
    assert raw.column_names == ["a"]
    assert any("'key' is left out" in note for note in notes_of(raw))


def test_what_is_refused():
    two = pd.DataFrame({("a", "b"): [1, 2]})
    with pytest.raises(ValueError, match="several levels"):
        Frame(frame=two).load()
    with pytest.raises(ValueError, match="complex"):
        Frame(frame=pd.DataFrame({"a": [1j, 2j]})).load()
    with pytest.raises(ValueError, match="no rows"):
        Frame(frame=pd.DataFrame({"a": []})).load()


def test_fingerprint_is_of_the_values():
    a = Frame(frame=frame()).fingerprint()
    assert a == Frame(frame=frame()).fingerprint()
    changed = frame()
    changed.loc[3, "float"] = 0.5
    assert a != Frame(frame=changed).fingerprint()
    other_type = frame().astype({"gaps": "float32"})
    assert pa.types.is_float32(Frame(frame=other_type).load()["gaps"].type)
    assert a != Frame(frame=other_type).fingerprint()
