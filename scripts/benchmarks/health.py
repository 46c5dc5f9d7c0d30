"""Epidemics and line lists: speed, laws of theory, coverage of fits, and a picture.

    python scripts/benchmarks/health.py [--patients 1000000] [--runs 4096] [--fits 100]

A million patients as Parquet by the command line, start included; runs of epidemics per second in
memory on two threads; final sizes and extinctions of single events against theory; the share of
95 % intervals that hold the truth, of fits of simulated counts. About ten minutes; the picture goes
to results/epidemics.png.
"""

from __future__ import annotations

import argparse
import math
import shutil
import time
from functools import partial
from typing import Any

import matplotlib as mpl
import numpy as np
from common import GENMODELS, RESULTS, SCRATCH, keep, measured, placed
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from genmodels.sampling.ahead import ahead
from genmodels.simulators.health.course import Course, block_runs, course_of
from genmodels.simulators.health.fit.cases import fit_cases
from genmodels.simulators.health.fit.counts import WORDS
from genmodels.simulators.health.seir import Epidemics
from genmodels.tasks.compose import compose
from genmodels.tasks.parts import instantiate

mpl.use("agg")
import matplotlib.pyplot as plt

THREADS, GOAL_SECONDS = 2, 60
ALIKE = ("simulator.model.population.groups=[0]", "simulator.model.population.contacts=[[10]]")


def seir(*words: str) -> Epidemics:
    return instantiate(compose("simulate", ["simulator=seir", *words]).simulator)


def course(simulator: Epidemics, block: int, *, runs: int, seed: int) -> Course:
    return course_of(simulator.model, simulator.reporting, seed=seed, block=block, runs=runs)


def patients(count: int) -> dict[str, Any]:
    """Wall time and memory of a line list, written as Parquet."""
    out = SCRATCH / "health" / "patients"
    shutil.rmtree(out, ignore_errors=True)
    words = ("simulate", "simulator=patients", f"n={count}", f"out={out}", f"workers={THREADS}")
    cost = measured(*GENMODELS, *words)
    return {
        "patients": count,
        "seconds": cost.wall_s,
        "patients_per_s": round(count / cost.wall_s),
        "peak_mb": cost.peak_mb,
        "goal_seconds_of_a_million": GOAL_SECONDS,
    }


def speed(runs: int) -> dict[str, Any]:
    """Runs of the default epidemic per second, in memory."""
    simulator = seir()
    size = block_runs(simulator.model)
    make = partial(course, simulator, runs=size, seed=0)
    start, blocks = time.perf_counter(), -(-runs // size)
    for found in ahead(make, range(blocks), workers=THREADS):
        assert (found.dead >= 0).all()
    seconds = time.perf_counter() - start
    return {
        "runs": blocks * size,
        "seconds": round(seconds, 2),
        "runs_per_s": round(blocks * size / seconds),
    }


def theory() -> dict[str, Any]:
    """Final sizes and extinctions of single events, beside what they must be."""
    found: dict[str, Any] = {}
    for r0 in (1.5, 2.0, 3.0):
        words = (f"simulator.model.disease.r0={r0}", "simulator.model.method=gillespie", *ALIKE)
        town = ("simulator.model.population.size=4000", "simulator.model.days=250")
        simulator = seir(*words, *town, "simulator.model.initial=1")
        done = [course(simulator, block, runs=256, seed=1) for block in range(4)]
        share = np.concatenate([c.infections.sum((0, 2)) + 1 for c in done]) / 4000
        took_off = share > 0.15
        z = brentq(lambda z, r0=r0: z - 1 + math.exp(-r0 * z), 1e-6, 1)
        found[f"R0 {r0:g}"] = {
            "final_size": round(float(share[took_off].mean()), 4),
            "final_size_theory": round(z, 4),
            "died_out": round(float((~took_off).mean()), 4),
            "died_out_theory": round(1 / r0, 4),
            "standard_error": round(math.sqrt(1 / r0 * (1 - 1 / r0) / len(share)), 4),
        }
    return found


def coverage(fits: int) -> dict[str, Any]:
    """Share of 95 % intervals that hold the truth, by parameter."""
    truth = {"r0": 2.2, "reporting_rate": 0.3, "initial": 20.0}
    simulator = seir("simulator.model.disease.r0=2.2")
    counts = course(simulator, 0, runs=fits, seed=6).reported.sum(2)
    blind = simulator.model.with_values(r0=1.0, initial=1)
    fit = partial(
        fit_cases, model=blind, reporting=simulator.reporting, finds=list(WORDS), bootstrap=100
    )
    start, z = time.perf_counter(), {name: [] for name in truth}
    for done in ahead(fit, list(counts.T), workers=THREADS):
        for e in done.estimates[: len(truth)]:
            assert e.standard_error is not None
            z[e.name].append((e.value - truth[e.name]) / e.standard_error)
    inside = {name: float(np.mean(np.abs(values) < 1.96)) for name, values in z.items()}
    seconds = (time.perf_counter() - start) / fits
    return {"fits": fits, "seconds_per_fit": round(seconds, 2), "inside_95": inside}


def equations(simulator: Epidemics) -> np.ndarray:
    """I of the equations at the end of each day, all groups together."""
    model = simulator.model
    n, g = model.sizes.astype(float), model.groups

    def slope(_: float, x: np.ndarray) -> np.ndarray:
        s, e, i = x.reshape(3, g)
        new, on = s * (i @ model.force), e / model.disease.latent_days
        return np.concatenate([-new, new - on, on - i / model.disease.infectious_days])

    first = np.concatenate([model.first_s, 0 * n, model.first_i])
    days = np.arange(1, model.days + 1)
    found = solve_ivp(slope, (0, model.days), first, t_eval=days, rtol=1e-8, atol=1e-6)
    return found.y.reshape(3, g, -1)[2].sum(0)


def picture() -> None:
    """Runs, their mean and the equations; true and reported cases; a lockdown; age groups."""
    simulator = seir("simulator.reporting.weekend=0.5", "simulator.model.days=150")
    many = course(simulator, 0, runs=200, seed=2)
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), constrained_layout=True)
    infectious = many.infectious.sum(2)
    axes[0].plot(infectious[:, :60], color="0.7", lw=0.5)
    axes[0].plot(infectious.mean(1), color="C0", lw=2, label="mean of 200 runs")
    axes[0].plot(equations(simulator), "k--", lw=1.2, label="equations")
    axes[0].set_title("infectious people")
    axes[1].plot(many.onsets[:, 0].sum(1), color="0.6", label="new cases of a run")
    axes[1].plot(many.reported[:, 0].sum(1), color="C3", label="reported: 30 %, late, weekends")
    axes[1].set_title("true and reported cases by day")
    policy = "simulator.model.interventions=[{from_day: 35, to_day: 80, contacts: 0.3}]"
    apart = course(seir(policy, "simulator.model.days=150"), 0, runs=40, seed=2)
    axes[2].plot(apart.infections.sum(2), color="0.75", lw=0.5)
    for group, name in enumerate(simulator.model.population.names):
        axes[2].plot(apart.infections[:, :, group].mean(1), lw=1.6, label=f"age {name}, mean")
    axes[2].axvspan(35, 80, color="C2", alpha=0.12, label="contacts at 30 %")
    axes[2].set_title("infections by day, with an intervention")
    for axis in axes:
        axis.set_xlabel("day")
        axis.legend(fontsize=8)
    RESULTS.mkdir(exist_ok=True)
    figure.savefig(RESULTS / "epidemics.png", dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=4096)
    parser.add_argument("--fits", type=int, default=100)
    given = parser.parse_args()
    result: dict[str, Any] = {
        "threads": THREADS,
        "patients": patients(given.patients),
        "epidemics": speed(given.runs),
        "theory": theory(),
        "fits": coverage(given.fits),
    }
    picture()
    placed(result, result)
    usual = vars(parser.parse_args([]))
    keep("health", result, result, [k for k, v in vars(given).items() if v != usual[k]])


if __name__ == "__main__":
    main()
