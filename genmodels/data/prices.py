"""Real prices, or counts, of a file, oldest first: what simulators are fitted to.

One column of prices, or one of each of several assets; beside a single one the rest of its bars
(open, high, low, volume), where the file has them.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.dates import parse_dates
from genmodels.data.open import open_source
from genmodels.types import Raw

__all__ = ["Observed", "numbers_of", "oldest_first", "prices_of"]

log = logging.getLogger(__name__)

BAR = ("open", "high", "low", "volume")
DATES = ("date", "datetime", "timestamp", "time")


class Observed:
    """Prices on disk.

    Args:
        path: a CSV, Parquet or Arrow file; None: there is none to load.
        column: name of the prices, or a list with one per asset; upper or lower case does not
            matter where it is unique.
    """

    def __init__(self, *, path: str | None, column: str | Sequence[str]) -> None:
        self.path, self.column = path, column

    def load(self) -> dict[str, np.ndarray]:
        """`series`, shape (N,), or (N, A) of a list; beside a single one `open` and so on, (N,).

        Raises:
            FileNotFoundError: when there is no such file.
            ValueError: when there is no such column, or it holds something else than numbers, or
                a date occurs twice.
        """
        assert self.path is not None, "asked for only where there is a file"
        return prices_of(open_source(self.path).load(), self.column, self.path)


def prices_of(raw: Raw, column: str | Sequence[str], path: str) -> dict[str, np.ndarray]:
    """Prices of raw data as `Observed.load` gives them; `path` is what messages call them.

    Raises:
        ValueError: as there.
    """
    if not isinstance(raw, pa.Table):
        raise ValueError(f"{path} holds pictures; give a table of prices")
    table = oldest_first(raw, path)
    names = [column] if isinstance(column, str) else list(column)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"column must name different columns of {path}, got {names}")
    closes = [numbers_of(table, name, path) for name in names]
    if not isinstance(column, str):
        return {"series": np.stack(closes, 1)}
    return {"series": closes[0], **_bars(table, column, closes[0], path)}


def numbers_of(table: pa.Table, name: str, path: str) -> np.ndarray:
    """A column of numbers, shape (N,), float64, NaN where there is none.

    Raises:
        ValueError: when there is none of that name, or it holds something else.
    """
    values = table[_name(table.column_names, name, path)].combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        texts = pc.utf8_trim_whitespace(values)
        values = pc.if_else(pc.equal(texts, ""), None, texts)
    try:
        found = np.asarray(values.cast(pa.float64()).fill_null(float("nan")))
    except pa.ArrowException as error:
        raise ValueError(
            f"column={name} of {path} holds something else than numbers: {error}"
        ) from error
    return found.astype(np.float64)


def _bars(table: pa.Table, column: str, closes: np.ndarray, path: str) -> dict[str, np.ndarray]:
    """The other prices of the bars, brought to the level of adjusted closes, and the volume."""
    known: Mapping[str, str] = {name.lower(): name for name in table.column_names}
    found: dict[str, np.ndarray] = {}
    for key in BAR:
        try:
            found |= {key: numbers_of(table, known[key], path)} if key in known else {}
        except ValueError as error:
            log.info("note: %s; left out", error)  # closes are fitted without it
    if column.lower() != "close" and "close" in known:
        level = closes / numbers_of(table, known["close"], path)
        found |= {key: found[key] * level for key in ("open", "high", "low") if key in found}
    return found


def oldest_first(table: pa.Table, path: str) -> pa.Table:
    """The rows in the order of their dates, where they have any that can be read.

    Raises:
        ValueError: when a date occurs twice.
    """
    named = [name for name in table.column_names if name.lower() in DATES]
    # Of a date and a time in two columns the first alone repeats.
    ticks = _ticks(table[named[0]].combine_chunks()) if len(named) == 1 else None
    if ticks is None:
        return table
    order = np.argsort(ticks, kind="stable")
    again = np.flatnonzero(np.diff(ticks[order]) == 0)
    if len(again):
        at = table[named[0]][int(order[again[0]])].as_py()
        raise ValueError(
            f"{path} has {named[0]} {at} more than once: give prices of one asset, a row per date"
        )
    if (order == np.arange(len(order))).all():
        return table
    log.info("note: the rows of %s are taken in the order of %s, oldest first", path, named[0])
    return table.take(pa.array(order))


def _ticks(values: pa.Array) -> np.ndarray | None:
    """Dates as whole numbers that grow with time; None where one cannot be read."""
    if pa.types.is_date(values.type) or pa.types.is_timestamp(values.type):
        return None if values.null_count else _microseconds(values)
    if pa.types.is_integer(values.type):
        return None if values.null_count else np.asarray(values.cast(pa.int64()))
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return None
    read = parse_dates(values.cast(pa.string()))
    return read.ticks if bool(read.found.all()) and not read.guessed else None


def _microseconds(values: pa.Array) -> np.ndarray:
    return np.asarray(values.cast(pa.timestamp("us"), safe=False).cast(pa.int64()))


def _name(names: list[str], column: str, path: str) -> str:
    if column in names:
        return column
    alike = [name for name in names if name.lower() == column.lower()]
    if len(alike) == 1:
        return alike[0]
    close = difflib.get_close_matches(column, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names)}"
    raise ValueError(f"{path} has no column={column}; {hint}")
