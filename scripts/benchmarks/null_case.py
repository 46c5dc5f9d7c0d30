"""Does the benchmark find help where there is none? `python scripts/benchmarks/null_case.py`.

The generator gives real training rows again, so it cannot help. In 40 simulated worlds the
verdict must be "no evidence" in at least 38. Goes on where it was stopped; writes
`results/null_case.json`.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pyarrow as pa
from common import SCRATCH, machine, save

from genmodels.metrics.benchmark.stand_ins import Bootstrap, FittedGenerator
from genmodels.report.benchmark.conclusion import conclude
from genmodels.report.benchmark.log import TrialLog
from genmodels.report.benchmark.plan import Plan, Trials
from genmodels.report.benchmark.runs import run_trials
from genmodels.schema import Column, TableSchema

SEEDS, NEEDED, ROWS = 40, 38, 400
SCHEMA = TableSchema(
    (
        Column("age", "continuous"),
        Column("dose", "continuous"),
        Column("weight", "continuous"),
        Column("ward", "categorical", levels=("a", "b", "c")),
        Column("ill", "categorical", role="target", levels=("no", "yes")),
    )
)


def world(rows: int, seed: int) -> pa.Table:
    """Patients, about one in six of whom is ill: more with age, and where dose and age disagree."""
    rng = np.random.default_rng([seed, 90])
    age, dose, weight = rng.normal(size=(3, rows))
    ward = rng.integers(0, 3, rows)
    ill = rng.random(rows) < 1 / (1 + np.exp(2.6 - age + 1.5 * age * dose - 0.8 * (ward == 1)))
    return pa.table(
        {
            "age": age,
            "dose": dose,
            "weight": weight,
            "ward": np.array(["a", "b", "c"])[ward],
            "ill": np.where(ill, "yes", "no"),
        }
    )


def plan(seed: int) -> Plan:
    return Plan(
        repeats=10,
        test_share=0.2,
        split_by=None,
        time=None,
        learners=("logistic", "boosting"),
        ratios=(0.5, 1.0),
        sizes=(None,),
        folds=3,
        imbalanced=0.2,
        alpha=0.05,
        seed=seed,
    )


def draw_again(train: pa.Table, *, seed: int, name: str) -> FittedGenerator:
    return Bootstrap(train)


def judge_seed(seed: int, folder: Path) -> dict[str, Any]:
    """The verdicts in one world."""
    trials = Trials.prepare(world(ROWS, seed), SCHEMA, "ill", plan(seed))
    folder.mkdir(parents=True, exist_ok=True)
    log = TrialLog(folder / f"seed-{seed}.jsonl", {"rows": ROWS, "plan": str(trials.plan)})
    (found,) = conclude(trials, run_trials(trials, draw_again, log, progress=lambda text: None))
    arms = [f.within.verdict for f in found.findings if f.within is not None]
    judged = found.judgement
    return {
        "seed": seed,
        "decided by": found.primary,
        "verdict": found.verdict,
        "difference": round(judged.difference, 4),
        "interval": [round(end, 4) for end in judged.interval],
        "arms that help": arms.count("helps"),
        "arms that harm": arms.count("harms"),
    }


def main() -> None:
    start, lines = time.monotonic(), []
    for seed in range(SEEDS):
        lines.append(judge_seed(seed, SCRATCH / "null_case"))
        print(f"{time.monotonic() - start:6.0f} s", lines[-1], flush=True)
    verdicts = Counter(line["verdict"] for line in lines)
    quiet = sum(not line["arms that help"] and not line["arms that harm"] for line in lines)
    passed = verdicts["no evidence"] >= NEEDED
    save(
        "null_case",
        {
            "generator": "bootstrap (training rows drawn with replacement)",
            "rows": ROWS,
            "needed": NEEDED,
            "passed": passed,
            "verdicts": dict(verdicts),
            "seeds without any verdict on an arm": quiet,
            "seconds": round(time.monotonic() - start, 1),
            "machine": machine(),
            "seeds": lines,
        },
    )
    print(dict(verdicts), "passed" if passed else "failed")
    raise SystemExit(0 if passed else 1)


if __name__ == "__main__":
    main()
