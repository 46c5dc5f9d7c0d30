"""Tables larger than memory: the peak of a whole training as rows grow, streamed and in memory.

    GENMODELS_DATA=... python scripts/benchmarks/streaming.py

The rows are those of Adult drawn again and again, as CSV. The peak is that of the whole command:
looking, fitting, encoding and two epochs of `tabvae`; page cache is not counted, files of encoded
rows are in it. Beside it, what streaming costs in quality: the best validation loss of `tabvae`
with its defaults on Adult itself, whose splits differ.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from common import GENMODELS, SCRATCH, data_folder, load, measured, placed, save

GROWING = (1_000_000, 10_000_000)
IN_MEMORY = (1_000_000,)
FOLDER = SCRATCH / "streaming"
SEEDS = (0, 1, 2)
PIECE = 200_000


def adult() -> Path:
    return data_folder() / "tables" / "adult_train.csv.gz"


def grown(rows: int) -> Path:
    """A CSV file of so many rows."""
    with gzip.open(adult(), "rt", encoding="utf-8") as file:
        names, *lines = file.read().splitlines()
    source, rng = np.array(lines, dtype=object), np.random.default_rng(rows)
    path = FOLDER / f"{rows}.csv"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(names + "\n")
        for start in range(0, rows, PIECE):
            chosen = rng.integers(0, len(source), min(PIECE, rows - start))
            file.write("\n".join(source[chosen]) + "\n")
    return path


def training(path: Path, *words: str) -> dict[str, Any]:
    run = FOLDER / "run"
    shutil.rmtree(run, ignore_errors=True)
    cost = measured(
        *GENMODELS, "train", "model=tabvae", f"data.path={path}", "data.target=income",
        f"run={run}", "logger=none", "callbacks.preview=null", *words, quiet=True,
    )  # fmt: skip
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    return {"s": cost.wall_s, "mb": cost.peak_mb, "best": manifest["results"]["best"]}


def growing() -> list[dict[str, Any]]:
    """Each size streamed; in memory where that is wise."""
    found = []
    for rows in GROWING:
        path = grown(rows)
        for streamed in (True, False):
            if not streamed and rows not in IN_MEMORY:
                continue
            words = [f"data.streaming={str(streamed).lower()}", "trainer.max_epochs=2"]
            entry = training(path, *words)
            entry |= {"rows": rows, "streamed": streamed}
            found.append(entry | {"csv_mb": round(path.stat().st_size / 2**20)})
        path.unlink()
    return found


def quality() -> list[dict[str, Any]]:
    """Best validation losses of whole trainings."""
    return [
        {"streamed": streamed, "seed": seed}
        | training(adult(), f"data.streaming={str(streamed).lower()}", f"seed={seed}")
        for seed in SEEDS
        for streamed in (False, True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = {"memory": growing, "quality": quality}
    parser.add_argument("--parts", nargs="+", default=list(parts), choices=list(parts))
    result: dict[str, Any] = load("streaming") or {}
    entry = {part: parts[part]() for part in parser.parse_args().parts}
    placed(result, entry)
    save("streaming", {**result, **entry})


if __name__ == "__main__":
    main()
