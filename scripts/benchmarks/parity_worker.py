"""Column and pair similarities by SDMetrics on seeded inputs, as JSON on standard output.

    <python with sdmetrics> scripts/benchmarks/parity_worker.py > results/parity_sdmetrics.json

SDMetrics needs pandas below 3 and a package that is not open source, so it has an environment of
its own: pip install "sdmetrics==0.32.0", and for results/parity_sdmetrics_0_11.json another with
"sdmetrics==0.11.1" "numpy<2" "pandas<2.1" "scipy<1.12". The inputs are made here, by numpy alone,
and made again by the test that compares: only seeds and figures are written.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Case = dict[str, Any]

ROWS = (400, 300)
LETTERS = np.array(list("abcdefgh"))


def gaps(rng: np.random.Generator, values: np.ndarray, share: float) -> np.ndarray:
    return np.where(rng.random(len(values)) < share, np.nan, values)


def number_cases() -> dict[str, Callable[[np.random.Generator, int, bool], np.ndarray]]:
    """Makers of one column of numbers: (generator, rows, whether synthetic)."""
    return {
        "normal": lambda rng, n, made: rng.normal(0.3 * made, 1 + made, n),
        "gaps": lambda rng, n, made: gaps(rng, rng.gamma(2, 1 + made, n), 0.2),
        "ties": lambda rng, n, made: rng.poisson(3 + made, n).astype(float),
        "zeros": lambda rng, n, made: np.where(rng.random(n) < 0.7, 0.0, rng.random(n)),
        "wide": lambda rng, n, made: rng.standard_cauchy(n) * 1e6,
        "constant": lambda rng, n, made: np.full(n, 5.0 + made),
        "apart": lambda rng, n, made: rng.random(n) + 10 * made,
    }


def level_cases() -> dict[str, Callable[[np.random.Generator, int, bool], np.ndarray]]:
    """Makers of one column of texts."""
    return {
        "even": lambda rng, n, made: LETTERS[rng.integers(0, 4, n)],
        "skewed": lambda rng, n, made: LETTERS[
            np.minimum(rng.geometric(0.4 + 0.2 * made, n), 8) - 1
        ],
        "unseen": lambda rng, n, made: LETTERS[rng.integers(0, 3, n) + 2 * made],
        "constant": lambda rng, n, made: np.full(n, "a"),
        "apart": lambda rng, n, made: np.full(n, "b" if made else "a"),
        "gaps": lambda rng, n, made: np.where(
            rng.random(n) < 0.2, None, LETTERS[rng.integers(0, 3 + made, n)]
        ),
    }


def pair(make: Callable[..., np.ndarray], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The real and the synthetic values of one case."""
    rng = np.random.default_rng(seed)
    return make(rng, ROWS[0], False), make(rng, ROWS[1], True)


def linked(seed: int, made: bool, share: float) -> np.ndarray:
    """Two numbers that go together, with gaps; shape (N, 2)."""
    rng = np.random.default_rng([seed, int(made)])
    x = rng.normal(size=ROWS[made])
    y = (0.2 if made else 0.8) * x + rng.normal(size=len(x)) * 0.5
    return np.column_stack([gaps(rng, x, share), gaps(rng, y, share)])


def linked_levels(seed: int, made: bool, unseen: bool) -> np.ndarray:
    """Two texts that go together; shape (N, 2)."""
    rng = np.random.default_rng([seed, int(made)])
    a = rng.integers(0, 5, ROWS[made])
    b = (a + rng.integers(0, 3 if made else 2, len(a))) % 6 + (2 if unseen and made else 0)
    return np.column_stack([LETTERS[a], LETTERS[b]])


def mixed(seed: int, made: bool) -> dict[str, np.ndarray]:
    """A number, another with gaps, and a text that goes with the first; shape (N,) each."""
    rng = np.random.default_rng([seed, int(made)])
    x = rng.normal(size=ROWS[made]) * (2.5 if made else 1.0)
    y = gaps(rng, 0.5 * x + rng.normal(size=len(x)), 0.1 * (seed % 2))
    k = np.clip(np.rint(x + 2 + rng.normal(size=len(x))), 0, 4).astype(int)
    return {"x": x, "y": y, "k": LETTERS[k]}


def columns_compared() -> Iterator[Case]:
    """Figures of single columns."""
    import pandas as pd
    from sdmetrics.single_column import KSComplement, TVComplement

    for metric, cases in ((KSComplement, number_cases()), (TVComplement, level_cases())):
        for k, (name, make) in enumerate(cases.items()):
            for seed in range(100 * k, 100 * k + 3):
                a, b = (pd.Series(x) for x in pair(make, seed))
                yield _figure(metric.__name__, name, seed, metric.compute(a, b))


def pairs_compared() -> Iterator[Case]:
    """Figures of two columns of one kind."""
    import pandas as pd
    from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity

    names, sides = ["x", "y"], (False, True)
    for seed in range(4):
        share, unseen = 0.1 * (seed % 2), seed % 2 == 1
        frames = [pd.DataFrame(linked(seed, made, share), columns=names) for made in sides]
        value = CorrelationSimilarity.compute(*frames)
        yield _figure("CorrelationSimilarity", f"gaps {share:g}", seed, value)
        frames = [pd.DataFrame(linked_levels(seed, made, unseen), columns=names) for made in sides]
        value = ContingencySimilarity.compute(*frames)
        yield _figure("ContingencySimilarity", "unseen" if unseen else "same levels", seed, value)


def mixed_compared(version: str) -> Iterator[Case]:
    """Figures of a number with a text: in the report of 0.11, in the metric of later versions."""
    import pandas as pd

    for seed in range(4):
        a, b = (pd.DataFrame(mixed(seed, made)) for made in (False, True))
        if version.startswith("0.11."):
            from sdmetrics.reports.single_table import QualityReport

            kinds = {"x": "numerical", "y": "numerical", "k": "categorical"}
            report = QualityReport()
            meta = {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}
            report.generate(a, b, meta, verbose=False)
            for row in report.get_details("Column Pair Trends").to_dict("records"):
                name = "-".join(sorted((row["Column 1"], row["Column 2"])))
                yield _figure("ColumnPairTrends", name, seed, row["Score"])
            continue
        from sdmetrics.column_pairs import ContingencySimilarity

        for number in ("x", "y"):
            value = ContingencySimilarity.compute(
                a[[number, "k"]], b[[number, "k"]], continuous_column_names=[number]
            )
            yield _figure("ContingencySimilarity of a number", f"k-{number}", seed, value)


def _figure(metric: str, case: str, seed: int, value: float) -> Case:
    return {"metric": metric, "case": case, "seed": seed, "value": float(value)}


def main() -> None:
    names = ("sdmetrics", "pandas", "numpy", "scipy")
    versions = {name: importlib.metadata.version(name) for name in names}
    figures = [*columns_compared(), *pairs_compared(), *mixed_compared(versions["sdmetrics"])]
    json.dump({"versions": versions, "figures": figures}, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
