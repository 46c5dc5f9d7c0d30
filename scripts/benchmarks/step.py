"""Milliseconds per update and per sampled block of each model, beside the arithmetic limit.

    GENMODELS_DATA=... python scripts/benchmarks/step.py [--threads 2] [--models tabvae]

Adult, encoded as each model wants it, in batches of the size that it trains with. The limit is what
the matrix products alone would take at the rate that this machine reaches on a large product at the
same precision; everything else would be free. `one_thread_cpu_ms` is processor time, which other
programs on the machine disturb least; wall times mean something on an idle machine only.
"""

from __future__ import annotations

import argparse
import os
import time

import torch
from common import data_folder, load, machine, save
from profiling import gflop, milliseconds, peak_gflops, shares

from genmodels.algorithms.base import GenerativeModel
from genmodels.precision import native_bfloat16
from genmodels.tasks.build import build_model, source_of
from genmodels.tasks.compose import compose
from genmodels.tasks.prepare import prepare
from genmodels.types import Batch

MODELS = ("tabvae", "tvae2", "ctgan2", "ctgan", "tvae")
BLOCK = 4096


def built(name: str) -> tuple[GenerativeModel, Batch, str]:
    """An untrained model of Adult, one of its batches, and the precision of its products."""
    data = data_folder() / "tables" / "adult_train.csv.gz"
    words = [f"data.path={data}", "data.target=income", "trainer.accelerator=cpu"]
    cfg = compose("train", [f"model={name}", *words])
    prepared = prepare(cfg, source_of(cfg), None)
    torch.manual_seed(0)
    model = build_model(cfg, prepared.codec.layout, prepared.condition, prepared.schema)
    rows = prepared.train.through(model.reads(prepared.codec.layout))
    generator = torch.Generator().manual_seed(0)
    index = torch.randint(len(rows), (cfg.batching.batch_size,), generator=generator)
    rounding = cfg.model.get("rounding", "float32")
    rounds = rounding == "bfloat16" or (rounding == "auto" and native_bfloat16("cpu"))
    batch = rows.batch(index, rows.told(index, generator))
    return model, batch, "bfloat16" if rounds else "float32"


def measure(name: str, threads: int) -> dict[str, object]:
    model, batch, precision = built(name)
    found = model.configure_optimizers()
    optimizers = list(found) if isinstance(found, list | tuple) else [found]
    z, u = torch.randn(BLOCK, model.latent_dim), torch.rand(BLOCK, model.noise_dim)
    c = torch.zeros(BLOCK, model.condition.width)
    c[:, :1] = 1.0

    def update() -> None:
        model.update(batch, optimizers, measure=False)
        model.num_samples += len(batch.x)

    def sample() -> None:
        with torch.inference_mode():
            model.sample(z, c, u)

    update()
    work, sampling = gflop(update), gflop(sample)
    dtype = getattr(torch, precision)
    torch.set_num_threads(1)
    alone, plain = (peak_gflops(kind, time.thread_time) for kind in (dtype, torch.float32))
    processor, _ = milliseconds(update, time.thread_time, 40)
    block, _ = milliseconds(sample, time.thread_time, 10)
    torch.set_num_threads(threads)
    peak = peak_gflops(dtype)
    median, fast = milliseconds(update, time.perf_counter, 40)
    return {
        "batch": len(batch.x),
        "precision": precision,
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "gflop_per_update": round(work, 3),
        "matmul_gflops": peak,
        "limit_ms": round(work / peak * 1e3, 2),
        "update_ms": median,
        "update_fastest_tenth_ms": fast,
        "shares": shares(update),
        "matmul_gflops_one_thread": alone,
        "one_thread_limit_ms": round(work / alone * 1e3, 2),
        "one_thread_cpu_ms": processor,
        "block_rows": BLOCK,
        "block_gflop": round(sampling, 3),
        "block_one_thread_limit_ms": round(sampling / plain * 1e3, 2),
        "block_one_thread_cpu_ms": block,
        "block_shares": shares(sample, repeats=3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    arguments = parser.parse_args()
    os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)  # as training does on a processor
    results: dict[str, object] = load("step") if len(arguments.models) < len(MODELS) else {}
    results = {**(results or {}), "machine": machine(), "threads": arguments.threads}
    results.pop("batch", None)  # each model has its own
    for name in arguments.models:
        results[name] = row = measure(name, arguments.threads)
        print(name, " ".join(f"{key}={value}" for key, value in row.items()), flush=True)
    save("step", results)


if __name__ == "__main__":
    main()
