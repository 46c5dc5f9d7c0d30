"""The sections of RESULTS.md on written datasets: rates, memory, and kills."""

from __future__ import annotations

from statistics import median
from typing import Any

from markdown import head, table

__all__ = ["crash", "delivery"]


def delivery(result: dict[str, Any]) -> str:
    text = head("Datasets at scale", result["machine"], "delivery")
    rows = result["rate_rows"]
    text += f"Rows a second to Parquet, of {rows:,} rows of Adult, as `genmodels sample` says:\n\n"
    lines = [
        [f"`{model}`", f"{median(found):,.0f}", ", ".join(f"{rate:,}" for rate in found)]
        for model, found in result["rates"].items()
    ]
    text += table(["model", "median", "each"], lines)
    text += "\nThe whole command, `tvae`:\n\n"
    lines = [
        [f"{case['rows']:,}", case["s"], f"{case['mb']:,}", f"{case['written_mb']:,}"]
        for case in result["memory"]
    ]
    text += table(["rows", "s", "peak MB", "MB written"], lines)
    pictures = result["pictures"]
    text += f"\n{pictures['images']:,} labelled images of 28x28 as an image folder, once they are\n"
    return (
        text + f"drawn: {min(pictures['s'])} s (each of {len(pictures['s'])}: {pictures['s']}).\n"
    )


def crash(outcomes: list[dict[str, Any]]) -> str:
    text = "## Kills\n\n`genmodels selftest crash out=...`\n\n"
    text += "Jobs killed at random instants and started again by the same command; what they end\n"
    text += "with (weights, the whole state, measured numbers, every byte of a dataset) against\n"
    text += "the same job undisturbed.\n\n"
    names = ("SIGKILL", "SIGTERM", "SIGINT")
    lines = [
        [
            one["job"],
            one["seconds"],
            *(one["kills"].get(name, 0) for name in names),
            one["ends"],
            "; ".join(one["problems"]) or "none",
        ]
        for one in outcomes
    ]
    return text + table(["job", "s undisturbed", *names, "ends compared", "differences"], lines)
