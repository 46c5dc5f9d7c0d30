"""Do augmented rows help a model? `genmodels benchmark generator=augmented` on a real table.

    GENMODELS_DATA=... python scripts/benchmarks/augment.py [--recipes smote jitter mixup]

The verb splits the real rows again and again; a recipe makes new rows of the training side of each
split, beside all real rows and for the rare class alone. Models of three kinds are tested on real
rows of the other side. It goes on where it was stopped: the log of the verb is kept.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from common import GENMODELS, SCRATCH, keep, load, measured, placed
from rebalance import taken
from tables import EVERY, whole

REPEATS = 10
RECIPES = ["smote", "jitter", "mixup"]


def measure(table: str, recipe: str, repeats: int) -> dict[str, Any]:
    out = SCRATCH / "augment" / f"{table}-{recipe}"
    out.mkdir(parents=True, exist_ok=True)
    data = out.with_name(f"{table}.csv")
    whole(table).to_csv(data, index=False)
    cost = measured(
        *GENMODELS,
        "benchmark",
        "generator=augmented",
        f"recipe={recipe}",
        f"data.path={data}",
        f"target={EVERY[table].target}",
        f"repeats={repeats}",
        "ratios=[1.0]",
        f"out={out}",
    )
    report = json.loads((out / "report.json").read_text())
    details = {section["title"]: section["details"] for section in report["sections"]}
    return {
        "repeats": repeats,
        "wall_s_of_the_last_call": cost.wall_s,
        "peak_mb": cost.peak_mb,
        "generator": report["facts"]["generator"],
        "answer": report["summary"],
        "verdicts": taken(details["Answer"][0]),
        "scores": taken(details["All scores"][-1]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", default="stroke", choices=sorted(EVERY))
    parser.add_argument("--recipes", nargs="+", default=RECIPES)
    parser.add_argument("--repeats", type=int, default=REPEATS, help="splits, at least 3")
    arguments = parser.parse_args()
    for recipe in arguments.recipes:
        entry = measure(arguments.table, recipe, arguments.repeats)
        result = load("augment") or {"tables": {}}
        placed(result, entry)
        result["tables"].setdefault(arguments.table, {})[recipe] = entry
        other = [] if arguments.repeats == REPEATS else [f"--repeats {arguments.repeats}"]
        keep("augment", result, entry, other)
        print("\n".join(entry["answer"]))


if __name__ == "__main__":
    main()
