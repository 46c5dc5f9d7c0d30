"""Milliseconds per update and per sampled block of ctgan and tvae, beside the arithmetic limit.

    python scripts/benchmarks/step.py [threads]

The layout is like that of the Adult table: 6 numbers with 8 to 10 modes each and 9 categorical
columns with 104 levels in all. The limit is what the matrix products alone would take at the
rate that this machine reaches on products of these sizes; everything else would be free.
`one_thread_cpu_ms` is processor time, which other programs on the machine disturb least; wall
times mean something on an idle machine only.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable

import torch
from common import RESULTS, machine
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from genmodels.algorithms.base import GenerativeModel
from genmodels.files import write_json
from genmodels.layout import Block, Condition, ConditionGroup, Expand, TableLayout
from genmodels.tasks.build import build_model
from genmodels.tasks.compose import compose
from genmodels.types import Batch

LEVELS = (9, 16, 7, 15, 6, 5, 2, 42, 2)
MODES = (8, 9, 10, 8, 9, 10)
BATCH, BLOCK = 500, 8192


def adult_like() -> tuple[TableLayout, Condition]:
    """D = 164 dense positions, K = 104 levels to be told."""
    blocks: list[Block] = []
    for i, modes in enumerate(MODES):
        blocks += [
            Block(f"number{i}", "continuous", 1),
            Block(f"number{i}.mode", "categorical", modes),
        ]
    blocks += [Block(f"kind{i}", "categorical", levels) for i, levels in enumerate(LEVELS)]
    layout = TableLayout(tuple(blocks))
    names = [f"kind{i}" for i in range(len(LEVELS))]
    groups = [
        ConditionGroup(n, (1 / k,) * k, start=layout.slices[n].start, code=len(MODES) + i)
        for i, (n, k) in enumerate(zip(names, LEVELS, strict=True))
    ]
    return layout, Condition(tuple(groups))


def told(rows: int, condition: Condition) -> torch.Tensor:
    c = torch.zeros(rows, condition.width)
    if condition.width:
        c[torch.arange(rows), torch.randint(condition.width, (rows,))] = 1.0
    return c


def draw_batch(layout: TableLayout, condition: Condition) -> Batch:
    values = torch.rand(BATCH, len(layout.continuous)) * 2 - 1
    codes = torch.stack([torch.randint(b.width, (BATCH,)) for b in layout.categorical], 1)
    x = Expand(layout)({"values": values, "codes": codes.int()})
    return Batch(x, told(BATCH, condition))


def milliseconds(
    call: Callable[[], object], clock: Callable[[], float], repeats: int
) -> tuple[float, float]:
    """Median and fastest tenth of `repeats` calls, after a few to warm up."""
    for _ in range(5):
        call()
    times = []
    for _ in range(repeats):
        start = clock()
        call()
        times.append((clock() - start) * 1e3)
    return round(statistics.median(times), 2), round(sorted(times)[repeats // 10], 2)


def matmul_rate() -> float:
    """GFLOP/s of (500, 256) x (256, 256), the commonest product of an update; best quarter."""
    a, b = torch.randn(500, 256), torch.randn(256, 256)
    times = []
    for _ in range(200):
        start = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - start)
    return round(2 * 500 * 256 * 256 / sorted(times)[50] / 1e9, 1)


def gflop(call: Callable[[], object]) -> float:
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops() / 1e9


def shares(call: Callable[[], object]) -> dict[str, int]:
    """Percent of the time of an update by kind of operation; the profiler's own cost included."""
    kinds = {
        "products": ("aten::mm", "aten::addmm", "aten::bmm"),
        "optimizer": ("Optimizer.", "aten::_fused_adam", "aten::_foreach"),
        "random": ("aten::normal_", "aten::uniform_", "aten::bernoulli_", "aten::random_"),
    }
    with profile(activities=[ProfilerActivity.CPU]) as found:
        for _ in range(30):
            call()
    events = found.key_averages()
    total = sum(event.self_cpu_time_total for event in events)
    part = {
        kind: sum(e.self_cpu_time_total for e in events if e.key.startswith(names))
        for kind, names in kinds.items()
    }
    part["the rest"] = total - sum(part.values())
    return {kind: round(100 * time / total) for kind, time in part.items()}


def measure(model: GenerativeModel, condition: Condition, threads: int) -> dict[str, object]:
    layout = model.layout
    assert isinstance(layout, TableLayout)
    found = model.configure_optimizers()
    optimizers = found if isinstance(found, list) else [found]
    batch = draw_batch(layout, condition)
    z, u = torch.randn(BLOCK, model.latent_dim), torch.rand(BLOCK, model.noise_dim)
    c = told(BLOCK, condition)

    def update() -> None:
        model.update(batch, optimizers, measure=False)
        model.num_samples += BATCH

    def sample() -> None:
        with torch.inference_mode():
            model.sample(z, c, u)

    update()
    work, sampling = gflop(update), gflop(sample)
    torch.set_num_threads(1)
    rate_one = matmul_rate()
    processor, _ = milliseconds(update, time.thread_time, 60)
    block, _ = milliseconds(sample, time.thread_time, 15)
    torch.set_num_threads(threads)
    rate = matmul_rate()
    median, fast = milliseconds(update, time.perf_counter, 60)
    return {
        "gflop_per_update": round(work, 3),
        "matmul_gflops": rate,
        "limit_ms": round(work / rate * 1e3, 2),
        "update_ms": median,
        "shares": shares(update),
        "update_fastest_tenth_ms": fast,
        "matmul_gflops_one_thread": rate_one,
        "one_thread_limit_ms": round(work / rate_one * 1e3, 2),
        "one_thread_cpu_ms": processor,
        "block_rows": BLOCK,
        "block_one_thread_limit_ms": round(sampling / rate_one * 1e3, 2),
        "block_one_thread_cpu_ms": block,
        "rows_per_second_per_thread": round(BLOCK / block * 1e3),
    }


def main() -> None:
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    results: dict[str, object] = {"machine": machine(), "threads": threads, "batch": BATCH}
    os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)  # as training does on a processor
    layout, condition = adult_like()
    for name in ("ctgan", "tvae"):
        groups = condition if name == "ctgan" else Condition()
        cfg = compose("train", [f"model={name}", "data.path=none.csv"])
        torch.manual_seed(0)
        results[name] = row = measure(build_model(cfg, layout, groups), groups, threads)
        print(name, " ".join(f"{key}={value}" for key, value in row.items()))
    write_json(RESULTS / "step.json", results)


if __name__ == "__main__":
    main()
