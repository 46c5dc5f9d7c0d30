"""Coverage of combinations: its cost at a million rows, and what stand-ins reach of held-out rows.

    GENMODELS_DATA=... python scripts/benchmarks/coverage.py

The cost is that of the whole command. The reach is on Adult: of the distinct pairs and triples of
values of its held-out rows, the share that as many other rows lack (set difference combinatorial
coverage): training rows, the same drawn with replacement, the same with each column shuffled, and
synthetic rows named with --synthetic.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from common import GENMODELS, SCRATCH, data_folder, keep, measured, placed

from genmodels.data.open import open_source
from genmodels.metrics.coverage.counts import cover
from genmodels.metrics.coverage.differences import difference
from genmodels.metrics.coverage.factors import codes_of, sizes_of
from genmodels.metrics.tables.views import TableView, shuffled_columns
from genmodels.report.coverage.reading import read_known
from genmodels.tasks.compose import compose
from genmodels.tasks.parts import instantiate

FOLDER = SCRATCH / "coverage"
FACTORS, LEVELS = 20, 6


def grown(rows: int) -> Path:
    """A Parquet file of categories and numbers that hang together."""
    rng, path = np.random.default_rng(0), FOLDER / f"{rows}.parquet"
    common, names = rng.normal(size=rows), np.array([f"level {k}" for k in range(LEVELS)])
    columns = {}
    for k in range(FACTORS):
        x = 0.5 * common + rng.normal(size=rows)
        codes = np.clip((x + LEVELS / 2).astype(int), 0, LEVELS - 1)
        columns[f"f{k}"] = names[codes] if k % 3 else np.round(x, 2)
    FOLDER.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def costs(rows: int) -> dict[str, Any]:
    """Wall time and peak memory of the command, by strength."""
    path, found = grown(rows), {}
    for strength in (2, 3):
        out = FOLDER / f"out-{strength}"
        words = ("coverage", path, f"strength={strength}", f"out={out}")
        cost = measured(*GENMODELS, *words, quiet=True)
        found[str(strength)] = {"wall_s": cost.wall_s, "peak_mb": cost.peak_mb}
    return found


def reach(synthetic: list[str]) -> dict[str, Any]:
    """By stand-in, the share of the held-out rows' combinations that it lacks, by strength."""
    tables = data_folder() / "tables"
    paths = [tables / "adult_test.csv.gz", tables / "adult_train.csv.gz", *map(Path, synthetic)]
    cfg = compose("coverage", ["strength=3"])
    sources = [open_source(path) for path in paths]
    known = read_known(
        sources, [], told=None, infer=instantiate(cfg.infer), parse=instantiate(cfg.parse)
    )
    held, train, *made = known.views
    factors, _ = instantiate(cfg.study).factors(known.whole, known.schema, [], {})
    rng, n = np.random.default_rng(0), min(map(len, known.views))
    rows = train.take(rng.permutation(len(train))[:n])
    stands = {
        "training rows": rows,
        "with replacement": train.take(rng.integers(0, len(train), n)),
        "independent columns": shuffled_columns(rows, 0),
        **{Path(name).name: view for name, view in zip(synthetic, made, strict=True)},
    }
    return {name: lacking(held, view, factors, n) for name, view in stands.items()}


def lacking(held: TableView, view: TableView, factors: list[Any], n: int) -> dict[str, Any]:
    found, sizes = {}, sizes_of(factors)
    for ways in (2, 3):
        codes = [codes_of(factors, rows.take(np.arange(n))) for rows in (held, view)]
        target, source = (cover(one, sizes, ways, ()) for one in codes)
        both = difference(target.seen, source.seen, of_rows=n, drawn=n)
        back = difference(source.seen, target.seen, of_rows=n, drawn=n)
        found[str(ways)] = {
            "held_out": both.target,
            "lacks": round(both.share, 4),
            "by_chance": round(both.by_chance, 4),
            "invents": round(back.share, 4),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--synthetic", nargs="*", default=[])
    given = parser.parse_args()
    result: dict[str, Any] = {
        "rows": given.rows,
        "factors": FACTORS,
        "cost": costs(given.rows),
        "adult": reach(given.synthetic),
    }
    for name, ways in result["adult"].items():
        shown = "; ".join(f"{w}-way lacks {x['lacks']:.1%}" for w, x in ways.items())
        print(f"{name:<20} {shown}")
    placed(result, result)
    usual = vars(parser.parse_args([]))
    keep("coverage", result, result, [k for k, v in vars(given).items() if v != usual[k]])


if __name__ == "__main__":
    main()
