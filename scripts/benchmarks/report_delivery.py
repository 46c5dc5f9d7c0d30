"""The sections of RESULTS.md on written datasets: rates, memory, and kills."""

from __future__ import annotations

from statistics import median
from typing import Any

from markdown import head, table

__all__ = ["crash", "delivery", "streaming"]


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


def streaming(result: dict[str, Any]) -> str:
    text = head("Tables larger than memory", result["machine"], "streaming")
    text += "The whole command, two epochs of `tabvae`, rows of Adult drawn again and again; in\n"
    text += "memory and with `data.streaming=true`:\n\n"
    lines = [
        [
            f"{case['rows']:,}",
            f"{case['csv_mb']:,}",
            "streamed" if case["streamed"] else "in memory",
            case["s"],
            f"{case['mb']:,}",
        ]
        for case in result.get("memory", [])
    ]
    text += table(["rows", "CSV, MB", "", "s", "peak MB"], lines)
    if "quality" not in result:
        return text
    text += (
        "\nBest validation loss of `tabvae` on Adult, defaults, nats; validation rows differ:\n\n"
    )
    lines = [
        [name, *(f"{case['best']:.3f}" for case in result["quality"] if case["streamed"] is kind)]
        for name, kind in (("in memory", False), ("streamed", True))
    ]
    seeds = [f"seed {case['seed']}" for case in result["quality"] if case["streamed"]]
    return text + table(["", *seeds], lines)


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
