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

from common import HERE, SCRATCH, call, data_folder, genmodels, machine, matmul_gflops, save

NUMERIC = ["age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
REFERENCE = ["ctgan==0.12.1", "pyarrow"]
SAMPLES = 300_000


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
        import torch

        venv.create(folder, with_pip=True, clear=True)
        version = torch.__version__.split("+")[0]
        call(python, "-m", "pip", "install", "--quiet", f"torch=={version}", *REFERENCE)
        (folder / "ready").touch()
    return python


def reference(model: str, adult: Path, epochs: int) -> dict[str, Any]:
    out = SCRATCH / f"reference-{model}"
    worker = [reference_python(), HERE / "reference_worker.py", model, adult / "train.csv"]
    _, wall = call(*worker, adult / "discrete.json", str(epochs), str(SAMPLES), out)
    times = json.loads((out / "times.json").read_text())
    return {**times, "wall_s": round(wall, 1), "scores": score(adult, out / "synthetic.csv")}


def ours(model: str, adult: Path, epochs: int) -> dict[str, Any]:
    run, out = SCRATCH / f"run-{model}", SCRATCH / f"synthetic-{model}"
    for folder in (run, out):
        shutil.rmtree(folder, ignore_errors=True)
    _, wall = genmodels(
        "train",
        f"model={model}",
        "data=csv",
        f"data.path={adult / 'train.csv'}",
        f"data.holdout_path={adult / 'test.csv'}",
        f"run={run}",
        f"trainer.max_epochs={epochs}",
        "validation.patience=null",
    )
    rates = [sampled(run, out, SAMPLES, "parquet", seed) for seed in range(3)]
    sampled(run, out, 32561, "csv", 0)
    csv = next((out / "data").glob("*.csv"))
    seconds = json.loads((run / "manifest.json").read_text())["seconds"]
    return {
        "model": model,
        "epochs": epochs,
        "wall_s": round(wall, 1),
        "fit_s": seconds,
        "epoch_s": round(seconds / epochs, 3),
        "rows_per_s_to_parquet": rates,
        "scores": score(adult, csv),
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["tvae", "ctgan"])
    parser.add_argument("--epochs", type=int, default=300)
    arguments = parser.parse_args()
    adult = prepare()
    result: dict[str, Any] = {"machine": machine(), "matmul_gflops": matmul_gflops()}
    for model in arguments.models:
        result[model] = {
            "reference": reference(model, adult, arguments.epochs),
            "ours": ours(model, adult, arguments.epochs),
        }
        save("tabular", result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
