"""Rows drawn on a condition, beside the real rows that meet it: can a classifier tell them apart?

    GENMODELS_DATA=... python scripts/benchmarks/conditional.py

For each stratum of Adult and of the bank's table: as many rows as the real training table has there
are drawn with `given`, and XGBoost tells half as many of them from a random half of the real ones
(cross-validated AUC, 0.5 is best). Beside it the same of the other half of the real rows, so that
both judgements are of equally many rows. The real rows are those that the model was trained on (of
test rows a stratum has too few): rows that repeat them too closely would look better here, which
the DCR share of the leaderboard would show. The runs are those of leaderboard.py with the defaults;
they are trained when they are not there. Missing values: the share of rows without a value, by the
level of the target, real and synthetic.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from common import SCRATCH, data_folder, genmodels, machine, sample, save, written
from leaderboard import folder_of, train
from tables import prepare, read
from twosample import auc

STRATA: dict[str, list[tuple[str, list[str]]]] = {
    "adult": [
        ("income == '>50K'", ["given.income=>50K"]),
        ("age > 60", ["given.age=> 60"]),
        ("education in ['Bachelors', 'Masters'] and sex == 'Female'",
         ["given.education=[Bachelors, Masters]", "given.sex=Female"]),
        ("`capital-gain` > 5000", ["given.capital-gain=> 5000"]),
        ("relationship == 'Husband' and age < 30",
         ["given.relationship=Husband", "given.age=< 30"]),
    ],
    "bank_full": [
        ("deposit == 'yes'", ["given.deposit=yes"]),
        ("balance > 5000", ["given.balance=> 5000"]),
        ("job == 'student' and age < 25", ["given.job=student", "given.age=< 25"]),
    ],
}  # fmt: skip
MISSING = {"stroke": ("stroke", "bmi"), "credit_scoring_es": ("Status", "Income")}


def run_of(table: str) -> Path:
    """The leaderboard's first run of a table, which the defaults made."""
    run = folder_of("tabvae", table, 0, [])
    if not (run / "model.safetensors").exists():
        train("tabvae", table, 0, [])
    return run


def drawn(run: Path, rows: int, words: list[str]) -> tuple[pd.DataFrame, int]:
    """Rows on a condition, as read from CSV, and the rows per second that were reported."""
    out = SCRATCH / "conditional"
    rate = sample(run, rows, "csv", out, *words)
    return read(written(out)), rate


def strata(table: str) -> list[dict[str, Any]]:
    frame = read(prepare(table) / "train.csv")
    found = []
    for where, words in STRATA[table]:
        real = frame.query(where)
        synthetic, rate = drawn(run_of(table), len(real), words)
        mixed = real.sample(frac=1.0, random_state=0)
        half = len(real) // 2
        judge, other = mixed.iloc[:half], mixed.iloc[half : 2 * half]
        found.append({
            "table": table, "stratum": where, "rows": len(real),
            "all_rows_meet_it": bool(len(synthetic.query(where)) == len(synthetic)),
            "compared": half,
            "c2st": auc(judge[synthetic.columns], synthetic.iloc[:half]),
            "c2st_real_halves": auc(judge, other),
            "rows_per_s": rate,
        })  # fmt: skip
    return found


def missing(table: str) -> dict[str, Any]:
    """Share of rows without a value, by the level of the target."""
    target, column = MISSING[table]
    path = data_folder() / "tables" / f"{table}.csv.gz"
    real, run = pd.read_csv(path), SCRATCH / "conditional-runs" / table
    if not (run / "model.safetensors").exists():
        words = [f"data.path={path}", f"data.target={target}", f"run={run}", "logger=none"]
        genmodels("train", "model=tabvae", "overwrite=true", *words)
    drawn(run, 50_000, [])
    synthetic = pd.read_csv(written(SCRATCH / "conditional"))  # missing is written as in the table
    share = {
        who: frame[column].isna().groupby(frame[target].astype(str)).mean().round(4).to_dict()
        for who, frame in (("real", real), ("synthetic", synthetic))
    }
    return {"table": table, "target": target, "column": column, **share}


def main() -> None:
    result = {
        "machine": machine(),
        "strata": [row for table in STRATA for row in strata(table)],
        "missing": [missing(table) for table in MISSING],
    }
    save("conditional", result)


if __name__ == "__main__":
    main()
