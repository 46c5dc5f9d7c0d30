"""CTGAN and TVAE on Adult: ours beside the reference implementation, same machine, in turn.

    GENMODELS_DATA=... [GENMODELS_YARDSTICK=tabular_eval.py] python scripts/benchmarks/tabular.py

The reference is the `ctgan` package in an environment of its own (made on first use; it is never
a dependency). Both train for the paper's 300 epochs on the official training rows. Scoring is by
a program outside the project, called as `SCORER SPEC.json SYNTHETIC.csv`; it needs xgboost.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import sys
import venv
from pathlib import Path
from typing import Any

import torch
from common import (
    HERE,
    RESULTS,
    SCRATCH,
    call,
    data_folder,
    genmodels,
    machine,
    matmul_gflops,
    save,
)

NUMERIC = ["age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
REFERENCE = ["ctgan==0.12.1", "pyarrow"]
SAMPLES = 1_000_000


def prepare() -> Path:
    """Adult as CSV, the list of its discrete columns, and the scorer's description."""
    folder = SCRATCH / "adult"
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "test"):
        source = data_folder() / "tables" / f"adult_{split}.csv.gz"
        (folder / f"{split}.csv").write_bytes(gzip.decompress(source.read_bytes()))
    header = (folder / "train.csv").open().readline().strip().split(",")
    discrete = [name for name in header if name not in NUMERIC]
    (folder / "discrete.json").write_text(json.dumps(discrete))
    spec = {
        "train": "train.csv",
        "test": "test.csv",
        "target": "income",
        "task": "classification",
        "numerical": NUMERIC,
        "categorical": discrete,
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    return folder


def reference_python() -> Path:
    folder = SCRATCH / "reference"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        version = torch.__version__.split("+")[0]
        call(python, "-m", "pip", "install", "--quiet", f"torch=={version}", *REFERENCE)
        (folder / "ready").touch()
    return python


def reference(model: str, adult: Path, epochs: int, seed: int, rows: int) -> dict[str, Any]:
    out = SCRATCH / f"reference-{model}-{seed}"
    worker = [reference_python(), HERE / "reference_worker.py", model, adult / "train.csv"]
    _, wall = call(*worker, adult / "discrete.json", str(epochs), str(rows), out, str(seed))
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
    rates = [sampled(run, out, rows, "parquet", number) for number in range(3)]
    sampled(run, out, 32561, "csv", seed)
    return {
        "model": model,
        "seed": seed,
        "epochs": epochs,
        "threads": torch.get_num_threads(),
        "wall_s": round(wall, 1),
        "fit_s": seconds,
        "epoch_s": round(seconds / epochs, 3),
        "rows_per_s_to_parquet": rates,
        "csv": str(next((out / "data").glob("*.csv"))),
    }


def sampled(run: Path, out: Path, n: int, form: str, seed: int) -> int:
    """Write a synthetic dataset; the rows per second that `genmodels sample` reports."""
    words = [f"run={run}", f"n={n}", f"format={form}", f"out={out}", f"seed={seed}"]
    text, _ = genmodels("sample", *words, "overwrite=true")
    return int(re.search(r"\(([\d,]+) rows/s\)", text)[1].replace(",", ""))


def score(adult: Path, synthetic: Path) -> dict[str, Any] | None:
    scorer = os.environ.get("GENMODELS_YARDSTICK")
    if not scorer:
        print("GENMODELS_YARDSTICK is not set: not scored")
        return None
    text, _ = call(sys.executable, scorer, adult / "spec.json", synthetic)
    return json.loads(text.splitlines()[-1])


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
    path = RESULTS / "tabular.json"
    result: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
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
    adult = prepare()
    for model in arguments.models:
        for seed in arguments.seeds:
            for who in arguments.who:
                entry = RUNS[who](model, adult, arguments.epochs, seed, SAMPLES)
                entry["scores"] = score(adult, Path(entry.pop("csv")))
                merge(model, who, entry)
        if arguments.turns:
            times = in_turn(model, adult, arguments.turns, arguments.turn_epochs)
            merge(model, "epoch_s_in_turn", times)
    print((RESULTS / "tabular.json").read_text())


if __name__ == "__main__":
    main()
