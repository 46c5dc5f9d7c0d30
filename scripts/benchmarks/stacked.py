"""How many of the thousand combinations of three digits a GAN makes that was told none of them.

    GENMODELS_DATA=... python scripts/benchmarks/stacked.py [--models dcgan r3gan]

Each channel of an image is a digit of MNIST, drawn at random. The models train with their defaults
on such images without labels; a classifier of single digits then names the three of each image that
they draw. A run that has finished is not trained again.

References:
    Metz et al., "Unrolled Generative Adversarial Networks", 2017 (the data set); Lin et al.,
    "PacGAN", 2018 (how modes are counted).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import SCRATCH, data_folder, genmodels, load, placed, save

from genmodels.metrics.label_judge import LabelJudge
from genmodels.types import Images

TRAINING, DRAWN = 60_000, 26_000
DIGITS, CHANNELS = 10, 3


def read(name: str) -> Images:
    with np.load(data_folder() / "images" / name) as held:
        return Images(held["images"][:, None], held["labels"].astype(np.int64))


def stack(digits: Images, count: int, seed: int) -> np.ndarray:
    """Images of three digits, uint8 (count, H, W, 3)."""
    rows = np.random.default_rng(seed).integers(len(digits), size=(CHANNELS, count))
    return np.stack([digits.pixels[row, 0] for row in rows], 3)


def shares(pixels: np.ndarray, judge: LabelJudge) -> np.ndarray:
    """Share of each of the thousand modes among images (N, H, W, 3)."""
    mode = np.zeros(len(pixels), np.int64)
    for channel in range(CHANNELS):
        named = judge(Images(pixels[:, None, :, :, channel])).argmax(1)
        mode = mode * DIGITS + named
    counts: np.ndarray = np.bincount(mode, minlength=DIGITS**CHANNELS)
    return counts / counts.sum()


def judged(found: np.ndarray, real: np.ndarray) -> dict[str, Any]:
    """Modes that occur, and the divergence from real shares, of which none is 0."""
    some = found > 0
    divergence = float((found[some] * np.log(found[some] / real[some])).sum())
    return {"modes": int(some.sum()), "kl": round(divergence, 3)}


def measure(model: str, data: Path, judge: LabelJudge, real: np.ndarray) -> dict[str, Any]:
    run, out = (SCRATCH / f"stacked-{kind}-{model}" for kind in ("run", "synthetic"))
    genmodels("train", f"model={model}", "data=npz", f"data.path={data}", f"run={run}",
              "resume=auto")  # fmt: skip
    asked = [f"run={run}", f"n={DRAWN}", "format=npz", f"out={out}", "overwrite=true"]
    genmodels("sample", *asked)
    with np.load(next((out / "data").glob("*.npz"))) as made:
        found = judged(shares(made["images"], judge), real)
    seconds = json.loads((run / "manifest.json").read_text())["seconds"]
    return {"train_s": seconds, "threads": torch.get_num_threads(), **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["dcgan", "r3gan"])
    arguments = parser.parse_args()
    train, test = read("mnist_train.npz"), read("mnist_test.npz")
    judge = LabelJudge.fit(train, test, DIGITS, seed=0, steps=2000, side=32)
    data = SCRATCH / "stacked-mnist.npz"
    SCRATCH.mkdir(parents=True, exist_ok=True)
    np.savez(data, images=stack(train, TRAINING, seed=0))
    real = shares(stack(train, TRAINING, seed=0), judge)
    result: dict[str, Any] = load("stacked") or {}
    others = judged(shares(stack(test, DRAWN, seed=1), judge), real)
    result |= {"training": TRAINING, "drawn": DRAWN, "real": others}
    for model in arguments.models:
        entry = measure(model, data, judge, real)
        placed(result, entry)
        result.setdefault("models", {})[model] = entry
        save("stacked", result)


if __name__ == "__main__":
    main()
