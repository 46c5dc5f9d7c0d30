"""Image models on digits and MNIST: training time, TSTR accuracy beside real, and the grid.

    GENMODELS_DATA=... python scripts/benchmarks/images.py [--data digits] [--models dcgan]

Beside the models stands the simplest generator, a Gaussian per class in 64 principal components: on
digits as a figure of each report, on MNIST also as a data set of its own.

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
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, SCRATCH, call, data_folder, genmodels, load, machine, save

from genmodels.metrics.images.pca_gaussian import pca_gaussian
from genmodels.report.looks.sheet import draw_grid
from genmodels.types import Images

SHOWN = ("metric", "value", "interval", "ceiling", "independent", "copies", "simple")
GAUSSIAN = "pca_gaussian"


def source(name: str) -> list[str]:
    if name == "digits":
        return ["data=digits"]
    train, test = mnist()
    return ["data=npz", f"data.path={train}", f"data.holdout_path={test}"]


def mnist() -> tuple[Path, Path]:
    images = data_folder() / "images"
    return images / "mnist_train.npz", images / "mnist_test.npz"


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
    return {
        "train_s": json.loads((run / "manifest.json").read_text())["seconds"],
        "sample_s": round(sample, 1),
        "evaluate_s": round(evaluate, 1),
        "threads": torch.get_num_threads(),
        "n": n,
        "rows": figures(out.with_name(f"{out.name}-report")),
        "yardstick": yardstick(name, next((out / "data").glob("*.npz"))),
    }


def measure_gaussian() -> dict[str, Any]:
    """The simplest generator on MNIST, judged as the models are."""
    train, test = mnist()
    with np.load(train) as read:
        real = Images(read["images"][:, None], read["labels"].astype(np.int64))
    start = time.monotonic()
    made = pca_gaussian(real, 10_000, components=64, seed=0)
    seconds = time.monotonic() - start
    out = SCRATCH / f"synthetic-{GAUSSIAN}-mnist.npz"
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(out, images=made.pixels[:, 0], labels=made.labels)
    told = out.with_suffix("")
    _, evaluate = genmodels(
        "evaluate", f"real={train}", f"holdout={test}", f"synthetic={out}", f"out={told}"
    )
    rows = [made.pixels[made.labels == label][:10] for label in range(10)]
    names = [str(label) for label in range(10)]
    grid = draw_grid(np.concatenate(rows), len(rows), names)
    grid.save(RESULTS / f"fake_{GAUSSIAN}_mnist.png")
    return {
        "train_s": round(seconds, 1),
        "sample_s": 0.0,  # fitting and drawing are one
        "evaluate_s": round(evaluate, 1),
        "threads": torch.get_num_threads(),
        "n": len(made),
        "rows": figures(told),
        "yardstick": yardstick("mnist", out),
    }


def figures(folder: Path) -> list[dict[str, Any]]:
    """The rows of a report that was written to a folder."""
    report = json.loads((folder / "report.json").read_text())
    rows = [row for section in report["sections"] for row in section["rows"]]
    return [{key: row[key] for key in SHOWN} for row in rows]


def yardstick(name: str, synthetic: Path) -> dict[str, Any] | None:
    """The figures of a scorer outside the project, when there is one and it knows the data."""
    scorer = os.environ.get("GENMODELS_IMAGE_YARDSTICK")
    if name != "mnist" or not scorer:
        return None
    train, test = mnist()
    text, _ = call(sys.executable, scorer, train, test, synthetic)
    return json.loads(text.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=["digits", "mnist"])
    parser.add_argument("--models", nargs="+", default=["dcgan", "conv_vae", GAUSSIAN])
    arguments = parser.parse_args()
    result: dict[str, Any] = load("images") or {}
    result.pop("note", None)  # it spoke of what was measured before
    result["machine"] = machine()
    for name in arguments.data:
        for model in arguments.models:
            if model == GAUSSIAN and name != "mnist":
                continue  # each report of digits has it beside the model
            gaussian = model == GAUSSIAN
            result[f"{model}_{name}"] = measure_gaussian() if gaussian else measure(model, name)
            save("images", result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
