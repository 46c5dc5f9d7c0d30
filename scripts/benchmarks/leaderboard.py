"""Models, peers and reference rows on the same tables, with one set of defaults, beside targets.

    GENMODELS_DATA=... GENMODELS_YARDSTICK=tabular_eval.py python scripts/benchmarks/leaderboard.py
    ... leaderboard.py --tables untouched --models fresh halves independent tabvae

Each model is trained several times on each table by `genmodels train model=<name>` and nothing
else but the target; scoring is by a program outside the project, called as
`SCORER SPEC.json SYNTHETIC.csv`. Results are merged into results/leaderboard.json, so that parts
can be measured again; with `--resume` what is there is not measured again. With `--words` they are
not defaults: they are printed and not kept. Tables are names, or `five` or `untouched`, see
`tables.py`. Peers run in environments of their own (see `leaderboard_peer.py`). `halves` is what a
fresh real sample of as many rows would score in shape and trend (see `halves.py`); some targets
are made of it.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from common import (
    GENMODELS,
    HERE,
    SCRATCH,
    call,
    environment,
    keep,
    load,
    measured,
    placed,
    sample,
    score,
    written,
)
from halves import SPLITS, fresh_from_halves
from tables import EVERY, GROUPS, prepare, read, scorable

REFERENCES = ("fresh", "halves", "independent", "bootstrap", "smote")
OURS = ("tabvae", "tvae2", "ctgan2", "tvae", "ctgan")
CALIBRATED = {"tabvae-pin": "pin", "tabvae-marginal": "marginal"}
"""Other samples of the trainings of tabvae, which must have been measured before."""
PEERS = {"argn": "mostlyai-engine==2.7.3"}
ONCE = ("fresh", "halves", *PEERS)
"""Measured with one seed: nothing is drawn, or a training takes too long."""


def folder_of(model: str, table: str, seed: int, words: list[str]) -> Path:
    """The run of a training; a folder without "-words" never holds anything but defaults."""
    return SCRATCH / "leaderboard" / f"{table}-{model}-{seed}{'-words' if words else ''}"


def train(model: str, table: str, seed: int, words: list[str]) -> dict[str, Any]:
    """One training with the defaults, and what it cost; with words, in a folder apart."""
    folder, run = prepare(table), folder_of(model, table, seed, words)
    shutil.rmtree(run, ignore_errors=True)
    cost = measured(
        *GENMODELS,
        "train",
        f"model={model}",
        f"data.path={folder / 'train.csv'}",
        f"data.holdout_path={folder / 'test.csv'}",
        f"data.target={EVERY[table].target!r}",
        f"run={run}",
        f"seed={seed}",
        "logger=none",
        *words,
    )
    manifest = json.loads((run / "manifest.json").read_text())
    return {
        "seed": seed,
        "threads": torch.get_num_threads(),
        "train_s": cost.wall_s,
        "fit_s": manifest["seconds"],
        "peak_mb": cost.peak_mb,
        "run": str(run),
    }


def ours(
    model: str, table: str, seed: int, words: list[str], samples: int
) -> tuple[dict[str, Any], Path]:
    entry = train(model, table, seed, words)
    run = Path(entry.pop("run"))
    out = run.with_name(f"{run.name}-synthetic")
    if samples:
        entry["rows_per_s_to_parquet"] = [sample(run, samples, "parquet", out) for _ in range(3)]
    else:
        entry = {key: value for key, value in entry.items() if not key.endswith("_s")}
    sample(run, len(read(prepare(table) / "train.csv")), "csv", out)
    return entry, written(out)


def calibrated(model: str, table: str, seed: int) -> tuple[dict[str, Any], Path]:
    """A sample of a run of tabvae whose margins are calibrated."""
    run, how = folder_of("tabvae", table, seed, []), CALIBRATED[model]
    out = SCRATCH / "leaderboard" / f"{table}-{model}-{seed}-synthetic"
    rows = len(read(prepare(table) / "train.csv"))
    sample(run, rows, "csv", out, f"calibrate={how}")
    return {"seed": seed}, written(out)


def reference(kind: str, table: str, seed: int) -> tuple[dict[str, Any], Path]:
    """Rows that no model made: what a figure can be, and what it must beat."""
    folder = prepare(table)
    frame = read(folder / "train.csv")
    rng = np.random.default_rng(seed)
    out = SCRATCH / "leaderboard" / f"{table}-{kind}-{seed}.csv"
    out.parent.mkdir(parents=True, exist_ok=True)
    if kind == "bootstrap":
        made = frame.iloc[rng.integers(len(frame), size=len(frame))]
    elif kind == "independent":
        made = frame.apply(lambda column: column.to_numpy()[rng.permutation(len(frame))])
    elif kind == "smote":
        made = interpolated(frame, EVERY[table].categorical, rng)
    else:
        made = read(folder / "test.csv")
    made.to_csv(out, index=False)
    return {"seed": seed}, out


def interpolated(frame: pd.DataFrame, categorical: tuple[str, ...], rng: Any) -> pd.DataFrame:
    """SMOTE on all rows: between a row and one of its five neighbours; categories by majority.

    SMOTE fills the smaller class up. Here the rows are that class, and the same rows twice are
    the other one, so that as many rows are made as there are.
    """
    from imblearn.over_sampling import SMOTENC

    numbers = frame.drop(columns=list(categorical)).astype(float)
    rows = pd.concat([numbers, frame[list(categorical)].astype(str)], axis=1)
    thrice = pd.concat([rows] * 3, ignore_index=True)
    smaller = np.arange(len(thrice)) < len(rows)
    smote = SMOTENC(list(categorical), random_state=int(rng.integers(1 << 30)))
    made, _ = smote.fit_resample(thrice, smaller)
    return made.iloc[len(thrice) :][frame.columns]


def peer(name: str, table: str, seed: int) -> tuple[dict[str, Any], Path]:
    folder, out = prepare(table), SCRATCH / "leaderboard" / f"{table}-{name}-{seed}"
    python = environment(f"peer-{name}", PEERS[name])
    call(python, HERE / "leaderboard_peer.py", folder, out, str(seed))
    return json.loads((out / "times.json").read_text()), out / "synthetic.csv"


def merge(table: str, model: str, entry: dict[str, Any], words: list[str]) -> None:
    result: dict[str, Any] = load("leaderboard") or {}
    placed(result, entry)
    held = result.setdefault("tables", {}).setdefault(table, {})
    others = [run for run in held.get(model, []) if run["seed"] != entry["seed"]]
    held[model] = sorted([*others, entry], key=lambda run: run["seed"])
    keep("leaderboard", result, entry, words)


def measure(model: str, table: str, seed: int, words: list[str], samples: int) -> None:
    spec = prepare(table) / "spec.json"
    if model == "halves":
        entry = {"seed": seed, "splits": SPLITS, "scores": fresh_from_halves(spec, seed)}
        merge(table, model, entry, [])
        return
    if model in REFERENCES:
        entry, csv = reference(model, table, seed)
    elif model in CALIBRATED:
        entry, csv = calibrated(model, table, seed)
    elif model in PEERS:
        entry, csv = peer(model, table, seed)
    else:
        entry, csv = ours(model, table, seed, words, samples)
    entry["scores"] = score(spec, scorable(table, csv), "--real")
    merge(table, model, entry, words if model in OURS else [])


def done(model: str, table: str, seed: int) -> bool:
    runs = (load("leaderboard") or {}).get("tables", {}).get(table, {}).get(model, [])
    return any(run["seed"] == seed for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=[*REFERENCES, *OURS, *CALIBRATED, *PEERS])
    parser.add_argument("--tables", nargs="+", default=["five"], choices=[*GROUPS, *EVERY])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--words", nargs="*", default=[], help="further words of train; results are not kept then"
    )
    parser.add_argument(
        "--samples",
        type=int,
        default=500_000,
        help="rows to Parquet, three times; 0 on a busy machine: no times are kept",
    )
    parser.add_argument("--resume", action="store_true", help="measure only what is not there")
    arguments = parser.parse_args()
    names = [name for word in arguments.tables for name in GROUPS.get(word, (word,))]
    for table in dict.fromkeys(names):
        for model in arguments.models:
            if model == "smote" and not EVERY[table].complete:
                print(f"{table}: SMOTE takes no missing values; left out")
                continue
            for seed in arguments.seeds[:1] if model in ONCE else arguments.seeds:
                if not (arguments.resume and done(model, table, seed)):
                    measure(model, table, seed, arguments.words, arguments.samples)


if __name__ == "__main__":
    main()
