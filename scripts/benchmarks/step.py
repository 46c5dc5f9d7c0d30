"""Milliseconds per update and per sampled block of each model, beside the arithmetic limit.

    GENMODELS_DATA=... python scripts/benchmarks/step.py [--threads 2] [--models tabvae]

Adult for tables, MNIST for images, encoded as each model wants it, in batches of the size that it
trains with. The limit is what the matrix products and convolutions alone would take at the rate
that this machine reaches on a large product at the same precision; everything else would be free.
`dcgan` is measured with other penalties, too. `one_thread_cpu_ms` is processor time, which other
programs on the machine disturb least; wall times mean something on an idle machine only.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from common import data_folder, load, placed, save
from profiling import gflop, milliseconds, peak_gflops, shares

from genmodels.algorithms.base import GenerativeModel
from genmodels.precision import native_bfloat16
from genmodels.tasks.build import build_model
from genmodels.tasks.compose import compose
from genmodels.tasks.memory_format import arrange
from genmodels.tasks.parts import source_of
from genmodels.tasks.prepare import prepare
from genmodels.types import Batch

TABLES = ("tabvae", "tvae2", "ctgan2", "ctgan", "tvae")
IMAGES = ("dcgan", "stylegan2", "r3gan", "conv_vae", "hvae", "vqvae")
COMPILED = "model.compile=true"
PENALTIES = {
    "none": (),
    "r1_r2": (),
    "r1_r2_fd": (),
    "r1_r2_jvp": (),
    "r1_r2, compiled": (COMPILED,),
}
"""Of dcgan: a config of penalties, and further words."""
BLOCK = {True: 256, False: 4096}
"""Rows of a block: of images, and of a table."""
TURN = 16
"""Updates that are averaged, as not every penalty is due in each."""
REPEATS = {True: 6, False: 3}
"""Turns that the median is of, by whether they are of images."""


@dataclass(frozen=True)
class Case:
    """A model with its defaults, or with further words."""

    name: str
    model: str
    words: tuple[str, ...] = ()

    @property
    def images(self) -> bool:
        return self.model in IMAGES


def cases() -> dict[str, Case]:
    plain = [Case(name, name) for name in (*TABLES, *IMAGES)]
    varied = [
        Case(f"dcgan, {name}", "dcgan", (f"penalties={name.partition(',')[0]}", *words))
        for name, words in PENALTIES.items()
    ]
    return {case.name: case for case in [*plain, *varied]}


def built(case: Case) -> tuple[GenerativeModel, Batch, str]:
    """An untrained model of a data set, one of its batches, and the precision of its products."""
    if case.images:
        words = ["data=npz", f"data.path={data_folder() / 'images' / 'mnist_train.npz'}"]
    else:
        data = data_folder() / "tables" / "adult_train.csv.gz"
        words = [f"data.path={data}", "data.target=income"]
    cfg = compose("train", [f"model={case.model}", "trainer=cpu", *words, *case.words])
    prepared = prepare(cfg, source_of(cfg), None)
    torch.manual_seed(0)
    model = build_model(cfg, prepared.codec.layout, prepared.condition, prepared.schema)
    arrange(model, cfg.memory_format)
    rows = prepared.train.through(model.reads(prepared.codec.layout))
    generator = torch.Generator().manual_seed(0)
    index = torch.randint(len(rows), (cfg.batching.batch_size,), generator=generator)
    rounding = cfg.model.get("rounding", "float32")
    rounds = rounding == "bfloat16" or (rounding == "auto" and native_bfloat16("cpu"))
    batch = rows.batch(index, rows.told(index, generator))
    return model, batch, "bfloat16" if rounds else "float32"


def turns(model: GenerativeModel, batch: Batch) -> Callable[[], None]:
    """A function that makes TURN updates."""
    found = model.configure_optimizers()
    optimizers: list[Any] = list(found) if isinstance(found, list | tuple) else [found]

    def turn() -> None:
        for _ in range(TURN):
            model.update(batch, optimizers, measure=False)
            model.num_samples += len(batch.x)

    return turn


def operations(case: Case) -> float:
    """GFLOP of an update; of the same model as it is where compiled code hides them."""
    words = tuple(word for word in case.words if word != COMPILED)
    model, batch, _ = built(replace(case, words=words))
    return gflop(turns(model, batch)) / TURN


def measure(case: Case, threads: int) -> dict[str, Any]:
    model, batch, precision = built(case)
    size = BLOCK[case.images]
    z, u = torch.randn(size, model.latent_dim), torch.rand(size, model.noise_dim)
    c = torch.zeros(size, model.condition.width)
    c[:, :1] = 1.0

    def sample() -> None:
        with torch.inference_mode():
            model.sample(z, c, u)

    def per_update(clock: Callable[[], float]) -> tuple[float, float]:
        median, fast = milliseconds(turn, clock, REPEATS[case.images])
        return round(median / TURN, 2), round(fast / TURN, 2)

    turn = turns(model, batch)
    turn()
    work, sampling = operations(case), gflop(sample)
    dtype = getattr(torch, precision)
    torch.set_num_threads(1)
    alone, plain = (peak_gflops(kind, time.thread_time) for kind in (dtype, torch.float32))
    processor, _ = per_update(time.thread_time)
    block, _ = milliseconds(sample, time.thread_time, 3)
    torch.set_num_threads(threads)
    peak = peak_gflops(dtype)
    median, fast = per_update(time.perf_counter)
    return {
        "threads": threads,
        "batch": len(batch.x),
        "precision": precision,
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "gflop_per_update": round(work, 3),
        "matmul_gflops": peak,
        "limit_ms": round(work / peak * 1e3, 2),
        "update_ms": median,
        "update_fastest_ms": fast,
        "shares": shares(turn, repeats=1),
        "matmul_gflops_one_thread": alone,
        "one_thread_limit_ms": round(work / alone * 1e3, 2),
        "one_thread_cpu_ms": processor,
        "block_rows": size,
        "block_gflop": round(sampling, 3),
        "block_one_thread_limit_ms": round(sampling / plain * 1e3, 2),
        "block_one_thread_cpu_ms": block,
        "block_shares": shares(sample, repeats=2),
    }


def main() -> None:
    known = cases()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", nargs="+", default=list(known), choices=known)
    arguments = parser.parse_args()
    os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)  # as training does on a processor
    logging.getLogger("genmodels").setLevel(logging.WARNING)
    everything = len(arguments.models) == len(known)
    results: dict[str, Any] = {} if everything else load("step") or {}
    for name in arguments.models:
        row = measure(known[name], arguments.threads)
        placed(results, row)
        results[name] = row
        print(name, " ".join(f"{key}={value}" for key, value in row.items()), flush=True)
        save("step", results)


if __name__ == "__main__":
    main()
