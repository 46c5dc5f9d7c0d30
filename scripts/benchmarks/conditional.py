"""Rows drawn on a condition, beside the real rows that meet it: can a classifier tell them apart?

    GENMODELS_DATA=... python scripts/benchmarks/conditional.py

For each stratum of Adult and of the bank's table: as many rows as the real training table has there
are drawn with `given`, and XGBoost tells them from the real ones (cross-validated AUC, 0.5 is
best). Beside it the same for two random halves of the real stratum. The runs are those of
leaderboard.py; they are trained when they are not there. Missing values: the share of rows without
a value, by the level of the target, real and synthetic.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import SCRATCH, data_folder, genmodels, machine, save
from leaderboard import train
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from tables import prepare
from xgboost import XGBClassifier

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


def auc(real: pd.DataFrame, other: pd.DataFrame, seed: int = 0) -> float:
    """Cross-validated AUC of telling two tables of equal length apart."""
    n = min(len(real), len(other), 10_000)
    both = pd.concat(
        [frame.sample(n, random_state=seed).reset_index(drop=True) for frame in (real, other)]
    )
    text = [c for c in both if not pd.api.types.is_numeric_dtype(both[c])]
    x = both.assign(**{c: both[c].astype(str).astype("category").cat.codes for c in text})
    y = np.r_[np.zeros(n), np.ones(n)]
    learner = XGBClassifier(n_estimators=100, max_depth=6, tree_method="hist", n_jobs=2)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    from sklearn.metrics import roc_auc_score

    p = cross_val_predict(learner, x.to_numpy(float), y, cv=folds, method="predict_proba")[:, 1]
    return round(float(roc_auc_score(y, p)), 4)


def run_of(table: str) -> Path:
    run = SCRATCH / "leaderboard" / f"{table}-tabvae-0"
    if not (run / "model.safetensors").exists():
        train("tabvae", table, 0, [])
    return run


def drawn(run: Path, rows: int, words: list[str]) -> tuple[pd.DataFrame, int]:
    """Rows on a condition, as read from CSV, and the rows per second that were reported."""
    out = SCRATCH / "conditional"
    shutil.rmtree(out, ignore_errors=True)
    base = [f"run={run}", f"n={rows}", "format=csv", f"out={out}", "overwrite=true"]
    text, _ = genmodels("sample", *base, *words)
    rate = int(re.search(r"\(([\d,]+) rows/s\)", text)[1].replace(",", ""))
    return pd.read_csv(next((out / "data").glob("*.csv")), keep_default_na=False), rate


def strata(table: str) -> list[dict[str, Any]]:
    frame = pd.read_csv(prepare(table) / "train.csv", keep_default_na=False)
    found = []
    for where, words in STRATA[table]:
        real = frame.query(where)
        synthetic, rate = drawn(run_of(table), len(real), words)
        halves = real.sample(frac=1.0, random_state=0)
        middle = len(real) // 2
        found.append({
            "table": table, "stratum": where, "rows": len(real),
            "all_rows_meet_it": bool(len(synthetic.query(where)) == len(synthetic)),
            "c2st": auc(real[synthetic.columns], synthetic),
            "c2st_real_halves": auc(halves.iloc[:middle], halves.iloc[middle:]),
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
    out = SCRATCH / "conditional"
    shutil.rmtree(out, ignore_errors=True)
    words = [f"run={run}", "n=50000", "format=csv", f"out={out}", "overwrite=true"]
    genmodels("sample", *words)
    synthetic = pd.read_csv(next((out / "data").glob("*.csv")))
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
