"""How many rows a second `genmodels sample` writes to Parquet, and where the time goes.

    python scripts/benchmarks/sampling.py            # Adult, from GENMODELS_DATA
    python scripts/benchmarks/sampling.py --data my.csv --rows 1000000

Trains one epoch of each model (speed does not depend on how good a model is), then measures each
stage of one block on one thread, in processor seconds, and the whole verb, in wall seconds. The
arithmetic limit is what the matrix products alone would allow at the speed that this processor
reaches on a large one. Drawing includes random numbers; the model, everything up to encoded rows.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, data_folder, machine
from profiling import gflop, peak_gflops, shares

from genmodels.files import write_json
from genmodels.sampling.sampler import Sampler
from genmodels.synthesizer import Synthesizer
from genmodels.tasks.build import load_run
from genmodels.tasks.compose import compose
from genmodels.tasks.parts import complete, instantiate
from genmodels.tasks.sampler import build_sampler
from genmodels.writers.base import Shard

ONE = Shard(number=0, of=1, start=0)
MODELS = ["tabvae", "tvae2", "ctgan2", "tvae", "ctgan"]


def main() -> None:
    arguments, load = _arguments(), os.getloadavg()[0]
    data = arguments.data or data_folder() / "tables" / "adult_train.csv.gz"
    results = [
        measure(model, precision, data, arguments.rows)
        for model in arguments.models
        for precision in ("float32", "bfloat16")
    ]
    conditions = machine() | {"load_before": round(load, 2)}
    report = {"data": data.name, "machine": conditions, "results": results}
    write_json(arguments.out / "sampling.json", report)
    print(json.dumps(report, indent=1))


def measure(model: str, precision: Any, data: Path, rows: int) -> dict[str, Any]:
    """One model at one precision."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        overrides = ("callbacks.preview=null", "trainer.accelerator=cpu")
        Synthesizer(model, epochs=1, overrides=overrides, run=run).fit(data)
        loaded = load_run(run)
        one = build_sampler(loaded, seed=0, precision=precision, workers=1)
        found = {"model": model, "precision": precision, "stages_us_per_row": stages(one)}
        found["stages_us_per_row"]["write"] = round(writing(loaded, one), 3)
        found |= whole(loaded, precision, rows)
        return found | limit(one, precision)


def stages(sampler: Sampler) -> dict[str, float]:
    """Processor microseconds per row of each stage, on one thread, the best of several."""
    torch.set_num_threads(1)
    rows, model = sampler.draws.block_rows, sampler.model
    z, u = sampler.draws.block(0, model.latent_dim, model.noise_dim, sampler.device)
    c, index = sampler.condition(0)
    encoded = sampler._encoded(z, c, u)
    calls: dict[str, Callable[[], Any]] = {
        "draw": lambda: sampler.draws.block(0, model.latent_dim, model.noise_dim, sampler.device),
        "condition": lambda: sampler.condition(0),
        "model": lambda: sampler._encoded(z, c, u),
        "decode": lambda: sampler.codec.decode(
            encoded, conditions=index, rng=np.random.default_rng(0), start=0
        ),
    }
    return {name: round(_best(call) / rows * 1e6, 3) for name, call in calls.items()}


def writing(loaded: Any, sampler: Sampler) -> float:
    """Processor microseconds per row of the Parquet writer."""
    block = sampler.block(0)
    times = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            start = time.process_time()
            _writer(loaded).write((block for _ in range(32)), Path(folder), ONE)
            times.append(time.process_time() - start)
    return min(times) / 32 / len(block) * 1e6


def whole(loaded: Any, precision: Any, rows: int) -> dict[str, float]:
    """Rows per second of drawing and writing, the best of three."""
    sampler = build_sampler(loaded, seed=0, precision=precision)
    wall, busy = [], []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            start, cpu = time.perf_counter(), time.process_time()
            _writer(loaded).write(sampler.blocks(rows), Path(folder), ONE)
            wall.append(time.perf_counter() - start)
            busy.append(time.process_time() - cpu)
    cores = sampler.workers
    return {
        "rows": rows,
        "rows_per_second": round(rows / min(wall)),
        "processor_us_per_row": round(min(busy) / rows * 1e6, 3),
        "rows_per_second_if_the_cores_were_free": round(cores * rows / min(busy)),
    }


def limit(sampler: Sampler, precision: str) -> dict[str, Any]:
    """The matrix products of a row, the time that they alone would take, and the shares of all."""
    torch.set_num_threads(1)
    rows, model = sampler.draws.block_rows, sampler.model
    z, u = sampler.draws.block(0, model.latent_dim, model.noise_dim, sampler.device)
    c, _ = sampler.condition(0)
    work = gflop(lambda: sampler._encoded(z, c, u)) / rows
    peak = peak_gflops(getattr(torch, precision), time.thread_time)
    return {
        "kiloflop_per_row": round(work * 1e6, 1),
        "matmul_gflops_one_thread": peak,
        "limit_us_per_row": round(work / peak * 1e6, 3),
        "shares": shares(lambda: sampler._encoded(z, c, u), repeats=3),
    }


def _writer(loaded: Any) -> Any:
    writers = compose("sample", ["run=none"]).writer
    return complete(instantiate(writers.parquet), schema=loaded.schema)


def _best(call: Callable[[], Any], repeats: int = 10) -> float:
    call()
    times = []
    for _ in range(repeats):
        start = time.thread_time()
        call()
        times.append(time.thread_time() - start)
    return min(times)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a table")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
