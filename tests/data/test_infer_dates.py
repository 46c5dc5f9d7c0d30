"""What columns of dates are taken for."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from genmodels.data.dates import parse_dates
from genmodels.data.infer import infer_schema
from genmodels.data.parse import apply_schema

DAYS = pd.date_range("2011-01-01", periods=200, freq="D") + pd.to_timedelta(
    np.arange(200) * 61, unit="s"
)


def decide(values, name="x", **options):
    return infer_schema(pa.table({name: values}), **options)[name]


@pytest.mark.parametrize(
    "format",
    [
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M",
        "%m/%d/%Y",
        "%d.%m.%Y",
        "%d/%m/%y %I:%M %p",
        "%d %b %Y",
        "%B %d, %Y",
        "%d-%b-%y",
        "%Y%m%dT%H%M%S",
    ],
)
def test_formats_are_found_and_values_are_what_pandas_reads(format):
    texts = DAYS.strftime(format).tolist()
    table = pa.table({"x": texts})
    schema = infer_schema(table)
    assert (schema["x"].kind, schema["x"].format) == ("datetime", format)
    parsed = apply_schema(table, schema)["x"].to_pylist()
    assert parsed == [datetime.strptime(text, format) for text in texts]


def test_zones():
    assert decide(["2013-01-01T05:00:00Z", "2014-01-01T05:00:00Z"]).timezone == "UTC"
    fixed = decide(["2013-01-01 05:00:00+02:00", "2014-01-01 06:00:00+02:00"])
    assert (fixed.timezone, fixed.minimum) == ("+02:00", "2013-01-01T05:00:00+02:00")
    mixed = decide(["2013-01-01 05:00:00-05:00", "2013-07-01 05:00:00-04:00"])
    assert mixed.timezone == "UTC"
    assert "2 different offsets" in mixed.note
    native = pa.array([0, 10**15], pa.timestamp("us", "America/New_York"))
    assert decide(native).timezone == "America/New_York"


def test_texts_without_zone_are_wall_clock_in_the_zone_of_the_schema():
    table = pa.table({"x": ["2013-01-01 05:00:00", "2013-07-01 05:00:00"]})
    schema = infer_schema(table, overrides={"x": {"timezone": "Europe/Berlin"}})
    values = apply_schema(table, schema)["x"]
    assert str(values.type) == "timestamp[us, tz=Europe/Berlin]"
    assert [v.hour for v in values.to_pylist()] == [5, 5]


def test_a_few_in_another_format_are_read_too_and_said():
    texts = [*DAYS.strftime("%m/%d/%Y"), "1975-02-23T02:58:41.000Z"]
    column = decide(texts)
    assert (column.kind, column.format, column.timezone) == ("datetime", "%m/%d/%Y", None)
    assert "also read" in column.note
    assert column.minimum == "1975-02-23T02:58:41"


def test_day_or_month_first_is_decided_by_the_column_or_the_user():
    assert decide(["13/01/2011", "02/03/2011"]).format == "%d/%m/%Y"
    assert decide(["01/13/2011", "02/03/2011"]).format == "%m/%d/%Y"
    unsure = decide(["01/02/2011", "03/04/2011"])
    assert unsure.format == "%m/%d/%Y"
    assert "other way round" in unsure.note
    told = decide(["01/02/2011", "03/04/2011"], overrides={"x": {"format": "%d/%m/%Y"}})
    assert told.minimum == "2011-02-01T00:00:00"


@pytest.mark.parametrize(
    "texts",
    [["2013-02-30", "2013-01-01"], ["13/13/2011", "01/01/2011"], ["25 - 45", "46 - 60"],
     ["2011-01-01 25:00:00", "2011-01-01"], ["192.168.1.1", "10.0.0.1"], ["1.2.3", "1.2.4"]],
)  # fmt: skip
def test_what_is_no_date_stays_text(texts):
    assert decide(texts * 3).kind == "categorical"


def test_days_written_as_numbers_only_where_the_name_says_so():
    texts = DAYS.strftime("%Y%m%d").tolist() * 2
    assert decide(texts, name="order_date").format == "%Y%m%d"
    assert decide(texts, name="amount").kind == "integer"


def test_missing_words_among_dates():
    column = decide([*DAYS.strftime("%Y-%m-%d"), "NA", None])
    assert (column.kind, column.missing, column.nullable) == ("datetime", ("NA",), True)


def test_sorted_unique_dates_are_no_key():
    assert decide(DAYS.strftime("%Y-%m-%d %H:%M:%S").tolist(), name="id").kind == "datetime"


def test_native_days_and_times():
    days = decide([date(2011, 1, 1), date(2012, 1, 1)])
    assert (days.kind, days.format) == ("datetime", "%Y-%m-%d")
    assert decide(pa.array(DAYS)).kind == "datetime"


def test_fractions_of_seconds_are_kept():
    dates = parse_dates(pa.array(["2013-01-05 01:02:03.25", "2013-01-05 01:02:03"]))
    assert dates.ticks[0] - dates.ticks[1] == 250_000
    assert dates.formats[0].endswith("%S.%f")
