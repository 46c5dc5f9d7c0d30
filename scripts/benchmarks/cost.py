"""How far sizes go: wall time, peak memory, model size and rates, each case in its own processes.

    python scripts/benchmarks/cost.py [--cases levels wide] [--scale 0.1] [--words ...]

Data are simulated by a seed and written to Parquet in chunks, by a process of their own. Each case
trains `model=tabvae` and writes rows; peak memory is that of the whole command. Training takes as
many updates for a small table as for a large one (20 epochs of 150), so large cases measure
reading, coding and memory. `--scale` makes every table smaller, for a first look.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from common import GENMODELS, SCRATCH, Cost, load, measured, placed, sample, save

CHUNK = 100_000
Maker = Callable[[np.random.Generator, int], dict[str, Any]]


def ordinary(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    """Ten columns with two latent causes: numbers, whole numbers, categories, a date, gaps."""
    a, b = rng.normal(size=(2, rows))
    day = np.datetime64("2020-01-01", "s") + (86_400 * rng.integers(0, 1500, rows)).astype("m8[s]")
    return {
        "amount": np.exp(a + rng.normal(size=rows) / 2).round(2),
        "height": (170 + 8 * b + rng.normal(size=rows)).round(1),
        "ratio": a - b + rng.normal(size=rows),
        "age": np.clip(40 + 12 * a, 18, 95).astype(int),
        "visits": rng.poisson(np.exp(b / 2)),
        "gap": pa.array(b.round(3), mask=rng.random(rows) < 0.2),
        "colour": levels(rng, rows, 5),
        "region": levels(rng, rows, 60),
        "day": day,
        "bought": np.where(rng.random(rows) < 1 / (1 + np.exp(2 - a - b)), "yes", "no"),
    }


def levels(rng: np.random.Generator, rows: int, count: int) -> pa.Array:
    """Text of up to `count` levels, the first ones more frequent."""
    codes = (count * rng.random(rows) ** 2).astype(np.int32)
    names = pa.array([f"level {i}" for i in range(count)])
    return pa.DictionaryArray.from_arrays(pa.array(codes), names).dictionary_decode()


def chosen(*names: str) -> Maker:
    def make(rng: np.random.Generator, rows: int) -> dict[str, Any]:
        whole = ordinary(rng, rows)
        return {name: whole[name] for name in names}

    return make


def binary(columns: int) -> Maker:
    """Zeros and ones that depend on five latent causes."""

    def make(rng: np.random.Generator, rows: int) -> dict[str, Any]:
        weights = np.random.default_rng(7).normal(size=(5, columns))
        ones = rng.normal(size=(rows, 5)) @ weights + rng.normal(size=(rows, columns)) > 0.5
        return {f"flag_{j}": ones[:, j].astype(int) for j in range(columns)}

    return make


def repeated(copies: int) -> Maker:
    """The ordinary columns several times, each time drawn anew."""

    def make(rng: np.random.Generator, rows: int) -> dict[str, Any]:
        drawn = [ordinary(rng, rows) for _ in range(copies)]
        return {f"{name}_{k}": part[name] for k, part in enumerate(drawn) for name in part}

    return make


@dataclass(frozen=True)
class Case:
    """One size.

    Args:
        text: for people.
        rows: of the training data.
        make: some rows as columns by name.
        drawn: rows to write, None: as many as the training data has, a million at most.
        open_levels: a column of text with about so many levels is added (0: none).
        words: of train, where the whole training would take hours.
    """

    text: str
    rows: int
    make: Maker
    drawn: int | None = None
    open_levels: int = 0
    words: tuple[str, ...] = ()


GRID = {
    f"grid_{rows // 1000}k_x_{10 * copies}": Case(
        f"{rows:,} rows x {10 * copies} columns", rows, repeated(copies), drawn=20_000
    )
    for rows in (10_000, 100_000, 1_000_000)
    for copies in (1, 4)
}
CASES = {
    "levels": Case("one column of 500,000 levels among 10", 1_000_000, ordinary,
                   open_levels=500_000),
    "wide": Case("1,000 columns of zeros and ones, 2 epochs of 20", 5_000, binary(1000),
                 words=("trainer.max_epochs=2",)),
    "one_column": Case("one column", 20_000, chosen("amount")),
    "numbers": Case("numbers only", 20_000, chosen("amount", "height", "ratio", "age", "visits")),
    "categories": Case("categories only", 20_000, chosen("colour", "region", "bought")),
    "few_rows": Case("200 rows", 200, ordinary, drawn=10_000),
    "long": Case("5,000,000 rows", 5_000_000, ordinary),
    **GRID,
}  # fmt: skip


def write(case: Case, rows: int, path: Path, open_levels: int) -> None:
    """The data of a case as Parquet, chunk by chunk; chunk i depends on i alone."""
    writer = None
    for number, start in enumerate(range(0, rows, CHUNK)):
        rng = np.random.default_rng([20, number])
        count = min(CHUNK, rows - start)
        columns = case.make(rng, count)
        if open_levels:
            # Half of the levels once each in turn, so that nearly all occur; the others at random.
            turn = (start + np.arange(count)) % open_levels
            drawn = np.where(rng.random(count) < 0.5, turn, rng.integers(0, open_levels, count))
            columns = {**columns, "code": [f"customer {i:08d}" for i in drawn]}
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def measure(name: str, scale: float, words: list[str]) -> dict[str, Any]:
    case, folder = CASES[name], SCRATCH / "cost" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows, path, run = max(50, round(scale * case.rows)), folder / "data.parquet", folder / "run"
    makes = measured(sys.executable, __file__, "--make", name, "--scale", str(scale))
    entry = {
        "text": case.text,
        "rows": rows,
        "columns": len(pq.read_schema(path).names),
        "scale": scale,
        "data_mb": megabytes(path),
        "make_s": makes.wall_s,
        "floor_mb": measured(sys.executable, "-c", "import torch, lightning, pyarrow").peak_mb,
    }
    train = measured(
        *GENMODELS, "train", "model=tabvae", "data=parquet", f"data.path={path}", f"run={run}",
        "data.holdout=0.0", "logger=none", *case.words, *words, may_fail=True,
    )  # fmt: skip
    entry["train"] = spent(train)
    if train.code:
        return entry | {"failed": f"train ended with exit code {train.code}"}
    entry["fit_s"] = json.loads((run / "manifest.json").read_text())["seconds"]
    entry["model_mb"] = megabytes(run / "model.safetensors")
    entry["codec_mb"] = megabytes(run / "codec.json")
    entry["schema_mb"] = megabytes(run / "schema.json")
    drawn, out = case.drawn or min(rows, 1_000_000), folder / "synthetic"
    asked = [f"run={run}", f"n={drawn}", f"out={out}", "overwrite=true"]
    cost = measured(*GENMODELS, "sample", *asked, may_fail=True)
    entry["sample"] = {"rows": drawn, **spent(cost)}
    if cost.code:
        return entry | {"failed": f"sample ended with exit code {cost.code}"}
    entry["sample"]["rows_per_s"] = sample(run, drawn, "parquet", out)
    return entry


def spent(cost: Cost) -> dict[str, float]:
    return {"s": cost.wall_s, "processor_s": cost.processor_s, "mb": cost.peak_mb}


def megabytes(path: Path) -> float:
    return round(path.stat().st_size / 2**20, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=[*CASES, "grid"])
    parser.add_argument("--scale", type=float, default=1.0, help="of the rows and open levels")
    parser.add_argument("--words", nargs="*", default=[], help="further words of train")
    parser.add_argument("--make", choices=list(CASES), help="only write the data of a case")
    arguments = parser.parse_args()
    if arguments.make:
        case = CASES[arguments.make]
        path = SCRATCH / "cost" / arguments.make / "data.parquet"
        rows = max(50, round(arguments.scale * case.rows))
        write(case, rows, path, round(arguments.scale * case.open_levels))
        return
    names = [name for word in arguments.cases for name in (GRID if word == "grid" else [word])]
    for name in names:
        entry = measure(name, arguments.scale, arguments.words)
        print(json.dumps(entry, indent=1))
        if arguments.scale == 1.0 and not arguments.words:  # a first look is not kept
            result = load("cost") or {"cases": {}}
            result.pop("note", None)  # it spoke of what was measured before
            placed(result, entry)
            result["cases"][name] = entry
            save("cost", result)


if __name__ == "__main__":
    main()
