"""Do synthetic rows of a rare class help a model? `genmodels benchmark` on two real tables.

    GENMODELS_DATA=... python scripts/benchmarks/rebalance.py [--tables stroke bank_full]

The verb splits the real rows again and again; `model=tabvae` is trained inside each split, is given
the rare class, and makes the rows of it that are lacking. Models of three kinds learn from real
rows, weighted rows, repeated rows, SMOTE's, and from synthetic rows beside or instead of them, and
are tested on real rows. It goes on where it was stopped: the log of the verb is kept.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from common import GENMODELS, SCRATCH, keep, load, measured, placed
from tables import EVERY, whole

REPEATS = {"stroke": 10, "bank_full": 6}
"""Splits: each costs a training of about a minute, or two, and 27 models."""


def measure(table: str, repeats: int, words: list[str]) -> dict[str, Any]:
    out = SCRATCH / "rebalance" / (f"{table}-words" if words else table)
    out.mkdir(parents=True, exist_ok=True)
    whole(table).to_csv(out.with_suffix(".csv"), index=False)
    cost = measured(
        *GENMODELS,
        "benchmark",
        "model=tabvae",
        f"data.path={out.with_suffix('.csv')}",
        f"target={EVERY[table].target}",
        f"repeats={repeats}",
        "ratios=[1.0]",
        f"out={out}",
        *words,
    )
    report = json.loads((out / "report.json").read_text())
    facts = report["facts"]
    facts["settings"] = facts["settings"].replace(f"{out.parent}/", "")
    details = {section["title"]: section["details"] for section in report["sections"]}
    return {
        "repeats": repeats,
        "wall_s_of_the_last_call": cost.wall_s,
        "peak_mb": cost.peak_mb,
        "facts": facts,
        "answer": report["summary"],
        "verdicts": taken(details["Answer"][0]),
        "scores": taken(details["All scores"][-1]),
    }


def taken(detail: dict[str, Any]) -> dict[str, Any]:
    """A table of the report: its headers and lines."""
    return {key: detail[key] for key in ("headers", "lines")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", default=list(REPEATS), choices=list(REPEATS))
    parser.add_argument("--repeats", type=int, help="splits, at least 3")
    parser.add_argument(
        "--words",
        nargs="*",
        default=[],
        help="further words of benchmark; results are not kept then",
    )
    arguments = parser.parse_args()
    for table in arguments.tables:
        entry = measure(table, arguments.repeats or REPEATS[table], arguments.words)
        result = load("rebalance") or {"tables": {}}
        placed(result, entry)
        result["tables"][table] = entry
        keep("rebalance", result, entry, arguments.words)
        print("\n".join(entry["answer"]))


if __name__ == "__main__":
    main()
