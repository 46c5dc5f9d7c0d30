"""Tables with a planted failure: what the figures of a report must see, and a world to plant it in.

Each failure names the figures that are said to catch it; `report.selftest` holds them to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.schema import Column, TableSchema

__all__ = ["FAILURES", "SCHEMA", "Failure", "World", "table_world"]

EDUCATION = ("none", "school", "college", "doctorate")
REGIONS = ("north", "south", "east", "west", "island")
SCHEMA = TableSchema(
    (
        Column("age", "integer", minimum=18, maximum=95),
        Column("education", "categorical", levels=EDUCATION),
        Column("region", "categorical", levels=REGIONS),
        Column("sex", "categorical", role="sensitive", levels=("female", "male")),
        Column("income", "continuous", decimals=2, nullable=True),
        Column("spending", "continuous", decimals=2),
        Column("visits", "integer"),
        Column("since", "datetime"),
        Column("returns", "boolean", role="target", levels=(False, True)),
    )
)


@dataclass(frozen=True, eq=False)
class World:
    """One case to judge: tables or images.

    Args:
        train: what the generator is said to have seen.
        holdout: real data that it has not seen.
        synthetic: what it is said to have made.
    """

    train: Any
    holdout: Any
    synthetic: Any


@dataclass(frozen=True)
class Failure:
    """A planted failure.

    Args:
        name: in plain words.
        plant: (world with fresh real data as the synthetic data, seed) -> broken world.
        caught_by: beginnings of the names of the figures that must see it.
    """

    name: str
    plant: Callable[[World, int], World]
    caught_by: tuple[str, ...]


def table_world(rows: int, seed: int) -> World:
    """Training, held-out and fresh rows of a simulated population of customers.

    Income depends on education, spending on income (linearly, with heavy tails), visits on age,
    missing incomes on education, the target on all of them; one region and one level of education
    are rare.

    Args:
        rows: of each of the three tables.
        seed: of the draws.
    """
    return World(*(_customers(rows, np.random.default_rng([seed, 70, part])) for part in range(3)))


def _customers(n: int, rng: np.random.Generator) -> pa.Table:
    age = np.clip(rng.gamma(6, 7, n) + 12, 18, 95).astype(np.int64)
    education = np.searchsorted([0.15, 0.65, 0.98], rng.random(n) + (age > 60) * -0.05)
    region = rng.choice(5, n, p=[0.3, 0.25, 0.24, 0.2, 0.01])
    male = rng.random(n) < 0.55
    income = np.exp(9.6 + 0.35 * education + 0.1 * male + 0.3 * rng.normal(size=n))
    spending = 0.4 * income * (1 + 0.2 * (region == 3)) + 800 * rng.standard_t(3, n)
    visits = rng.poisson(np.clip(1 + 0.08 * age + 2.0 * (region == 1), 0, None))
    days = 7 * rng.integers(0, 300, n) + rng.choice(7, n, p=[0.18] * 5 + [0.05] * 2)
    score = 0.9 * (education - 1) + 0.04 * (age - 50) + 0.25 * (visits - 5) + 0.8 * male
    returns = rng.random(n) < 1 / (1 + np.exp(-(score - 0.8)))
    absent = rng.random(n) < np.where(education == 0, 0.3, 0.03)
    stamps = np.datetime64("2018-01-01", "us") + days.astype("timedelta64[D]")
    return pa.table(
        {
            "age": age,
            "education": _levels(education, EDUCATION),
            "region": _levels(region, REGIONS),
            "sex": _levels(male.astype(int), ("female", "male")),
            "income": pa.array(income.round(2), mask=absent),
            "spending": spending.round(2),
            "visits": visits.astype(np.int64),
            "since": pa.array(stamps),
            "returns": pa.array(returns),
        }
    )


def _levels(codes: np.ndarray, words: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), list(words))


def _independent(world: World, seed: int) -> World:
    rng = np.random.default_rng([seed, 71])
    train = world.train
    columns = [c.take(pa.array(rng.permutation(train.num_rows))) for c in train.columns]
    return replace(world, synthetic=pa.table(columns, names=train.column_names))


def _copies(share: float) -> Callable[[World, int], World]:
    """That share of the rows replaced by training rows."""

    def plant(world: World, seed: int) -> World:
        rng = np.random.default_rng([seed, 72])
        n = world.synthetic.num_rows
        count = round(share * n)
        drawn = pa.array(rng.integers(0, world.train.num_rows, count))
        kept = world.synthetic.slice(count)
        return replace(world, synthetic=pa.concat_tables([world.train.take(drawn), kept]))

    return plant


def _few_distinct(world: World, seed: int) -> World:
    """One row in twenty, repeated."""
    rng = np.random.default_rng([seed, 77])
    n = world.synthetic.num_rows
    kept = rng.permutation(n)[: max(1, n // 20)]
    return replace(world, synthetic=world.synthetic.take(pa.array(np.resize(kept, n))))


def _without(name: str, level: str) -> Callable[[World, int], World]:
    """Rows of one level replaced by repeats with new noise of the others."""

    def plant(world: World, seed: int) -> World:
        kept = pc.not_equal(pc.cast(world.synthetic[name], pa.string()), level)
        others = world.synthetic.filter(kept)
        rng = np.random.default_rng([seed, 73])
        more = _customers(8 * world.synthetic.num_rows, rng)
        more = more.filter(pc.not_equal(pc.cast(more[name], pa.string()), level))
        need = world.synthetic.num_rows - others.num_rows
        return replace(world, synthetic=pa.concat_tables([others, more.slice(0, need)]))

    return plant


def _changed(
    name: str, change: Callable[[np.ndarray, np.random.Generator], np.ndarray]
) -> Callable:
    """One numeric column changed; missing stays missing."""

    def plant(world: World, seed: int) -> World:
        rng = np.random.default_rng([seed, 74])
        values = world.synthetic[name].to_numpy().astype(np.float64)
        made = pa.array(change(values, rng).round(2), from_pandas=True)
        at = world.synthetic.column_names.index(name)
        return replace(world, synthetic=world.synthetic.set_column(at, name, made))

    return plant


def _cut_tails(world: World, seed: int) -> World:
    def cut(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        low, high = np.nanquantile(values, [0.02, 0.98])
        inside = np.flatnonzero((values >= low) & (values <= high))
        outside = (values < low) | (values > high)
        return np.where(outside, values[rng.choice(inside, len(values))], values)

    for name in ("income", "spending"):
        world = _changed(name, cut)(world, seed)
    return world


def _flipped_labels(world: World, seed: int) -> World:
    flip = np.random.default_rng([seed, 75]).random(world.synthetic.num_rows) < 0.35
    labels = world.synthetic["returns"].to_numpy()
    at = world.synthetic.column_names.index("returns")
    made = world.synthetic.set_column(at, "returns", pa.array(labels ^ flip))
    return replace(world, synthetic=made)


def _leaked(world: World, seed: int) -> World:
    """One held-out row in the training data."""
    row = world.holdout.slice(int(np.random.default_rng([seed, 76]).integers(0, 50)), 1)
    return replace(world, train=pa.concat_tables([world.train.slice(1), row]))


def _noise(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return values + 0.5 * np.nanstd(values) * rng.normal(size=len(values))


def _shift(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return values + 0.5 * np.nanstd(values)


STRONG = "C2ST AUC, gradient"
FAILURES: tuple[Failure, ...] = (
    Failure(
        "independent columns",
        _independent,
        ("pair trend error, mean", STRONG, "pairs of values that occur at least half", "AUC for"),
    ),
    Failure(
        "copies of the training rows",
        _copies(1.0),
        ("exact copies", "nearer to a training row", "authenticity"),
    ),
    Failure("few distinct rows repeated", _few_distinct, ("rows that repeat", STRONG)),
    Failure("one row in five copied", _copies(0.2), ("exact copies",)),
    Failure(
        "a dropped mode",
        _without("region", "south"),
        ("column shape error, mean", STRONG, "least represented category"),
    ),
    Failure("cut tails", _cut_tails, ("tail frequency",)),
    Failure("flipped labels", _flipped_labels, ("AUC for 'returns', trained on syn",)),
    Failure("added noise", _changed("spending", _noise), (STRONG,)),
    Failure("a shifted mean", _changed("spending", _shift), (STRONG, "pair trend error, mean")),
    Failure("a test row leaked into training", _leaked, ("held-out rows in the training data",)),
    Failure("a dropped group", _without("sex", "female"), ("share of a group", STRONG)),
)
