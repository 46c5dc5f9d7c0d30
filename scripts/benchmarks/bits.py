"""Bits per dimension of held-out images by the VAEs, on MNIST and CIFAR-10.

    GENMODELS_DATA=... python scripts/benchmarks/bits.py [--data mnist] [--models conv_vae hvae]

The figure is what `genmodels evaluate` says of a run at its defaults: the bound on the negative
log-likelihood of images that training never saw, per pixel and channel. The runs are those of
`images.py`; one that has finished is not trained again.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import torch
from common import SCRATCH, genmodels, load, placed, save
from images import SETS, bits, drawn, source

FEW = 1_000
"""Images that the report needs beside the held-out ones; the bound does not depend on them."""


def measure(model: str, name: str) -> dict[str, Any]:
    run = SCRATCH / f"run-{model}-{name}"
    genmodels("train", f"model={model}", *source(name), f"run={run}", "resume=auto")
    few, _ = drawn(model, name, FEW, "few")
    genmodels("evaluate", f"run={run}", f"synthetic={few}")
    return {
        "train_s": json.loads((run / "manifest.json").read_text())["seconds"],
        "threads": torch.get_num_threads(),
        "bits": bits(few.with_name(f"{few.name}-report")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=["mnist", "cifar10"], choices=SETS)
    parser.add_argument("--models", nargs="+", default=["conv_vae", "hvae"])
    arguments = parser.parse_args()
    for name in arguments.data:
        for model in arguments.models:
            entry = measure(model, name)
            result: dict[str, Any] = load("bits") or {}
            placed(result, entry)
            result.setdefault("sets", {}).setdefault(name, {})[model] = entry
            save("bits", result)


if __name__ == "__main__":
    main()
