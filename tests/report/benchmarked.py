"""Simulated rows with a known target, and generators that help, harm or do nothing."""

import numpy as np
import pyarrow as pa

from genmodels.metrics.benchmark.stand_ins import Bootstrap
from genmodels.report.benchmark.plan import Plan
from genmodels.schema import Column, TableSchema

NUMBERS = ("a", "b", "c", "d")
SCHEMA = TableSchema(
    (
        *(Column(name, "continuous") for name in NUMBERS),
        Column("ward", "categorical", levels=("x", "y", "z")),
        Column("ill", "categorical", role="target", levels=("no", "yes")),
    )
)


def world(rows, seed, *, shift=0.0, flipped=False):
    """Whether someone is ill depends on a product, which takes many rows to learn."""
    rng = np.random.default_rng(seed)
    x, ward = rng.normal(size=(len(NUMBERS), rows)), rng.integers(0, 3, rows)
    ill = rng.random(rows) < 1 / (1 + np.exp(shift - 5 * x[0] * x[1] - (ward == 1)))
    texts = {
        "ward": np.array(["x", "y", "z"])[ward],
        "ill": np.where(ill != flipped, "yes", "no"),
    }
    coded = {name: pa.array(values).dictionary_encode() for name, values in texts.items()}
    return pa.table({**dict(zip(NUMBERS, x, strict=True)), **coded})


def plan(**changed):
    usual = {
        "repeats": 4, "test_share": 0.2, "split_by": None, "time": None,
        "learners": ("logistic",), "ratios": (1.0,), "sizes": (None,), "folds": 3,
        "imbalanced": 0.2, "alpha": 0.05, "seed": 0,
    }  # fmt: skip
    return Plan(**usual | changed)


class Simulator:
    """A generator that knows the truth, or its opposite."""

    def __init__(self, seed, *, flipped=False):
        self.seed, self.flipped = seed, flipped

    def sample(self, n, *, seed):
        return world(n, [seed, 7, self.seed], flipped=self.flipped)

    def of_level(self, target, level, n, *, seed):
        return None


def bootstrap(train, *, seed, name):
    return Bootstrap(train)


def truth(train, *, seed, name):
    return Simulator(seed)


def lies(train, *, seed, name):
    return Simulator(seed, flipped=True)
