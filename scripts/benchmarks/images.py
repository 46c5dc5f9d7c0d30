"""Image models on four data sets: training time, what a scorer says beside targets, and the grid.

    GENMODELS_DATA=... GENMODELS_IMAGE_YARDSTICK=... python scripts/benchmarks/images.py
    ... images.py --data pneumonia --models dcgan

Every figure comes from `genmodels train`, `sample` and `evaluate` at their defaults: the same
configs for all data sets. The held-out images are never seen in training. As many images are drawn
as there are to train on, twice: all that come, and those that the filter's classifier labels as
they are labelled (`filter.agree=true`). The scorer is a program outside the project, called as
`SCORER TRAIN.npz TEST.npz SYNTHETIC.npz`.

Beside the models stand the held-out images themselves and the simplest generator, a Gaussian per
class in 64 principal components. A run in the scratch folder that has finished is not trained
again, and one that was interrupted goes on; what its entry then says of time is the training's.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, SCRATCH, call, data_folder, genmodels, load, placed, save
from PIL import Image

from genmodels.metrics.images.pca_gaussian import pca_gaussian
from genmodels.report.looks.sheet import draw_grid
from genmodels.types import Images

SHOWN = ("metric", "value", "interval", "ceiling", "independent", "copies", "simple")
HELD_OUT, GAUSSIAN = "held_out", "pca_gaussian"
REPORTED = 10_000
"""Images that the project's own report is of, at most; the scorer sees all."""


@dataclass(frozen=True)
class Files:
    """The two files of a data set, read from the folder of real data."""

    train: str
    test: str

    def paths(self) -> tuple[Path, Path]:
        images = data_folder() / "images"
        return images / self.train, images / self.test


@dataclass(frozen=True)
class Jpegs:
    """A file of training and test pictures as JPEGs, unpacked into two in the scratch folder."""

    name: str

    def paths(self) -> tuple[Path, Path]:
        stem = Path(self.name).stem
        train, test = (SCRATCH / f"{stem}-{part}.npz" for part in ("train", "test"))
        if not (train.exists() and test.exists()):
            SCRATCH.mkdir(parents=True, exist_ok=True)
            with np.load(data_folder() / "images" / self.name) as packed:
                for part, path in (("train", train), ("test", test)):
                    held, ends = packed[f"{part}_bytes"].tobytes(), packed[f"{part}_offsets"]
                    pixels = [
                        np.asarray(Image.open(io.BytesIO(held[start:end])))
                        for start, end in pairwise(ends)
                    ]
                    np.savez(path, images=np.stack(pixels), labels=packed[f"{part}_labels"])
        return train, test


SETS: dict[str, Files | Jpegs | None] = {
    "digits": None,  # embedded; too small for the scorer
    "mnist": Files("mnist_train.npz", "mnist_test.npz"),
    "pneumonia": Files("pneumoniamnist_balanced_train.npz", "pneumoniamnist_balanced_test.npz"),
    "cifar10": Jpegs("cifar10_jpegbytes.npz"),
}


def source(name: str) -> list[str]:
    files = SETS[name]
    if files is None:
        return ["data=digits"]
    train, test = files.paths()
    return ["data=npz", f"data.path={train}", f"data.holdout_path={test}"]


def size(name: str) -> int:
    """How many images are drawn: as many as there are to train on."""
    files = SETS[name]
    if files is None:
        return 2_000
    with np.load(files.paths()[0]) as held:
        return len(held["labels"])


def measure(model: str, name: str) -> dict[str, Any]:
    run, n = SCRATCH / f"run-{model}-{name}", size(name)
    genmodels("train", f"model={model}", *source(name), f"run={run}", "resume=auto")
    for kind, copy in (("real", f"real_{name}"), ("fake", f"fake_{model}_{name}")):
        picture = sorted((run / "pictures").glob(f"{kind}*.png"))[-1]
        shutil.copy(picture, RESULTS / f"{copy}.png")
    few, _ = drawn(model, name, min(n, REPORTED), "reported")
    _, evaluate = genmodels("evaluate", f"run={run}", f"synthetic={few}")
    told = few.with_name(f"{few.name}-report")
    out, seconds = drawn(model, name, n, "all")
    entry = {
        "train_s": json.loads((run / "manifest.json").read_text())["seconds"],
        "sample_s": seconds,
        "evaluate_s": round(evaluate, 1),
        "threads": torch.get_num_threads(),
        "n": min(n, REPORTED),
        "rows": figures(told),
        "bits": bits(told),
        "yardstick": yardstick(name, next((out / "data").glob("*.npz"))),
    }
    if entry["yardstick"] is not None:
        out, seconds = drawn(model, name, n, "agreeing", "filter.agree=true")
        entry["agreeing"] = {
            "sample_s": seconds,
            "kept": kept(out),
            "yardstick": yardstick(name, next((out / "data").glob("*.npz"))),
        }
    return entry


def drawn(model: str, name: str, n: int, part: str, *words: str) -> tuple[Path, float]:
    """A data set of a run: where it is, and the seconds that it took."""
    run = SCRATCH / f"run-{model}-{name}"
    out = SCRATCH / f"synthetic-{model}-{name}-{part}"
    asked = [f"run={run}", f"n={n}", "format=npz", f"out={out}", "overwrite=true"]
    _, seconds = genmodels("sample", *asked, *words)
    return out, round(seconds, 1)


def measure_held_out(name: str) -> dict[str, Any]:
    """The held-out images, judged as if they were synthetic."""
    files = SETS[name]
    assert files is not None
    return {"yardstick": yardstick(name, files.paths()[1])}


def measure_gaussian(name: str) -> dict[str, Any]:
    """The simplest generator, judged as the models are."""
    files = SETS[name]
    assert files is not None
    train, test = files.paths()
    with np.load(train) as read:
        images = read["images"]
        pixels = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
        real = Images(np.ascontiguousarray(pixels), read["labels"].astype(np.int64))
        named = {key: read[key] for key in ("class_names",) if key in read}
    SCRATCH.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    made = pca_gaussian(real, len(real), components=64, seed=0)
    seconds = time.monotonic() - start
    out = SCRATCH / f"synthetic-{GAUSSIAN}-{name}.npz"
    shown = made.pixels.transpose(0, 2, 3, 1).squeeze()
    np.savez(out, images=shown, labels=made.labels, **named)
    told = out.with_suffix("")
    _, evaluate = genmodels(
        "evaluate", f"real={train}", f"holdout={test}", f"synthetic={out}", f"out={told}"
    )
    labels = np.unique(made.labels)
    rows = np.concatenate([made.pixels[made.labels == label][:10] for label in labels])
    grid = draw_grid(rows, len(labels), [str(label) for label in labels])
    grid.save(RESULTS / f"fake_{GAUSSIAN}_{name}.png")
    return {
        "train_s": round(seconds, 1),
        "sample_s": 0.0,  # fitting and drawing are one
        "evaluate_s": round(evaluate, 1),
        "threads": torch.get_num_threads(),
        "n": len(made),
        "rows": figures(told),
        "yardstick": yardstick(name, out),
    }


def figures(folder: Path) -> list[dict[str, Any]]:
    """The rows of a report that was written to a folder."""
    report = json.loads((folder / "report.json").read_text())
    rows = [row for section in report["sections"] for row in section["rows"]]
    return [{key: row[key] for key in SHOWN} for row in rows]


def kept(out: Path) -> float:
    """The share of candidates that the filter of a data set let through."""
    found = json.loads((out / "manifest.json").read_text())["filter"]
    return round(found["kept"] / found["candidates"], 4)


def bits(folder: Path) -> float | None:
    """Bits per dimension of held-out images by a model of a report, where it says them."""
    report = json.loads((folder / "report.json").read_text())
    details = [one for section in report["sections"] for one in section.get("details", [])]
    for detail in details:
        if detail["title"].startswith("Bits per dimension"):
            return round(dict(line[:3:2] for line in detail["lines"])["held-out rows"], 4)
    return None


def yardstick(name: str, synthetic: Path) -> dict[str, Any] | None:
    """The figures of a scorer outside the project, when there is one and it knows the data."""
    files, scorer = SETS[name], os.environ.get("GENMODELS_IMAGE_YARDSTICK")
    if files is None or not scorer:
        return None
    text, _ = call(sys.executable, scorer, *files.paths(), synthetic)
    return json.loads(text.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=list(SETS), choices=SETS)
    references = [HELD_OUT, GAUSSIAN]
    parser.add_argument("--models", nargs="+", default=["dcgan", "conv_vae", "vqvae", *references])
    arguments = parser.parse_args()
    for name in arguments.data:
        for model in arguments.models:
            if model not in references:
                entry = measure(model, name)
            elif SETS[name] is None:
                continue  # each report of digits has the simple generator beside the model
            else:
                entry = (measure_held_out if model == HELD_OUT else measure_gaussian)(name)
            result: dict[str, Any] = load("images") or {}  # another process may have added to it
            result.pop("note", None)  # it spoke of what was measured before
            placed(result, entry)
            result.setdefault("sets", {}).setdefault(name, {})[model] = entry
            save("images", result)


if __name__ == "__main__":
    main()
