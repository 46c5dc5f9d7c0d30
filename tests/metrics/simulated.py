"""A small simulator of mixed tables with known dependence, for the tests of metrics and reports."""

import numpy as np
import pyarrow as pa

from genmodels.schema import Column, TableSchema

SCHEMA = TableSchema(
    (
        Column("size", "continuous", decimals=3),
        Column("cost", "continuous", nullable=True, decimals=3),
        Column("visits", "integer"),
        Column("colour", "categorical", levels=("red", "green", "blue")),
        Column("day", "datetime"),
        Column("sold", "categorical", role="target", levels=("no", "yes")),
        Column("id", "identifier"),
        Column("unit", "constant", value="EUR"),
    )
)


def mixed(n: int, seed: int) -> pa.Table:
    """Rows in which every modelled column depends on `size`."""
    rng = np.random.default_rng(seed)
    size = rng.normal(0, 1, n)
    cost = 2 * size + rng.normal(0, 0.4, n)
    colour = np.clip(np.rint(size + 1 + rng.normal(0, 0.5, n)), 0, 2).astype(int)
    day = np.datetime64("2020-01-01T00:00:00", "us") + (
        86400e6 * np.rint(200 + 60 * size + rng.normal(0, 20, n))
    ).astype("timedelta64[us]")
    sold = rng.random(n) < 1 / (1 + np.exp(-3 * size))
    return pa.table(
        {
            "size": np.round(size, 3),
            "cost": pa.array(np.round(cost, 3), mask=rng.random(n) < 0.1),
            "visits": rng.poisson(np.exp(1 + 0.5 * size)),
            "colour": pa.array(np.array(["red", "green", "blue"])[colour]).dictionary_encode(),
            "day": pa.array(day, pa.timestamp("us")),
            "sold": pa.array(np.where(sold, "yes", "no")).dictionary_encode(),
            "id": np.arange(n) + 100_000 * seed,
            "unit": ["EUR"] * n,
        }
    )


def shuffled(table: pa.Table, seed: int) -> pa.Table:
    """Every column permuted on its own."""
    rng = np.random.default_rng(seed)
    columns = [c.take(pa.array(rng.permutation(len(table)))) for c in table.columns]
    return pa.table(columns, names=table.column_names)
