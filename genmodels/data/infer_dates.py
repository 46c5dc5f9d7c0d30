"""Deciding that a column holds dates or times, in which format and zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from genmodels.data.columns import Texts
from genmodels.data.dates import DAY_US, Dates, compact_dates, parse_dates
from genmodels.data.identifiers import TIME_NAME
from genmodels.data.infer_context import (
    FEW,
    Context,
    counted,
    is_missing_word,
    joined,
    odd_ones,
    quoted,
    share,
    words_found,
)
from genmodels.schema import Column

__all__ = ["day_first_of", "decide_dates", "iso_text", "native_dates", "zone_of"]


def day_first_of(format: str | None) -> bool | None:
    """Whether a strftime format has the day before the month; None if it does not say."""
    if format is None or "%d" not in format or not re.search("%[mbB]", format):
        return None
    return format.index("%d") < re.search("%[mbB]", format).start()  # type: ignore[union-attr]


def zone_of(text: str) -> tzinfo:
    """A zone from an IANA name or an offset such as "+02:00".

    Raises:
        ValueError: for an unknown name.
    """
    found = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", text)
    if found:
        sign = -1 if found[1] == "-" else 1
        return timezone(sign * timedelta(hours=int(found[2]), minutes=int(found[3])))
    if text == "UTC":
        return UTC
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"timezone {text!r} is not known; use a name such as UTC") from error


def iso_text(ticks: int, zone: str | None) -> str:
    """Microseconds since 1970 as ISO 8601, in the zone if there is one."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(ticks))
    shown = moment.replace(tzinfo=None) if zone is None else moment.astimezone(zone_of(zone))
    return shown.isoformat()


@dataclass(frozen=True)
class _Zoned:
    zone: str | None
    note: str | None


def decide_dates(texts: Texts, context: Context) -> Column | None:
    """A datetime column, or None when some text is neither a date nor missing.

    Raises:
        ValueError: when the user demands dates and a text is none.
    """
    demanded = context.kind == "datetime"
    if demanded or TIME_NAME.search(context.name) or "dt" in context.name.lower():
        ticks = compact_dates(texts.values)
        if ticks is not None:
            notes = [f"days written as whole numbers, {counted(len(ticks), 'different day')}"]
            return _column(context, ticks, texts.missing, "%Y%m%d", None, context.missing, notes)
    few = texts.values[:FEW]
    if not demanded and not (parse_dates(few).found | is_missing_word(few)).all():
        return None
    dates = parse_dates(texts.values, day_first=context.day_first)
    words = np.zeros(len(dates.ticks), bool)
    if not dates.found.all():
        words = is_missing_word(texts.values) & ~dates.found
        if demanded and not (dates.found | words).all():
            odd, row = odd_ones(texts, dates.found | words)
            raise ValueError(
                f"column {context.name!r} is declared datetime, but {quoted(odd)} (row {row}) "
                "is no date; add it to `missing` or make the column categorical"
            )
        if not (dates.found | words).all() or not dates.found.any():
            return None
    missing = joined(context.missing, words_found(texts, words))
    zoned = _zone(dates)
    styles = _style_counts(dates, texts.counts)
    notes = _notes(dates, styles, texts)
    notes += [zoned.note] if zoned.note else []
    notes += [f"{quoted(list(missing))} taken as missing"] if missing else []
    absent = texts.missing + int(texts.counts[words].sum())
    ticks = dates.ticks[dates.found]
    return _column(context, ticks, absent, dates.formats[styles[0][0]], zoned.zone, missing, notes)


def _zone(dates: Dates) -> _Zoned:
    """One zone for all: none if most are naive, the offset if all have the same, else UTC."""
    aware = dates.aware[dates.found]
    if not aware.any():
        return _Zoned(None, None)
    if aware.mean() < 0.5:
        return _Zoned(None, f"{counted(int(aware.sum()), 'value')} with a zone converted to UTC")
    offsets = np.unique(dates.offsets[dates.aware])
    naive = int((~aware).sum())
    also = f"; {counted(naive, 'value')} without a zone read as UTC" if naive else ""
    if len(offsets) == 1 and not naive:
        minutes = abs(int(offsets[0]))
        sign = "-" if offsets[0] < 0 else "+"
        zone = "UTC" if minutes == 0 else f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
        return _Zoned(zone, f"zone {zone}")
    return _Zoned("UTC", f"{len(offsets)} different offsets, converted to UTC{also}")


def _style_counts(dates: Dates, counts: np.ndarray) -> list[tuple[int, int]]:
    """(style, rows), the most frequent first."""
    rows = [(i, int(counts[dates.style == i].sum())) for i in dates.formats]
    return sorted(rows, key=lambda pair: -pair[1])


def _notes(dates: Dates, styles: list[tuple[int, int]], texts: Texts) -> list[str]:
    rows = sum(count for _, count in styles)
    notes = [f"dates written {dates.formats[styles[0][0]]}"]
    if len(styles) > 1:
        others = ", ".join(f"{dates.formats[i]} ({counted(c, 'row')})" for i, c in styles[1:])
        notes[0] += f" in {share(styles[0][1], rows)} of rows"
        notes.append(f"also read: {others}")
    if dates.guessed:
        notes.append("day and month could be the other way round; set `format` to decide")
    return notes


def _column(
    context: Context,
    ticks: np.ndarray,
    absent: int,
    format: str | None,
    zone: str | None,
    missing: tuple[str, ...],
    notes: list[str],
) -> Column:
    return Column(
        context.name,
        "datetime",
        nullable=absent > 0,
        minimum=iso_text(ticks.min(), zone),
        maximum=iso_text(ticks.max(), zone),
        format=format,
        timezone=zone,
        missing=missing,
        note="; ".join(notes),
    )


def native_dates(array: pa.Array, context: Context) -> Column:
    """The column of a timestamp array (us)."""
    ticks = np.asarray(array.drop_null().cast(pa.int64()))
    zone = array.type.tz
    midnight = zone is None and bool((ticks % DAY_US == 0).all())
    what = "days" if midnight else "times" + (f" in zone {zone}" if zone else " without zone")
    format = "%Y-%m-%d" if midnight else None
    return _column(context, ticks, array.null_count, format, zone, context.missing, [what])
