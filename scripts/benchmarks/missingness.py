"""Is the structure of missing values kept? Which are missing, which together, and with what target.

    GENMODELS_DATA=... python scripts/benchmarks/missingness.py [--tables pbc2] [--seeds 0 1 2]

Half of the rows of a table train `model=tabvae` with its defaults. A quarter, which training never
sees, is what synthetic rows are compared with; the last quarter is compared with it, too: what
another real sample of as many rows scores. As many synthetic rows as training rows are drawn, and
the first of them, as many as the quarter has, are compared, so that noise is the same for both.
Columns in which any of the compared rows, real or synthetic, lack a value are looked at, so that
gaps count that a model invented. Figures that a table does not have (pairs of columns, say, where
one column has gaps) are null.
"""

from __future__ import annotations

import argparse
import shutil
from typing import Any

import numpy as np
import pandas as pd
from common import GENMODELS, SCRATCH, keep, load, measured, placed, sample, written
from tables import EVERY, read, whole
from twosample import auc

NAMES = (
    "hr_job_change", "framingham", "air_quality_uci", "compas_two_years", "nyc_taxis",
    "credit_scoring_es", "pbc2", "ames_house",
)  # fmt: skip
CHOICES = [name for name, table in EVERY.items() if not table.complete]
"""Tables whose rows with missing values are kept."""


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
    run = folder / ("run-words" if words else "run")
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


def gap_columns(name: str, *frames: pd.DataFrame) -> list[str]:
    """Columns but the target that lack a value in any of the tables."""
    target = EVERY[name].target
    return [c for c in frames[0] if c != target and any(f[c].isna().any() for f in frames)]


def compare(
    name: str,
    columns: list[str],
    test: pd.DataFrame,
    other: pd.DataFrame,
    seed: int,
    *,
    learned: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Figures of `other` rows against real test rows; None where there is nothing to compare.

    `learned` are the rows that the others were learned from, if they were.
    """
    frames = [test, other, *([] if learned is None else [learned])]
    gaps = [frame[columns].isna().to_numpy(float) for frame in frames]
    positive = sorted(test[EVERY[name].target].unique(), key=str)[-1]
    targets = [target_of(frame, name, positive) for frame in frames]
    shown = [
        pd.DataFrame(gap, columns=columns).assign(target=y)
        for gap, y in zip(gaps[:2], targets[:2], strict=True)
    ]
    alone = auc(*(frame[columns] for frame in shown), seed=seed) if columns else None
    return {
        **extremes("share", np.abs(gaps[0].mean(0) - gaps[1].mean(0))),
        **extremes("phi", np.abs(phi(gaps[0]) - phi(gaps[1])) if len(columns) > 1 else None),
        **by_target(name, columns, gaps, targets),
        "c2st": auc(*shown, seed=seed),
        "c2st_gaps_alone": alone,
    }


def extremes(name: str, differences: np.ndarray | None) -> dict[str, float | None]:
    """The largest and the mean of differences; None where there are none."""
    if differences is None or not len(differences):
        return {f"{name}_largest": None, f"{name}_mean": None}
    return {
        f"{name}_largest": round(float(differences.max()), 4),
        f"{name}_mean": round(float(differences.mean()), 4),
    }


def by_target(
    name: str, columns: list[str], gaps: list[np.ndarray], targets: list[np.ndarray]
) -> dict[str, Any]:
    """How the target goes with missing values, over columns with enough rows.

    Gaps and targets of real rows, of those here, and of those that they were learned from, if any.
    """
    spread = 1.0 if EVERY[name].task == "classification" else float(np.nanstd(targets[0]))
    real, found, *learned = (lifts(gap, y) for gap, y in zip(gaps, targets, strict=True))
    apart = np.abs(found[:, 0] - real[:, 0]) / spread
    error = np.sqrt(sum(part[:, 1] for part in (real, found, *learned))) / spread
    seen = np.flatnonzero(~np.isnan(apart + error))
    known = [np.abs(found[:, 0] - part[:, 0]) / spread for part in learned]
    if not len(seen):
        nothing = {"target_beyond_2_se": 0, "target_columns": 0, "target_worst": None}
        return {"target_mean": None, "target_mean_to_learned": None, **nothing}
    # Without any variance a difference is no chance, and no difference is none in any unit.
    beyond = np.where(apart > 0, np.inf, 0.0)
    np.divide(apart, error, out=beyond, where=error > 0)
    worst = int(seen[beyond[seen].argmax()])
    return {
        "target_mean": round(float(apart[seen].mean()), 4),
        "target_mean_to_learned": round(float(known[0][seen].mean()), 4) if known else None,
        "target_beyond_2_se": int((beyond[seen] > 2).sum()),
        "target_columns": len(seen),
        "target_worst": {
            "column": columns[worst],
            "real": round(float(real[worst, 0]) / spread, 4),
            "here": round(float(found[worst, 0]) / spread, 4),
            "se": round(float(error[worst]), 4),
        },
    }


def measure(name: str, seed: int, words: list[str]) -> dict[str, Any]:
    real = parts(name, seed)
    made, seconds = synthetic(name, seed, len(real["train"]), words)
    made = made.iloc[: len(real["fresh"])][real["test"].columns]
    gaps = real["test"].isna()
    lacking = gaps.loc[:, gaps.any()]
    # The same columns for both, so that their figures stand beside each other.
    columns = gap_columns(name, real["test"], real["fresh"], made)
    return {
        "seed": seed,
        "rows": len(real["train"]),
        "compared": len(real["test"]),
        "columns": lacking.shape[1],
        "compared_columns": len(columns),
        "missing": round(float(lacking.to_numpy().mean()), 4) if lacking.size else 0.0,
        "train_s": seconds,
        "synthetic": compare(
            name, columns, real["test"], made, seed, learned=real["train"][real["test"].columns]
        ),
        "fresh": compare(name, columns, real["test"], real["fresh"], seed),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", default=list(NAMES), choices=CHOICES)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--words", nargs="*", default=[], help="further words of train; results are not kept then"
    )
    arguments = parser.parse_args()
    for name in arguments.tables:
        for seed in arguments.seeds:
            entry = measure(name, seed, arguments.words)
            result = load("missingness") or {"tables": {}}
            placed(result, entry)
            held = result["tables"].setdefault(name, [])
            others = [run for run in held if run["seed"] != seed]
            result["tables"][name] = sorted([*others, entry], key=lambda run: run["seed"])
            keep("missingness", result, entry, arguments.words)


if __name__ == "__main__":
    main()
