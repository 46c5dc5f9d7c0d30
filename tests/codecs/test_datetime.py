"""Dates and times: parts, resolution, and the wall clock against the standard library."""

from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from genmodels.codecs.columns.clock import HOUR, Clock
from genmodels.codecs.columns.datetime import Datetime
from genmodels.codecs.columns.quantile import Quantile
from genmodels.schema import Column

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def fit(moments, weekday="auto", **options):
    zone = options.get("timezone")
    data = pa.chunked_array([pa.array(moments, pa.timestamp("us", zone))])
    number = partial(Quantile.fit, with_point_masses=False, knots=256)
    return Datetime.fit(
        Column("when", "datetime", **options), data, weekday=weekday, numeric=number
    )


def names(codec):
    return [block.name for block in codec.blocks]


@pytest.mark.parametrize("zone", ZONES)
def test_the_wall_clock_is_that_of_the_standard_library(zone):
    low = datetime(1995, 1, 1, tzinfo=UTC)
    moments = [low + timedelta(minutes=7 * 1801 * i) for i in range(1000)]
    moments += [datetime(2017, 10, 15, tzinfo=UTC) + timedelta(minutes=10 * i) for i in range(5000)]
    micros = np.array([(m - EPOCH) // timedelta(microseconds=1) for m in moments])
    clock = Clock.fit(zone, int(micros.min()), int(micros.max()))
    wall = clock.wall(micros)
    shown = [m.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC) for m in moments]
    assert wall.tolist() == [(m - EPOCH) // timedelta(microseconds=1) for m in shown]
    either = (clock.instants(wall) == micros) | (clock.instants(wall, second=True) == micros)
    assert either.all()


def test_a_time_shown_twice_is_the_first_and_a_time_skipped_moves_on():
    low, high = (int(datetime(2023, m, 1, tzinfo=UTC).timestamp() * 1e6) for m in (1, 12))
    clock = Clock.fit("Europe/Berlin", low, high)

    def micros(*when):
        return np.array([int(datetime(*when, tzinfo=UTC).timestamp() * 1e6)])

    twice = micros(2023, 10, 29, 2, 30)
    assert clock.instants(twice) == micros(2023, 10, 29, 0, 30)
    assert clock.instants(twice, second=True) == micros(2023, 10, 29, 1, 30)
    assert clock.wall(clock.instants(micros(2023, 3, 26, 2, 30))) == micros(2023, 3, 26, 3, 30)


def test_parts_are_only_those_that_the_resolution_needs():
    days = [datetime(2020, 1, 1) + timedelta(days=i) for i in range(30)]
    assert names(fit(days)) == ["when.day"]
    assert names(fit(days, weekday=True)) == ["when.week", "when.weekday"]
    hours = [d + timedelta(hours=d.day % 24) for d in days]
    assert names(fit(hours)) == ["when.day", "when.hour"]
    seconds = [d + timedelta(seconds=d.day * 999) for d in days]
    assert names(fit(seconds)) == ["when.day", "when.time"]
    finest = [d + timedelta(microseconds=d.day * 999) for d in days]
    assert names(fit(finest)) == ["when.day", "when.time", "when.fraction"]
    berlin = [datetime(2023, 10, 29, tzinfo=UTC) + timedelta(hours=i) for i in range(30)]
    assert names(fit(berlin, timezone="Europe/Berlin"))[-1] == "when.second_pass"


def test_weekdays_are_split_off_when_they_matter():
    days = [datetime(2020, 1, 1) + timedelta(days=i % 500) for i in range(3000)]
    assert names(fit(days)) == ["when.day"]
    office = [d for d in days if d.weekday() < 5]
    assert names(fit(office)) == ["when.week", "when.weekday"]


def test_whatever_is_decoded_has_the_resolution_and_the_range_of_the_source():
    rng = np.random.default_rng(0)
    zone = ZoneInfo("America/New_York")
    low = datetime(2013, 1, 2, 5, tzinfo=zone)
    moments = [low + timedelta(hours=int(h)) for h in rng.integers(0, 8000, 400)]
    codec = fit(moments, weekday=True, timezone="America/New_York")
    rows = 3000
    codes = np.array(
        [rng.integers(0, b.width, rows) for b in codec.blocks if b.kind != "continuous"]
    )
    values = rng.normal(0, 0.5, (1, rows)).astype(np.float32)
    made = codec.decode(values, codes.astype(np.int32), rng, 0).to_pylist()
    assert all(m.minute == m.second == m.microsecond == 0 for m in made)
    assert min(made) >= min(moments)
    assert max(made) <= max(moments)


def test_bounds_of_the_schema_may_name_an_offset_or_mean_the_wall_clock():
    moments = [datetime(2020, 1, 1, h, tzinfo=UTC) for h in range(20)]
    zoned = fit(moments, timezone="Europe/Berlin", minimum="2020-01-01T03:00:00+00:00")
    naive = fit(moments, timezone="Europe/Berlin", minimum="2020-01-01T04:00:00")
    assert zoned.lower == naive.lower == int(moments[3].timestamp() * 1e6)
    with pytest.raises(ValueError, match="'when': bound 'soon' is not an ISO-8601"):
        fit(moments, timezone="UTC", maximum="soon")


def test_an_hour_is_an_hour_on_the_clock():
    """Departures at 5 local time all year are one level, not two half a year apart."""
    zone = ZoneInfo("America/New_York")
    moments = [datetime(2013, 1, 1, 5, tzinfo=zone) + timedelta(days=i) for i in range(365)]
    codec = fit(moments, timezone="America/New_York")
    array = pa.array(moments, pa.timestamp("us", "America/New_York"))
    codes = codec.encode(array, np.random.default_rng(0))[1]
    assert np.unique(codes).tolist() == [5]
    assert codec.unit == HOUR
