"""Datasets at scale: rows a second to Parquet, memory as rows grow, images to a folder.

    GENMODELS_DATA=... python scripts/benchmarks/delivery.py

Trains one epoch of each model on Adult (speed does not depend on how good a model is). Memory is
the peak of the whole command. Images are real digits of 28x28 that are already in memory: what is
measured is the writer alone, files made sure of on disk.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from common import GENMODELS, SCRATCH, data_folder, load, measured, placed, sample, save

from genmodels.types import Images
from genmodels.writers.base import Shard
from genmodels.writers.imagefolder import ImageFolderWriter

MODELS = ("tabvae", "tvae", "ctgan")
RATE_ROWS, REPEATS = 1_000_000, 3
GROWING = (1_000_000, 10_000_000)
IMAGES, PIECE = 50_000, 512


def trained(model: str) -> str:
    run = SCRATCH / "delivery" / model
    shutil.rmtree(run, ignore_errors=True)
    measured(
        *GENMODELS, "train", f"model={model}", f"run={run}", "trainer.max_epochs=1", "logger=none",
        f"data.path={data_folder() / 'tables' / 'adult_train.csv.gz'}", "callbacks.preview=null",
        quiet=True,
    )  # fmt: skip
    return str(run)


def rates(run: str) -> list[int]:
    """Rows a second that the command says, writing included."""
    out = SCRATCH / "delivery" / "rows"
    return [sample(run, RATE_ROWS, "parquet", out) for _ in range(REPEATS)]


def memory(run: str) -> list[dict[str, Any]]:
    """The whole command for more and more rows."""
    out, found = SCRATCH / "delivery" / "many", []
    for rows in GROWING:
        asked = [f"run={run}", f"n={rows}", f"out={out}", "overwrite=true"]
        cost = measured(*GENMODELS, "sample", *asked, quiet=True)
        size = sum(file.stat().st_size for file in (out / "data").iterdir()) / 2**20
        found.append(
            {"rows": rows, "s": cost.wall_s, "mb": cost.peak_mb, "written_mb": round(size)}
        )
    shutil.rmtree(out)
    return found


def pictures() -> dict[str, Any]:
    """Seconds that the writer of image folders takes, the best of several."""
    with np.load(data_folder() / "images" / "mnist_train.npz") as held:
        pixels, labels = held["images"][:IMAGES, None], held["labels"][:IMAGES].astype(np.int64)
    names = tuple(str(i) for i in range(10))

    def pieces() -> Iterator[Images]:
        for start in range(0, IMAGES, PIECE):
            rows = slice(start, start + PIECE)
            yield Images(pixels[rows], labels[rows], names)

    times = []
    for _ in range(REPEATS):
        folder = SCRATCH / "delivery" / "pictures"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        writer, start = ImageFolderWriter(), time.perf_counter()
        writer.write(pieces(), folder, Shard(number=0, of=1, start=0))
        writer.finish(folder, 1)
        times.append(round(time.perf_counter() - start, 1))
    return {"images": IMAGES, "s": times}


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    result: dict[str, Any] = load("delivery") or {}
    entry: dict[str, Any] = {"rate_rows": RATE_ROWS, "rates": {}}
    for model in MODELS:
        run = trained(model)
        entry["rates"][model] = rates(run)
        if model == "tvae":
            entry["memory"] = memory(run)
    entry["pictures"] = pictures()
    placed(result, entry)
    save("delivery", {**result, **entry})


if __name__ == "__main__":
    main()
