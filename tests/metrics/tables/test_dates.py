from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from genmodels.metrics.tables.dates import calendar_parts, date_errors, useful_parts

DAY = 86_400.0
TRAITS = {
    "weekday": lambda d: d.weekday(),
    "hour": lambda d: d.hour,
    "day of month": lambda d: d.day - 1,
    "month": lambda d: d.month - 1,
}


@pytest.mark.parametrize("zone", [None, "America/New_York", "Asia/Kolkata", "+02:00"])
def test_traits_are_those_of_pythons_calendar(zone):
    seconds = np.random.default_rng(0).uniform(-2e9, 4e9, 200).round(2)
    place = UTC if zone is None else None
    if zone == "+02:00":
        place = timezone(timedelta(hours=2))
    elif zone is not None:
        place = ZoneInfo(zone)
    start = datetime(1970, 1, 1, tzinfo=UTC)
    dates = [(start + timedelta(seconds=s)).astimezone(place) for s in seconds]
    found = calendar_parts(seconds, zone)
    for name, of in TRAITS.items():
        np.testing.assert_array_equal(found[name], [of(d) for d in dates])


def test_how_finely_times_are_written_is_seen():
    seconds = np.array([0.0, -DAY, 3600.0, 86_340.0, 59.0, np.nan])
    assert list(calendar_parts(seconds)["time of day written"]) == [0, 0, 1, 2, 3]


def test_working_days_differ_from_all_days_by_two_sevenths():
    days = np.arange(700) * DAY
    working = days[calendar_parts(days)["weekday"] < 5]
    errors = date_errors(days, working)
    assert errors["weekday"] == pytest.approx(2 / 7)
    assert errors["hour"] == 0.0
    assert date_errors(days, working + 0.5)["time of day written"] == 1.0


def test_traits_that_do_not_vary_or_have_no_time_to_are_left_out():
    assert useful_parts(np.arange(700) * DAY) == (
        "weekday",
        "day of month",
        "month",
        "time of day written",
    )
    assert useful_parts(np.arange(0, 20 * DAY, 1800)) == (
        "weekday",
        "hour",
        "time of day written",
    )
    assert useful_parts(np.full(10, np.nan)) == ()


def test_no_dates_on_one_side_is_the_worst_error_and_absurd_ones_do_no_harm():
    some, none = np.arange(10) * DAY, np.full(4, np.nan)
    assert set(date_errors(some, none).values()) == {1.0}
    assert set(date_errors(none, none).values()) == {0.0}
    absurd = np.array([1e300, -1e300, 9e15])
    for zone in (None, "Europe/Berlin", "Pacific/Auckland"):
        assert len(calendar_parts(absurd, zone)["month"]) == 3
