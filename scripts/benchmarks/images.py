"""Image models on digits and MNIST: training time, TSTR accuracy beside real, and the grid.

    GENMODELS_DATA=... python scripts/benchmarks/images.py [--data digits] [--models dcgan]

Every figure comes from `genmodels train`, `sample` and `evaluate` at their defaults: the same
configs for both data sets. The held-out images are never seen in training. A run in the scratch
folder that has finished is not trained again; one that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from common import RESULTS, SCRATCH, call, data_folder, genmodels, load, machine, save

SHOWN = ("metric", "value", "interval", "ceiling", "independent", "copies")


def source(name: str) -> list[str]:
    if name == "digits":
        return ["data=digits"]
    images = data_folder() / "images"
    return [
        "data=npz",
        f"data.path={images / 'mnist_train.npz'}",
        f"data.holdout_path={images / 'mnist_test.npz'}",
    ]


def measure(model: str, name: str) -> dict[str, Any]:
    run, out = (SCRATCH / f"{kind}-{model}-{name}" for kind in ("run", "synthetic"))
    n = 10_000 if name == "mnist" else 2_000
    genmodels("train", f"model={model}", *source(name), f"run={run}", "resume=auto")
    _, sample = genmodels(
        "sample", f"run={run}", f"n={n}", "format=npz", f"out={out}", "overwrite=true"
    )
    _, evaluate = genmodels("evaluate", f"run={run}", f"synthetic={out}")
    for kind in ("real", "fake"):
        picture = sorted((run / "pictures").glob(f"{kind}*.png"))[-1]
        shutil.copy(picture, RESULTS / f"{kind}_{model}_{name}.png")
    report = json.loads((out.with_name(f"{out.name}-report") / "report.json").read_text())
    rows = [row for section in report["sections"] for row in section["rows"]]
    return {
        "train_s": json.loads((run / "manifest.json").read_text())["seconds"],
        "sample_s": round(sample, 1),
        "evaluate_s": round(evaluate, 1),
        "threads": torch.get_num_threads(),
        "n": n,
        "rows": [{key: row[key] for key in SHOWN} for row in rows],
        "yardstick": yardstick(name, next((out / "data").glob("*.npz"))),
    }


def yardstick(name: str, synthetic: Path) -> dict[str, Any] | None:
    """The figures of a scorer outside the project, when there is one and it knows the data."""
    scorer = os.environ.get("GENMODELS_IMAGE_YARDSTICK")
    if name != "mnist" or not scorer:
        return None
    images = data_folder() / "images"
    train, test = images / "mnist_train.npz", images / "mnist_test.npz"
    text, _ = call(sys.executable, scorer, train, test, synthetic)
    return json.loads(text.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=["digits", "mnist"])
    parser.add_argument("--models", nargs="+", default=["dcgan", "conv_vae"])
    arguments = parser.parse_args()
    result: dict[str, Any] = load("images") or {}
    result.pop("note", None)  # it spoke of what was measured before
    result["machine"] = machine()
    for name in arguments.data:
        for model in arguments.models:
            result[f"{model}_{name}"] = measure(model, name)
            save("images", result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
