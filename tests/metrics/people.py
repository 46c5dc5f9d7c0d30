"""A small simulator of people in groups with a known outcome, for the tests of bias."""

import numpy as np
import pyarrow as pa

from genmodels.schema import Column, TableSchema

PEOPLE = TableSchema(
    (
        Column("score", "continuous", decimals=3),
        Column("age", "integer"),
        Column("sex", "categorical", role="sensitive", levels=("female", "male")),
        Column("race", "categorical", role="sensitive", levels=("a", "b", "c")),
        Column("job", "categorical", levels=("desk", "field", "none")),
        Column("hired", "categorical", role="target", levels=("no", "yes")),
        Column("id", "identifier"),
    )
)


def people(n: int, seed: int) -> pa.Table:
    """Rows in which men are hired more often at equal score, and jobs tell the sex."""
    rng = np.random.default_rng(seed)
    male = rng.random(n) < 0.6
    race = rng.choice(3, n, p=[0.7, 0.25, 0.05])
    score = rng.normal(0, 1, n)
    job = np.where(rng.random(n) < 0.2, 2, np.where(rng.random(n) < 0.85, male, ~male).astype(int))
    hired = rng.random(n) < 1 / (1 + np.exp(-(1.5 * score + np.where(male, 0.5, -1.0))))
    return pa.table(
        {
            "score": np.round(score, 3),
            "age": rng.integers(18, 70, n),
            "sex": np.where(male, "male", "female"),
            "race": np.array(["a", "b", "c"])[race],
            "job": np.array(["desk", "field", "none"])[job],
            "hired": np.where(hired, "yes", "no"),
            "id": np.arange(n) + 1_000_000 * seed,
        }
    )


def replaced(table: pa.Table, name: str, values) -> pa.Table:
    """The table with other values in one column."""
    return table.set_column(table.column_names.index(name), name, pa.array(values))
