"""Calendar traits of datetime columns: weekday, hour, day, month, and how fine they are.

A range and a distribution function can be right while shops sell on Sundays.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from genmodels.metrics.tables.marginals import total_variation

__all__ = ["PARTS", "calendar_parts", "date_errors", "useful_parts"]

PARTS = {"weekday": 7, "hour": 24, "day of month": 31, "month": 12, "time of day written": 4}
"""Number of codes per trait; the last: whole days, whole hours, whole minutes, finer."""
DAY = 86_400.0
EARLIEST, LATEST = -62_000_000_000.0, 253_000_000_000.0  # years 5 to 9987


def calendar_parts(seconds: np.ndarray, zone: str | None = None) -> dict[str, np.ndarray]:
    """Codes of each of `PARTS`.

    Args:
        seconds: since 1970 UTC, shape (N,); NaN values are left out.
        zone: time zone in which people read the clock; None reads UTC as it is.

    Returns:
        Codes from 0 per trait, shape (M,), M <= N.
    """
    known = np.clip(seconds[~np.isnan(seconds)], EARLIEST, LATEST)
    if zone is not None and len(known):
        stamps = pd.DatetimeIndex(np.floor(known).astype("datetime64[s]")).tz_localize("UTC")
        local = stamps.tz_convert(zone).tz_localize(None).as_unit("s").asi8
        known = known + (local - np.floor(known))
    days = np.floor(known / DAY)
    clock = known - DAY * days
    dates = days.astype(np.int64).astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    return {
        "weekday": (days.astype(np.int64) + 3) % 7,
        "hour": np.minimum(clock // 3600, 23).astype(np.int64),
        "day of month": (dates - months.astype("datetime64[D]")).astype(np.int64),
        "month": months.astype(np.int64) % 12,
        "time of day written": _fineness(clock),
    }


def useful_parts(seconds: np.ndarray, zone: str | None = None) -> tuple[str, ...]:
    """The traits that vary: where no value has more than 99 % of the rows.

    Months need data that span a year, days of the month two months, weekdays two weeks: on less,
    the trait says no more than the date itself. How finely a time is written always counts.
    """
    known = seconds[~np.isnan(seconds)]
    if not len(known):
        return ()
    span = float(np.quantile(known, 0.995) - np.quantile(known, 0.005)) / DAY
    least = {"month": 350.0, "day of month": 60.0, "weekday": 14.0, "hour": 2.0}
    out = []
    for name, codes in calendar_parts(seconds, zone).items():
        varies = np.bincount(codes, minlength=PARTS[name]).max() <= 0.99 * len(codes)
        if name == "time of day written" or (varies and span >= least[name]):
            out.append(name)
    return tuple(out)


def date_errors(
    reference: np.ndarray, other: np.ndarray, zone: str | None = None
) -> dict[str, float]:
    """Total variation distance of each trait, in [0, 1]; 1 when only one side has dates."""
    a, b = calendar_parts(reference, zone), calendar_parts(other, zone)
    return {name: total_variation(a[name], b[name], size) for name, size in PARTS.items()}


def _fineness(clock: np.ndarray) -> np.ndarray:
    """0 whole days, 1 whole hours, 2 whole minutes, 3 finer; seconds are exact to 1e-3."""
    out = np.full(len(clock), 3)
    for code, unit in ((2, 60.0), (1, 3600.0), (0, DAY)):
        rest = clock % unit
        out[np.minimum(rest, unit - rest) < 1e-3] = code
    return out
