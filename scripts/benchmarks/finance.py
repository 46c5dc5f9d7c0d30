"""Simulated prices: their rate, closed forms, option prices, recovery, and fits to a real series.

    GENMODELS_DATA=... python scripts/benchmarks/finance.py [--paths 20480] [--fits 100]

Rates are on two threads, the median of five runs at the defaults of `configs/simulator/`. One
path-step is the log-return of one asset in one step, made and left in memory; writing files is not
in it. As in the verb, each thread makes blocks of its own. QuantLib is asked for option prices
where it is installed; the formulas do without. Ten minutes, most of them 100 fits of each model.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from statistics import median
from typing import Any

from common import keep, placed
from finance_checks import coverage, moments, options
from finance_fits import fits
from finance_verdicts import verdicts

from genmodels.sampling.ahead import ahead
from genmodels.simulators.finance.paths import block_paths, log_returns
from genmodels.tasks.choices import CONFIGS, choices
from genmodels.tasks.compose import compose
from genmodels.tasks.parts import instantiate

REPEATS, THREADS = 5, 2
GOAL = 5_000_000


def one_block(model: Any, start: int, *, steps: int, seed: int, device: str) -> None:
    stop = start + block_paths(steps, model.assets)
    for block in log_returns(model, start, stop, steps=steps, seed=seed, device=device):
        assert bool(block[-1].isfinite().all())


def rate(name: str, *, paths: int, steps: int, device: str) -> int:
    """Path-steps per second of one simulator."""
    model = instantiate(compose("simulate", [f"simulator={name}"]).simulator.model)
    seconds = []
    for repeat in range(REPEATS + 1):  # the first one warms up
        start = time.perf_counter()
        make = partial(one_block, model, steps=steps, seed=repeat, device=device)
        size = block_paths(steps, model.assets)
        for _ in ahead(make, range(0, paths, size), workers=THREADS):
            pass
        seconds.append(time.perf_counter() - start)
    return round(paths * steps * model.assets / median(seconds[1:]))


def priced(name: str) -> bool:
    """Whether a simulator is one of prices."""
    target = compose("simulate", [f"simulator={name}"]).simulator.get("_target_")
    return ".finance." in str(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paths", type=int, default=20_480)
    parser.add_argument("--steps", type=int, default=252)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--simulations", type=int, default=400_000, help="behind a moment or price")
    parser.add_argument("--fits", type=int, default=100)
    parser.add_argument("--fit-steps", type=int, default=4000)
    parser.add_argument("--series", type=int, default=50, help="behind the verdicts of evaluate")
    given = parser.parse_args()
    rates = {
        name: rate(name, paths=given.paths, steps=given.steps, device=given.device)
        for name in choices("simulator", [CONFIGS])
        if priced(name)
    }
    for name, value in rates.items():
        print(f"{name:<18} {value:>13,} path-steps/s  {'' if value >= GOAL else 'below the goal'}")
    result: dict[str, Any] = {
        "paths": given.paths,
        "steps": given.steps,
        "threads": THREADS,
        "goal": GOAL,
        "path_steps_per_s": rates,
        "moments": moments(given.simulations),
        "options": options(given.simulations),
        "fits": given.fits,
        "fit_steps": given.fit_steps,
        "coverage": coverage(given.fits, given.fit_steps),
        "verdicts": verdicts(given.series),
        "real": fits(),
    }
    far = [one["name"] for one in (*result["moments"], *result["options"]) if abs(one["z"]) > 3]
    print("beyond 3 standard errors:", ", ".join(far) or "nothing")
    placed(result, result)
    usual = vars(parser.parse_args([]))
    keep("finance", result, result, [k for k, v in vars(given).items() if v != usual[k]])


if __name__ == "__main__":
    main()
