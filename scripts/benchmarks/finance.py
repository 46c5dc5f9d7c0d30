"""How many steps of paths each simulator of prices makes per second, on two threads.

    python scripts/benchmarks/finance.py [--paths 20480] [--steps 252] [--device cpu]

One path-step is the log-return of one asset in one step, made and left in memory; writing files
is not in it. The median of five runs at the defaults of `configs/simulator/`.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import Any

import torch
from common import keep, placed

from genmodels.simulators.finance.paths import log_returns
from genmodels.tasks.build import instantiate
from genmodels.tasks.choices import CONFIGS, choices
from genmodels.tasks.compose import compose

REPEATS, THREADS = 5, 2
GOAL = 5_000_000


def rate(name: str, *, paths: int, steps: int, device: str) -> int:
    """Path-steps per second of one simulator."""
    model = instantiate(compose("simulate", [f"simulator={name}"]).simulator.model)
    seconds = []
    for repeat in range(REPEATS + 1):  # the first one warms up
        start = time.perf_counter()
        for block in log_returns(model, 0, paths, steps=steps, seed=repeat, device=device):
            assert bool(block[-1].isfinite().all())
        seconds.append(time.perf_counter() - start)
    return round(paths * steps * model.assets / median(seconds[1:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paths", type=int, default=20_480)
    parser.add_argument("--steps", type=int, default=252)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(THREADS)
    names = choices("simulator", [CONFIGS])
    found = {
        name: rate(name, paths=given.paths, steps=given.steps, device=given.device)
        for name in names
    }
    for name, value in found.items():
        print(f"{name:<18} {value:>13,} path-steps/s  {'' if value >= GOAL else 'below the goal'}")
    result: dict[str, Any] = {
        "paths": given.paths,
        "steps": given.steps,
        "threads": THREADS,
        "goal": GOAL,
        "path_steps_per_s": found,
    }
    placed(result, result)
    usual = vars(parser.parse_args([]))
    keep("finance", result, result, [k for k, v in vars(given).items() if v != usual[k]])


if __name__ == "__main__":
    main()
