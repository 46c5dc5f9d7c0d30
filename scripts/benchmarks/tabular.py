"""CTGAN and TVAE on Adult: ours beside the reference implementation, same machine, in turn.

    GENMODELS_DATA=... [GENMODELS_YARDSTICK=tabular_eval.py] python scripts/benchmarks/tabular.py

The reference is the `ctgan` package in an environment of its own (made on first use; it is never
a dependency). Both train for the paper's 300 epochs on the official training rows. Scoring is by
a program outside the project, called as `SCORER SPEC.json SYNTHETIC.csv`; it needs xgboost.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from common import (
    HERE,
    RESULTS,
    SCRATCH,
    call,
    environment,
    genmodels,
    load,
    machine,
    matmul_gflops,
    sample,
    save,
    score,
    written,
)
from tables import prepare

REFERENCE = ["ctgan==0.12.1", "pyarrow"]
SAMPLES = 1_000_000


def reference(model: str, adult: Path, epochs: int, seed: int, rows: int) -> dict[str, Any]:
    out = SCRATCH / f"reference-{model}-{seed}"
    version = torch.__version__.split("+")[0]
    python = environment("reference", f"torch=={version}", *REFERENCE)
    worker = [python, HERE / "reference_worker.py", model, adult]
    _, wall = call(*worker, str(epochs), str(rows), out, str(seed))
    times = json.loads((out / "times.json").read_text())
    return {**times, "seed": seed, "wall_s": round(wall, 1), "csv": str(out / "synthetic.csv")}


def ours(model: str, adult: Path, epochs: int, seed: int, rows: int) -> dict[str, Any]:
    run, out = SCRATCH / f"run-{model}-{seed}", SCRATCH / f"synthetic-{model}-{seed}"
    shutil.rmtree(run, ignore_errors=True)
    _, wall = genmodels(
        "train",
        f"model={model}",
        "data=csv",
        f"data.path={adult / 'train.csv'}",
        f"data.holdout_path={adult / 'test.csv'}",
        f"run={run}",
        f"seed={seed}",
        f"trainer.max_epochs={epochs}",
        "validation.patience=null",
    )
    seconds = json.loads((run / "manifest.json").read_text())["seconds"]
    rates = [sample(run, rows, "parquet", out, f"seed={number}") for number in range(3)]
    sample(run, 32561, "csv", out, f"seed={seed}")
    return {
        "model": model,
        "seed": seed,
        "epochs": epochs,
        "threads": torch.get_num_threads(),
        "wall_s": round(wall, 1),
        "fit_s": seconds,
        "epoch_s": round(seconds / epochs, 3),
        "rows_per_s_to_parquet": rates,
        "csv": str(written(out)),
    }


def in_turn(model: str, adult: Path, turns: int, epochs: int) -> dict[str, list[float]]:
    """Seconds an epoch, reference and ours one after the other, so that noise hits both."""
    found: dict[str, list[float]] = {"reference": [], "ours": []}
    for turn in range(turns):
        for who, run in RUNS.items():
            entry = run(model, adult, epochs, 1000 + turn, 1000)
            found[who].append(entry["epoch_s"])
    return found


def merge(model: str, key: str, value: Any) -> None:
    """Keep what was measured before; a run replaces the one of its seed and threads."""
    result: dict[str, Any] = load("tabular") or {}
    result |= {"machine": machine(), "matmul_gflops": matmul_gflops()}
    result.pop("note", None)  # it spoke of what was measured before
    held = result.setdefault(model, {})
    if key in RUNS:
        same = {"seed": value["seed"], "threads": value["threads"]}
        others = [run for run in held.get(key, []) if {k: run[k] for k in same} != same]
        value = sorted([*others, value], key=lambda run: (-run["threads"], run["seed"]))
    held[key] = value
    save("tabular", result)


RUNS = {"reference": reference, "ours": ours}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["tvae", "ctgan"])
    parser.add_argument("--who", nargs="+", default=list(RUNS))
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--turns", type=int, default=3, help="short runs in turn, for the ratio")
    parser.add_argument("--turn-epochs", type=int, default=10)
    arguments = parser.parse_args()
    adult = prepare("adult")
    for model in arguments.models:
        for seed in arguments.seeds:
            for who in arguments.who:
                entry = RUNS[who](model, adult, arguments.epochs, seed, SAMPLES)
                entry["scores"] = score(adult / "spec.json", Path(entry.pop("csv")))
                merge(model, who, entry)
        if arguments.turns:
            times = in_turn(model, adult, arguments.turns, arguments.turn_epochs)
            merge(model, "epoch_s_in_turn", times)
    print((RESULTS / "tabular.json").read_text())


if __name__ == "__main__":
    main()
