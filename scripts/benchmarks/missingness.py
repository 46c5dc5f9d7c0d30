"""Is the structure of missing values kept? Which are missing, which together, and with what target.

    GENMODELS_DATA=... python scripts/benchmarks/missingness.py [--tables pbc2] [--seeds 0 1 2]

Half of the rows of a table train `model=tabvae` with its defaults. A quarter, which training never
sees, is what synthetic rows are compared with; the last quarter is compared with it, too: what
another real sample of as many rows scores. As many synthetic rows as training rows are drawn, and
the first of them, as many as the quarter has, are compared, so that noise is the same for both.
"""

from __future__ import annotations

import argparse
import shutil
from typing import Any

import numpy as np
import pandas as pd
from common import GENMODELS, SCRATCH, load, machine, measured, sample, save, written
from tables import EVERY, read, whole
from twosample import auc

NAMES = (
    "hr_job_change", "framingham", "air_quality_uci", "compas_two_years", "nyc_taxis",
    "credit_scoring_es", "pbc2", "ames_house",
)  # fmt: skip


def parts(name: str, seed: int) -> dict[str, pd.DataFrame]:
    """Training half and two quarters, written as CSV and read again, as a generator's rows are."""
    folder = SCRATCH / "missingness" / f"{name}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    frame = whole(name)
    order = np.random.default_rng([seed, 1]).permutation(len(frame))
    half, quarter = len(frame) // 2, len(frame) // 4
    cuts = {
        "train": order[:half],
        "test": order[half : half + quarter],
        "fresh": order[half + quarter : half + 2 * quarter],
    }
    found = {}
    for part, rows in cuts.items():
        frame.iloc[rows].to_csv(folder / f"{part}.csv", index=False)
        found[part] = read(folder / f"{part}.csv")
    return found


def synthetic(name: str, seed: int, rows: int, words: list[str]) -> tuple[pd.DataFrame, float]:
    """Rows of a model of the training half, and the seconds that it took."""
    folder = SCRATCH / "missingness" / f"{name}-{seed}"
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    data = [f"data.path={folder / 'train.csv'}", f"data.target={EVERY[name].target!r}"]
    common = [f"run={run}", f"seed={seed}", "data.holdout=0.0", "logger=none"]
    cost = measured(*GENMODELS, "train", "model=tabvae", *data, *common, *words)
    sample(run, rows, "csv", folder / "synthetic")
    return read(written(folder / "synthetic")), cost.wall_s


def target_of(frame: pd.DataFrame, name: str, positive: Any) -> np.ndarray:
    """The target as numbers: 1 where it is `positive`, or as it is in a regression."""
    values = frame[EVERY[name].target]
    if EVERY[name].task == "regression":
        return pd.to_numeric(values, errors="coerce").to_numpy(float)
    return (values == positive).to_numpy(float)


def phi(gaps: np.ndarray) -> np.ndarray:
    """Correlations of the indicators (N, G), one per pair; 0 where one of them is constant."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.corrcoef(gaps, rowvar=False)
    return np.nan_to_num(np.atleast_2d(found)[np.triu_indices(gaps.shape[1], 1)])


def lifts(gaps: np.ndarray, target: np.ndarray) -> np.ndarray:
    """By column, mean target where it is missing minus where it is not, and the variance (G, 2).

    NaN where fewer than 20 rows are on one side.
    """
    found = np.full((gaps.shape[1], 2), np.nan)
    for j, gone in enumerate(gaps.T.astype(bool)):
        sides = [target[where & ~np.isnan(target)] for where in (gone, ~gone)]
        if min(map(len, sides)) >= 20:
            means = [side.mean() for side in sides]
            noise = sum(side.var(ddof=1) / len(side) for side in sides)
            found[j] = means[0] - means[1], noise
    return found


def compare(name: str, test: pd.DataFrame, other: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Figures of `other` rows against real test rows."""
    columns = [c for c in test if test[c].isna().any() and c != EVERY[name].target]
    gaps = [frame[columns].isna().to_numpy(float) for frame in (test, other)]
    positive = sorted(test[EVERY[name].target].unique(), key=str)[-1]
    targets = [target_of(frame, name, positive) for frame in (test, other)]
    spread = 1.0 if EVERY[name].task == "classification" else float(np.nanstd(targets[0]))
    shares = np.abs(gaps[0].mean(0) - gaps[1].mean(0))
    pairs = np.abs(phi(gaps[0]) - phi(gaps[1]))
    real, found = (lifts(gap, y) for gap, y in zip(gaps, targets, strict=True))
    apart = (found[:, 0] - real[:, 0]) / spread
    error = np.sqrt(real[:, 1] + found[:, 1]) / spread
    seen = ~np.isnan(apart)
    worst = int(np.nanargmax(np.abs(apart / error))) if seen.any() else None
    shown = [
        pd.DataFrame(gap, columns=columns).assign(target=y)
        for gap, y in zip(gaps, targets, strict=True)
    ]
    return {
        "share_largest": round(float(shares.max()), 4),
        "share_mean": round(float(shares.mean()), 4),
        "phi_largest": round(float(pairs.max()), 4),
        "phi_mean": round(float(pairs.mean()), 4),
        "target_mean": round(float(np.abs(apart[seen]).mean()), 4) if seen.any() else None,
        "target_beyond_2_se": int((np.abs(apart[seen]) > 2 * error[seen]).sum()),
        "target_columns": int(seen.sum()),
        "target_worst": None if worst is None else {
            "column": columns[worst],
            "real": round(real[worst, 0] / spread, 4),
            "here": round(found[worst, 0] / spread, 4),
            "se": round(float(error[worst]), 4),
        },
        "c2st": auc(*shown, seed=seed),
        "c2st_gaps_alone": auc(*(frame[columns] for frame in shown), seed=seed),
    }  # fmt: skip


def measure(name: str, seed: int, words: list[str]) -> dict[str, Any]:
    real = parts(name, seed)
    made, seconds = synthetic(name, seed, len(real["train"]), words)
    gaps = real["test"].isna()
    return {
        "seed": seed,
        "rows": len(real["train"]),
        "compared": len(real["test"]),
        "columns": int(gaps.any().sum()),
        "missing": round(float(gaps.loc[:, gaps.any()].to_numpy().mean()), 4),
        "train_s": seconds,
        "synthetic": compare(name, real["test"], made.iloc[: len(real["fresh"])], seed),
        "fresh": compare(name, real["test"], real["fresh"], seed),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", default=list(NAMES), choices=list(EVERY))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--words", nargs="*", default=[], help="further words of train")
    arguments = parser.parse_args()
    for name in arguments.tables:
        for seed in arguments.seeds:
            entry = measure(name, seed, arguments.words)
            result = load("missingness") or {"tables": {}}
            result["machine"] = machine()
            held = result["tables"].setdefault(name, [])
            others = [run for run in held if run["seed"] != seed]
            result["tables"][name] = sorted([*others, entry], key=lambda run: run["seed"])
            save("missingness", result)


if __name__ == "__main__":
    main()
