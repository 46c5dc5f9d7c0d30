"""What an evaluation costs and what it says: Adult under three generators, and a million rows.

    GENMODELS_DATA=... [GENMODELS_YARDSTICK=tabular_eval.py] python scripts/benchmarks/evaluation.py

Adult's synthetic rows are those that `tabular.py` left behind (ctgan), columns shuffled on their
own, and training rows drawn with replacement. Wall time and peak memory are of the whole command.
A scorer outside the project, when it is named, judges the same files.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from common import GENMODELS, SCRATCH, load, machine, measured, save, score, written
from tables import prepare


def evaluate(name: str, *words: str) -> dict[str, Any]:
    """Run the command; its wall time, peak memory, summary and figures."""
    out = SCRATCH / f"report-{name}"
    shutil.rmtree(out, ignore_errors=True)
    cost = measured(*GENMODELS, "evaluate", *words, f"out={out}", quiet=True)
    report = json.loads((out / "report.json").read_text())
    return {
        "wall_s": cost.wall_s,
        "peak_gb": round(cost.peak_mb / 1024, 2),
        "processor_s": cost.processor_s,
        "report_mb": round((out / "report.html").stat().st_size / 2**20, 2),
        "rows": report["facts"]["synthetic rows"],
        "summary": report["summary"],
        "figures": [row for section in report["sections"] for row in section["rows"]],
    }


def adult(name: str, folder: Path, rng: np.random.Generator) -> Path | None:
    """The synthetic rows of one case as CSV, or None where `tabular.py` did not run."""
    place = SCRATCH / f"adult-{name}.csv"
    train = pd.read_csv(folder / "train.csv")
    if name == "ctgan":
        made = SCRATCH / "synthetic-ctgan-0"
        return written(made) if made.exists() else None
    if name == "independent":
        for column in train.columns:
            train[column] = rng.permutation(train[column].to_numpy())
    else:
        train = train.iloc[rng.integers(0, len(train), len(train))]
    train.to_csv(place, index=False)
    return place


def million(rows: int, rng: np.random.Generator) -> pa.Table:
    """Twenty columns: numbers with two latent causes, categories of 3 to 300 levels, a date."""
    cause = rng.normal(size=(2, rows))
    columns: dict[str, Any] = {}
    for k in range(10):
        noise = rng.normal(size=rows)
        columns[f"number_{k}"] = (cause[k % 2] * (1 + 0.2 * k) + noise).round(k % 5)
    columns["amount"] = np.exp(cause[0] + rng.normal(size=rows)).round(2)
    for k, size in enumerate((3, 5, 10, 30, 100, 300)):
        code = np.clip(((cause[k % 2] + 3) / 6 * size + rng.normal(size=rows)), 0, size - 1)
        columns[f"level_{k}"] = [f"L{c}" for c in code.astype(int)]
    day = np.datetime64("2020-01-01", "s") + (86400 * rng.integers(0, 1500, rows)).astype("m8[s]")
    columns["day"] = pa.array(day)
    columns["gap"] = pa.array(cause[1].round(3), mask=rng.random(rows) < 0.2)
    columns["bought"] = np.where(rng.random(rows) < 1 / (1 + np.exp(-2 * cause[0])), "yes", "no")
    return pa.table(columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="+", default=["ctgan", "independent", "copies", "million"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    chosen = parser.parse_args()
    folder, rng = prepare("adult"), np.random.default_rng(0)
    result = load("evaluation") or {}
    result["machine"] = machine()
    for name in chosen.cases:
        if name == "million":
            files = {}
            for part, share in (("train", 1.0), ("holdout", 0.25), ("synthetic", 1.0)):
                files[part] = SCRATCH / f"million-{part}.parquet"
                pq.write_table(million(int(share * chosen.rows), rng), files[part])
            words = (f"real={files['train']}", f"holdout={files['holdout']}")
            words += (f"synthetic={files['synthetic']}", "target=bought")
            result[name] = evaluate(name, *words)
        else:
            made = adult(name, folder, rng)
            if made is None:
                print(f"{name}: run tabular.py first; left out")
                continue
            words = (f"real={folder / 'train.csv'}", f"holdout={folder / 'test.csv'}")
            words += (f"synthetic={made}", "target=income", "sensitive=[sex,race]")
            result[name] = evaluate(name, *words) | {"yardstick": score(folder / "spec.json", made)}
        print(json.dumps({k: v for k, v in result[name].items() if k != "figures"}, indent=1))
        save("evaluation", result)


if __name__ == "__main__":
    main()
