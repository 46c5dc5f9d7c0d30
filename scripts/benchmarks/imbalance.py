"""A GAN of digits the rarest of which is fifty times as rare as the commonest: who is recognised?

    GENMODELS_DATA=... python scripts/benchmarks/imbalance.py

Of MNIST's training images, 5,000 zeros stay and 100 nines, and in even proportions between.
`dcgan` learns from them as it is, and with `batching.balance=true warm_up=ramp`; then as many
images of each class are drawn. A classifier that was trained on all training images, which the
GAN did not see, says which digit each image shows. A run that has finished is not trained again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, SCRATCH, data_folder, genmodels, load, placed, save

from genmodels.metrics.label_judge import LabelJudge
from genmodels.types import Images

MOST, LEAST = 5_000, 100
PER_CLASS = 500
CLASSES = 10
WAYS = {"defaults": [], "balanced": ["batching.balance=true", "warm_up=ramp"]}


def read(path: Path) -> Images:
    with np.load(path) as held:
        pixels = held["images"][:, None]
        return Images(pixels, held["labels"].astype(np.int64), tuple("0123456789"))


def uneven(real: Images, out: Path) -> dict[str, int]:
    """Write a part of the images, of each class fewer, and say how many of each."""
    assert real.labels is not None
    counts = np.geomspace(MOST, LEAST, CLASSES).round().astype(int)
    rng = np.random.default_rng(0)
    rows = np.concatenate(
        [
            rng.choice(np.flatnonzero(real.labels == label), count, replace=False)
            for label, count in enumerate(counts)
        ]
    )
    SCRATCH.mkdir(parents=True, exist_ok=True)
    np.savez(out, images=real.pixels[rows, 0], labels=real.labels[rows])
    return {str(label): int(count) for label, count in enumerate(counts)}


def measure(way: str, data: Path, judge: LabelJudge) -> dict[str, Any]:
    run, out = (SCRATCH / f"imbalance-{kind}-{way}" for kind in ("run", "synthetic"))
    genmodels(
        "train", "model=dcgan", "data=npz", f"data.path={data}", f"run={run}", "resume=auto",
        *WAYS[way],
    )  # fmt: skip
    asked = [f"run={run}", f"per_class={PER_CLASS}", "format=npz", f"out={out}", "overwrite=true"]
    genmodels("sample", *asked)
    picture = sorted((run / "pictures").glob("fake*.png"))[-1]
    shutil.copy(picture, RESULTS / f"fake_imbalance_{way}.png")
    made = read(next((out / "data").glob("*.npz")))
    right = judge(made).argmax(1) == made.labels
    return {
        "words": WAYS[way],
        "train_s": json.loads((run / "manifest.json").read_text())["seconds"],
        "threads": torch.get_num_threads(),
        "recognised": {str(k): round(float(right[made.labels == k].mean()), 3) for k in range(10)},
    }


def main() -> None:
    images = data_folder() / "images"
    real, held = read(images / "mnist_train.npz"), read(images / "mnist_test.npz")
    data = SCRATCH / "mnist-imbalance.npz"
    counts = uneven(real, data)
    judge = LabelJudge.fit(real, held, CLASSES, seed=0, steps=2000, side=32)
    right = judge(held).argmax(1) == held.labels
    result: dict[str, Any] = load("imbalance") or {}
    result |= {
        "counts": counts,
        "per_class": PER_CLASS,
        "real": {str(k): round(float(right[held.labels == k].mean()), 3) for k in range(10)},
    }
    for way in WAYS:
        entry = measure(way, data, judge)
        placed(result, entry)
        result.setdefault("ways", {})[way] = entry
        save("imbalance", result)


if __name__ == "__main__":
    main()
