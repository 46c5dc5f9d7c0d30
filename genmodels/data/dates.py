"""Dates and times written as text: which texts are dates, in which format, in which zone.

Each style is a regular expression with named parts; all texts of a style are parsed at once.
Calendar-checked: "2013-02-30" is not a date. Ambiguous "01/02/2013" is decided by the column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Dates", "compact_dates", "parse_dates"]

TIME = (
    r"(?:(?P<gap>T|,? +)(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:\.(?P<f>\d{1,9}))?)?"
    r"(?: ?(?P<p>[AaPp][Mm]))?(?: ?(?P<z>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?)?"
)
NAME = r"(?P<b>[A-Za-z]{3,9})"
STYLES = {
    "ymd": r"(?P<Y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})[-/.](?P<d>\d{1,2})" + TIME,
    "xyY": r"(?P<x>\d{1,2})(?P<s>[-/.])(?P<y>\d{1,2})[-/.](?P<Y>\d{4})" + TIME,
    "xyy": r"(?P<x>\d{1,2})(?P<s>[-/.])(?P<y>\d{1,2})[-/.](?P<Y>\d{2})" + TIME,
    "dbY": r"(?P<d>\d{1,2})(?P<s>[- ])" + NAME + r"[- ](?P<Y>\d{4})" + TIME,
    "dby": r"(?P<d>\d{1,2})(?P<s>[- ])" + NAME + r"[- ](?P<Y>\d{2})" + TIME,
    "bdY": NAME + r" (?P<d>\d{1,2})(?P<comma>,?) (?P<Y>\d{4})" + TIME,
    "compact": r"(?P<Y>\d{4})(?P<m>\d{2})(?P<d>\d{2})T(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})"
    r"(?P<z>Z|[+-]\d{4})?",
    "month": r"(?P<Y>\d{4})-(?P<m>\d{2})",
}
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
LONG = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
DAY_US = 86_400_000_000
NAT = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class Dates:
    """Parsed texts.

    Args:
        ticks: int64 microseconds since 1970, wall clock if naive and UTC if aware, shape (U,);
            `NAT` where a text is no date.
        offsets: int32 minutes east of UTC, shape (U,); 0 where naive.
        aware: bool, shape (U,): the text names a zone or offset.
        style: int8 index of the style, shape (U,); -1 where a text is no date.
        formats: strftime format of each style that occurs, by index.
        guessed: day and month could be either way round in every text.
    """

    ticks: np.ndarray
    offsets: np.ndarray
    aware: np.ndarray
    style: np.ndarray
    formats: dict[int, str]
    guessed: bool = False

    @property
    def found(self) -> np.ndarray:
        return self.ticks != NAT


def parse_dates(texts: pa.Array, *, day_first: bool | None = None) -> Dates:
    """Parse distinct texts, shape (U,).

    Args:
        texts: distinct texts.
        day_first: how to read "01/02/2013"; None: as the texts allow, the month first with "/"
            and the day first with "." or "-" where both would do.
    """
    size = len(texts)
    out = Dates(
        np.full(size, NAT),
        np.zeros(size, np.int32),
        np.zeros(size, bool),
        np.full(size, -1, np.int8),
        {},
    )
    trimmed = pc.utf8_trim_whitespace(texts)
    if _iso(trimmed, out):
        return out
    guessed = False
    for index, (name, pattern) in enumerate(STYLES.items()):
        todo = np.flatnonzero(~out.found)
        parts = pc.extract_regex(trimmed.take(pa.array(todo)), f"^{pattern}$")
        fits = np.asarray(pc.is_valid(parts), bool)
        if fits.any():
            fields = _Fields(parts.filter(pa.array(fits)))
            guessed |= _read(out, index, name, todo[fits], fields, day_first)
    return Dates(out.ticks, out.offsets, out.aware, out.style, out.formats, guessed)


def _iso(texts: pa.Array, out: Dates) -> bool:
    """Fill `out` when all texts are naive ISO 8601 dates, which Arrow parses itself."""
    if not len(texts):
        return True
    first = pc.extract_regex(texts[:1], f"^{STYLES['ymd']}$")
    if not first[0].is_valid or first[0]["z"].as_py() or first[0]["s"].as_py() != "-":
        return False
    try:
        ticks = pc.cast(pc.cast(texts, pa.timestamp("us")), pa.int64())
    except pa.ArrowInvalid:
        return False
    fraction = pc.any(pc.match_substring(texts, ".")).as_py()
    out.ticks[:] = np.asarray(ticks)
    out.style[:] = 0
    longest = texts[int(np.argmax(np.asarray(pc.utf8_length(texts))))]
    sample = pc.extract_regex(pa.array([longest.as_py()]), f"^{STYLES['ymd']}$")
    out.formats[0] = _format("ymd", _Fields(sample), 0, fraction=fraction, day_first=False)
    return True


class _Fields:
    """The named parts of texts of one style; absent parts are empty texts."""

    def __init__(self, parts: pa.Array) -> None:
        self.names = [parts.type.field(i).name for i in range(parts.type.num_fields)]
        self.columns = dict(zip(self.names, parts.flatten(), strict=True))
        self.size = len(parts)

    def text(self, name: str) -> pa.Array:
        return self.columns.get(name, pa.array([""] * self.size))

    def number(self, name: str) -> np.ndarray:
        texts = self.text(name)
        return np.asarray(pc.cast(pc.if_else(pc.equal(texts, ""), "0", texts), pa.int64()))

    def has(self, name: str) -> np.ndarray:
        return np.asarray(pc.not_equal(self.text(name), ""), bool)


def _read(
    out: Dates, index: int, name: str, rows: np.ndarray, fields: _Fields, day_first: bool | None
) -> bool:
    """Parse the texts of one style into `out`; returns whether the order was a guess."""
    year, month, day, first, guessed = _calendar(name, fields, day_first)
    ticks, valid = _days(year, month, day)
    clock, sane = _clock(fields)
    offsets = _offsets(fields.text("z"))
    ticks = ticks * DAY_US + clock - offsets.astype(np.int64) * 60_000_000
    valid &= sane
    at = rows[valid]
    if not len(at):
        return False
    out.ticks[at] = ticks[valid]
    out.offsets[at] = offsets[valid]
    out.aware[at] = fields.has("z")[valid]
    out.style[at] = index
    example = int(np.flatnonzero(valid)[0])
    fraction = bool(fields.has("f")[valid].any())
    out.formats[index] = _format(name, fields, example, fraction=fraction, day_first=first)
    return guessed


def _calendar(
    name: str, fields: _Fields, day_first: bool | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool, bool]:
    """Year, month, day, whether the day comes first, and whether that is a guess."""
    year = fields.number("Y")
    if name in ("xyy", "dby"):
        year = year + np.where(year < 69, 2000, 1900)
    if "b" in fields.names:
        return year, _month_number(fields.text("b")), fields.number("d"), True, False
    if name == "month":
        return year, fields.number("m"), np.ones_like(year), False, False
    if name in ("ymd", "compact"):
        return year, fields.number("m"), fields.number("d"), False, False
    one, two = fields.number("x"), fields.number("y")
    guessed = False
    if day_first is None:
        can_day, can_month = bool((two <= 12).all()), bool((one <= 12).all())
        guessed = can_day and can_month
        day_first = can_day and (not can_month or fields.text("s")[0].as_py() != "/")
    month, day = (two, one) if day_first else (one, two)
    return year, month, day, day_first, guessed


def _month_number(names: pa.Array) -> np.ndarray:
    lower = pc.utf8_lower(names)
    short = pc.index_in(lower, pa.array(MONTHS))
    both = pc.coalesce(short, pc.index_in(lower, pa.array(LONG)))
    sept = pc.if_else(pc.equal(lower, "sept"), 8, both)
    return np.asarray(pc.fill_null(sept, -1)).astype(np.int64) + 1


def _days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970 and whether such a day exists."""
    months = (year - 1970) * 12 + month - 1
    start = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    after = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    valid = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= after - start)
    return start + day - 1, valid


def _clock(fields: _Fields) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds since midnight and whether such a time exists."""
    hour, minute, second = (fields.number(part) for part in "HMS")
    fraction = pc.utf8_slice_codeunits(pc.utf8_rpad(fields.text("f"), 6, "0"), 0, 6)
    micro = np.asarray(pc.cast(fraction, pa.int64()))
    sane = (hour < 24) & (minute < 60) & (second < 60)
    if fields.has("p").any():
        half = fields.has("p")
        afternoon = np.asarray(pc.equal(pc.utf8_lower(fields.text("p")), "pm"), bool)
        sane &= ~half | ((hour >= 1) & (hour <= 12))
        hour = np.where(half, hour % 12 + 12 * afternoon, hour)
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro, sane


def _offsets(zones: pa.Array) -> np.ndarray:
    """Minutes east of UTC; 0 for none."""
    codes = zones.dictionary_encode()
    minutes = [_minutes(zone) for zone in codes.dictionary.to_pylist()]
    return np.array(minutes, np.int32)[np.asarray(codes.indices)]


def _minutes(zone: str) -> int:
    found = re.fullmatch(r"([+-])(\d{2}):?(\d{2})?", zone)
    if found is None:
        return 0
    sign = -1 if found[1] == "-" else 1
    return sign * (int(found[2]) * 60 + int(found[3] or 0))


def _format(name: str, fields: _Fields, at: int, *, fraction: bool, day_first: bool) -> str:
    """The strftime format that writes texts like the one at `at`."""

    def part(key: str) -> str:
        return fields.text(key)[at].as_py()

    s = part("s")
    month = "%b" if len(part("b")) == 3 else "%B"
    numeric = ("%d", "%m") if day_first else ("%m", "%d")
    date = {
        "ymd": f"%Y{s}%m{s}%d",
        "xyY": s.join((*numeric, "%Y")),
        "xyy": s.join((*numeric, "%y")),
        "dbY": f"%d{s}{month}{s}%Y",
        "dby": f"%d{s}{month}{s}%y",
        "bdY": f"{month} %d{part('comma')} %Y",
        "compact": "%Y%m%dT%H%M%S",
        "month": "%Y-%m",
    }[name]
    zone = part("z") if part("z") in ("", "Z") else "%z"
    if name == "compact" or not part("H"):
        return date + zone
    half = bool(part("p"))
    clock = ("%I" if half else "%H") + ":%M" + (":%S" if part("S") else "")
    clock += (".%f" if fraction else "") + (" %p" if half else "")
    return date + part("gap") + clock + zone


def compact_dates(texts: pa.Array) -> np.ndarray | None:
    """Microseconds of texts such as "20141013", or None unless all are days of 1900 to 2100."""
    if not pc.all(pc.match_substring_regex(texts, r"^\s*(19|20)\d{6}\s*$")).as_py():
        return None
    number = np.asarray(pc.cast(pc.utf8_trim_whitespace(texts), pa.int64()))
    days, valid = _days(number // 10000, number // 100 % 100, number % 100)
    return days * DAY_US if valid.all() else None
