"""Where the time of a call goes, by kind of operation, and what its matrix products amount to."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity, profile

from genmodels.tasks.dry_run import Products

__all__ = ["gflop", "milliseconds", "peak_gflops", "shares"]

KINDS = {
    "products": (
        "aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::mkldnn_linear",
        "aten::mkldnn_convolution", "aten::convolution_backward", "aten::thnn_conv2d",
    ),
    "optimizer and averages": ("Optimizer.", "aten::_fused_adam", "aten::_foreach"),
    "random numbers": (
        "aten::normal_", "aten::uniform_", "aten::bernoulli_", "aten::random_",
        "aten::exponential_",
    ),
    "copies and casts": (
        "aten::copy_", "aten::cat", "aten::index", "aten::gather", "aten::scatter",
        "aten::embedding", "aten::one_hot", "aten::fill_",
    ),
}  # fmt: skip


def shares(call: Callable[[], object], repeats: int = 20) -> dict[str, int]:
    """Percent of the time by kind of operation; "small operations" has the profiler's cost."""
    call()
    with profile(activities=[ProfilerActivity.CPU]) as found:
        for _ in range(repeats):
            call()
    events = found.key_averages()
    total = sum(event.self_cpu_time_total for event in events)
    part = {
        kind: sum(e.self_cpu_time_total for e in events if e.key.startswith(names))
        for kind, names in KINDS.items()
    }
    part["small operations"] = total - sum(part.values())
    return {kind: round(100 * time / total) for kind, time in part.items()}


def gflop(call: Callable[[], object]) -> float:
    """Floating-point operations of the products and convolutions of a call, in 10^9."""
    with Products() as counter:
        call()
    return 2.0 * counter.count / 1e9


def milliseconds(
    call: Callable[[], object], clock: Callable[[], float], repeats: int
) -> tuple[float, float]:
    """Median and fastest tenth of `repeats` calls, after a few to warm up."""
    for _ in range(3):
        call()
    times = []
    for _ in range(repeats):
        start = clock()
        call()
        times.append((clock() - start) * 1e3)
    return round(statistics.median(times), 2), round(sorted(times)[repeats // 10], 2)


def peak_gflops(dtype: torch.dtype, clock: Callable[[], float] = time.perf_counter) -> float:
    """The best rate of a large matrix product on torch's present threads, GFLOP/s.

    Args:
        clock: `time.thread_time` on one thread, which other programs disturb least.
    """
    a, b = torch.randn(2048, 768).to(dtype), torch.randn(768, 768).to(dtype)
    _, fast = milliseconds(lambda: a @ b, clock, 40)
    return round(2 * 2048 * 768 * 768 / fast / 1e6, 1)
