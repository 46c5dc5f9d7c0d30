import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from genmodels.data.dtypes import frame_dtypes, to_frame
from genmodels.data.sources.frame import frame_table

SERIES = {
    "float32": pd.Series([1.5, 2.5, np.nan], dtype="float32"),
    "int16": pd.Series([1, 2, 3], dtype="int16"),
    "Int64": pd.Series([1, None, 2**60 + 1], dtype="Int64"),
    "Float64": pd.Series([1.5, None, 2.0], dtype="Float64"),
    "bool": pd.Series([True, False, True]),
    "boolean": pd.Series([True, None, False], dtype="boolean"),
    "object": pd.Series(["a", np.nan, "b"], dtype=object),
    "string": pd.Series(["a", None, "b"], dtype="string"),
    "naive": pd.Series(pd.to_datetime(["2020-01-01", None, "2021-05-06"])),
    "aware": pd.Series(pd.to_datetime(["2020-01-01", None]).tz_localize("Asia/Tokyo")),
    "delta": pd.Series(pd.to_timedelta([1, 2, 90], unit="s")),
    "category": pd.Series(pd.Categorical(["b", None, "a"], ["b", "a", "c"], ordered=True)),
    "numbers": pd.Series(pd.Categorical([2, 1, 2], [2, 1])),
    "floats": pd.Series(pd.Categorical([0.5, 0.25, 0.5])),
}


@pytest.mark.parametrize("name", SERIES)
def test_a_frame_survives_arrow_with_its_dtype(name):
    frame = SERIES[name].to_frame(name)
    dtypes = json.loads(json.dumps(frame_dtypes(frame)))
    back = to_frame(frame_table(frame), dtypes)
    pd.testing.assert_frame_equal(back, frame, check_categorical=True)


def test_column_labels_that_are_numbers_come_back():
    frame = pd.DataFrame({7: [1.0], "x": [2.0]})
    back = to_frame(frame_table(frame), frame_dtypes(frame))
    assert list(back.columns) == [7, "x"]


def test_values_beyond_a_dtype_keep_what_pandas_chooses():
    table = pa.table({"n": [1, None]})
    back = to_frame(table, [{"label": "n", "dtype": "int64"}])
    assert back["n"].isna().tolist() == [False, True]


def test_without_dtypes_pandas_chooses():
    assert to_frame(pa.table({"n": [1, 2]}), [])["n"].dtype == "int64"
