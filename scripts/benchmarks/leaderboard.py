"""Models, peers and reference rows on the same tables, with one set of defaults, beside targets.

    GENMODELS_DATA=... GENMODELS_YARDSTICK=tabular_eval.py python scripts/benchmarks/leaderboard.py

Each model is trained several times on each table by `genmodels train model=<name>` and nothing
else but the target; scoring is by a program outside the project, called as
`SCORER SPEC.json SYNTHETIC.csv`. Results are merged into results/leaderboard.json, so that parts
can be measured again. Peers run in environments of their own (see `leaderboard_peer.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from common import HERE, RESULTS, SCRATCH, call, genmodels, machine, save
from tables import TABLES, prepare

REFERENCES = ("fresh", "independent", "bootstrap", "smote")
OURS = ("tabvae", "tvae2", "ctgan2", "tvae", "ctgan")
PEERS = {"argn": "mostlyai-engine==2.7.3"}
SAMPLES = 500_000


def train(model: str, table: str, seed: int, words: list[str]) -> dict[str, Any]:
    """One training with the defaults, and what it cost."""
    folder, run = prepare(table), SCRATCH / "leaderboard" / f"{table}-{model}-{seed}"
    shutil.rmtree(run, ignore_errors=True)
    wall, peak = measured(
        "train",
        f"model={model}",
        f"data.path={folder / 'train.csv'}",
        f"data.holdout_path={folder / 'test.csv'}",
        f"data.target={TABLES[table].target}",
        f"run={run}",
        f"seed={seed}",
        "logger=none",
        *words,
    )
    manifest = json.loads((run / "manifest.json").read_text())
    return {
        "seed": seed,
        "threads": torch.get_num_threads(),
        "train_s": round(wall, 1),
        "fit_s": manifest["seconds"],
        "peak_mb": peak,
        "run": str(run),
    }


def measured(*words: str) -> tuple[float, int]:
    """Run genmodels; wall seconds, and the most memory that it held, in MB."""
    start = time.perf_counter()
    print("$ genmodels", *words, flush=True)
    process = subprocess.Popen([sys.executable, "-m", "genmodels", *words])
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"genmodels {' '.join(words)} failed")
    return time.perf_counter() - start, round(usage.ru_maxrss / 1024)


def sample(run: str, rows: int, form: str, out: Path) -> int:
    """Write a dataset; the rows per second that `genmodels sample` reports."""
    words = [f"run={run}", f"n={rows}", f"format={form}", f"out={out}", "overwrite=true"]
    text, _ = genmodels("sample", *words)
    return int(re.search(r"\(([\d,]+) rows/s\)", text)[1].replace(",", ""))


def ours(model: str, table: str, seed: int, words: list[str]) -> tuple[dict[str, Any], Path]:
    entry = train(model, table, seed, words)
    run = entry.pop("run")
    out = SCRATCH / "leaderboard" / f"{table}-{model}-{seed}-synthetic"
    entry["rows_per_s_to_parquet"] = [sample(run, SAMPLES, "parquet", out) for _ in range(3)]
    rows = sum(1 for _ in (prepare(table) / "train.csv").open()) - 1
    sample(run, rows, "csv", out)
    return entry, next((out / "data").glob("*.csv"))


def reference(kind: str, table: str, seed: int) -> tuple[dict[str, Any], Path]:
    """Rows that no model made: what a figure can be, and what it must beat."""
    folder = prepare(table)
    frame = pd.read_csv(folder / "train.csv", keep_default_na=table != "adult")
    rng = np.random.default_rng(seed)
    out = SCRATCH / "leaderboard" / f"{table}-{kind}-{seed}.csv"
    out.parent.mkdir(parents=True, exist_ok=True)
    if kind == "bootstrap":
        made = frame.iloc[rng.integers(len(frame), size=len(frame))]
    elif kind == "independent":
        made = frame.apply(lambda column: column.to_numpy()[rng.permutation(len(frame))])
    elif kind == "smote":
        made = interpolated(frame, TABLES[table].categorical, rng)
    else:
        made = pd.read_csv(folder / "test.csv", keep_default_na=table != "adult")
    made.to_csv(out, index=False)
    return {"seed": seed}, out


def interpolated(frame: pd.DataFrame, categorical: tuple[str, ...], rng: Any) -> pd.DataFrame:
    """SMOTE on all rows: between a row and one of its five neighbours; categories by majority."""
    from imblearn.over_sampling import SMOTENC

    labels = np.zeros(2 * len(frame) + len(frame), int)[: len(frame)]
    numbers = frame.drop(columns=list(categorical)).astype(float)
    whole = pd.concat([numbers, frame[list(categorical)].astype(str)], axis=1)
    # A second class of equal rows, twice as many, makes SMOTE double the first one.
    padding = pd.concat([whole, whole]).reset_index(drop=True)
    both = pd.concat([whole, padding]).reset_index(drop=True)
    labels = np.r_[labels, np.ones(len(padding), int)]
    made, _ = SMOTENC(
        [whole.columns.get_loc(c) for c in categorical], random_state=int(rng.integers(1 << 30))
    ).fit_resample(both, labels)
    return made.iloc[len(both) :][frame.columns]


def peer(name: str, table: str, seed: int) -> tuple[dict[str, Any], Path]:
    folder, out = prepare(table), SCRATCH / "leaderboard" / f"{table}-{name}-{seed}"
    call(peer_python(name), HERE / "leaderboard_peer.py", folder, out, str(seed))
    return json.loads((out / "times.json").read_text()), out / "synthetic.csv"


def peer_python(name: str) -> Path:
    folder = SCRATCH / f"peer-{name}"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        call(folder / "bin" / "python", "-m", "pip", "install", "--quiet", PEERS[name])
        (folder / "ready").touch()
    return folder / "bin" / "python"


def score(table: str, synthetic: Path) -> dict[str, Any] | None:
    scorer = os.environ.get("GENMODELS_YARDSTICK")
    if not scorer:
        print("GENMODELS_YARDSTICK is not set: not scored")
        return None
    text, _ = call(sys.executable, scorer, prepare(table) / "spec.json", synthetic, "--real")
    return json.loads(text.splitlines()[-1])


def merge(table: str, model: str, entry: dict[str, Any]) -> None:
    path = RESULTS / "leaderboard.json"
    result: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    result["machine"] = machine()
    held = result.setdefault("tables", {}).setdefault(table, {})
    others = [run for run in held.get(model, []) if run["seed"] != entry["seed"]]
    held[model] = sorted([*others, entry], key=lambda run: run["seed"])
    save("leaderboard", result)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=[*REFERENCES, *OURS, *PEERS])
    parser.add_argument("--tables", nargs="+", default=list(TABLES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--words", nargs="*", default=[], help="further words of train")
    arguments = parser.parse_args()
    for table in arguments.tables:
        for model in arguments.models:
            once = model == "fresh" or model in PEERS
            for seed in arguments.seeds[:1] if once else arguments.seeds:
                if model in REFERENCES:
                    entry, csv = reference(model, table, seed)
                elif model in PEERS:
                    entry, csv = peer(model, table, seed)
                else:
                    entry, csv = ours(model, table, seed, arguments.words)
                entry["scores"] = score(table, csv)
                merge(table, model, entry)


if __name__ == "__main__":
    main()
