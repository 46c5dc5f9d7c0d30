"""Costs as Markdown: an update, a sampled row, sizes of tables."""

from __future__ import annotations

import math
from typing import Any

from markdown import machines, on, table

__all__ = ["cost", "sampling", "step"]

MEMORY_MB = 2048
LINEAR = 1.1


def step(result: dict[str, Any]) -> str:
    text = "## One update and its arithmetic limit\n\n"
    models = {
        name: row for name, row in result.items() if isinstance(row, dict) and "shares" in row
    }
    text += f"{on(machines(result, models.values()))} `python scripts/benchmarks/step.py`\n"
    text += "Batches of Adult or of MNIST. The limit is what the matrix products and convolutions\n"
    text += "alone would take at the rate that the machine reaches on a large product at their\n"
    text += (
        "precision. `dcgan` by itself takes its penalties in every fourth update; with others, in\n"
    )
    text += "every update.\n\n"
    rows = [
        [
            _case(name),
            row["threads"],
            row["batch"],
            row["precision"],
            row["gflop_per_update"],
            row["matmul_gflops"],
            row["limit_ms"],
            row["update_ms"],
            round(row["update_ms"] / row["limit_ms"], 2),
            f"{row['batch'] / row['update_ms'] * 1e3:,.0f}",
            ", ".join(f"{kind} {share}" for kind, share in row["shares"].items()),
        ]
        for name, row in models.items()
    ]
    header = [
        "model", "threads", "batch", "products in", "GFLOP per update", "peak GFLOP/s",
        "limit ms (products alone)", "measured ms", "ratio", "samples/s", "where the time goes, %",
    ]  # fmt: skip
    return text + table(header, rows) + _ratios(models)


def _ratios(models: dict[str, Any]) -> str:
    """What penalties and compiling cost, in updates of `dcgan`."""
    wanted = ("none", "r1_r2", "r1_r2_fd", "r1_r2_jvp", "r1_r2, compiled")
    if any(f"dcgan, {name}" not in models for name in wanted):
        return ""
    none, exact, differences, forward, compiled = (
        models[f"dcgan, {name}"]["update_ms"] for name in wanted
    )
    text = f"\nIn updates without penalties: exact R1 and R2 {exact / none:.2f}, from differences\n"
    text += f"{differences / none:.2f} (target 1.6 at most), forward derivatives "
    text += f"{forward / none:.2f}.\nThe compiled exact update is {exact / compiled:.2f} times as "
    return text + "fast as the eager one (target 1.3).\n"


def _case(name: str) -> str:
    model, _, penalties = name.partition(", ")
    return f"`{model}`" + (f", penalties: {penalties}" if penalties else "")


def sampling(result: dict[str, Any]) -> str:
    text = "## Sampling to Parquet\n\n"
    text += f"{on(result['machine'])} `GENMODELS_DATA=... python scripts/benchmarks/sampling.py`\n"
    text += "Microseconds of processor time per row, by stage, on one thread; the limit is what\n"
    text += "the matrix products of the model alone would take. Rows/s of the whole verb: as they\n"
    text += f"were (load before the first: {result['machine']['load_before']}), and by processor\n"
    text += "time.\n\n"
    stages = list(result["results"][0]["stages_us_per_row"])
    rows = [
        [
            f"`{r['model']}` {r['precision']}",
            *(r["stages_us_per_row"][stage] for stage in stages),
            r["kiloflop_per_row"],
            r.get("limit_us_per_row", ""),
            ", ".join(f"{kind} {share}" for kind, share in r.get("shares", {}).items()),
            f"{r['rows_per_second']:,}",
            f"{r['rows_per_second_if_the_cores_were_free']:,}",
        ]
        for r in result["results"]
    ]
    last = ["the model's time, %", "rows/s", "rows/s were the cores free"]
    header = ["model", *stages, "kFLOP per row", "limit µs", *last]
    return text + table(header, rows)


def cost(result: dict[str, Any]) -> str:
    cases = result["cases"]
    text = "## Sizes\n\n"
    text += f"{on(machines(result, cases.values()))} `python scripts/benchmarks/cost.py`\n"
    text += (
        "`tabvae` on simulated tables with its defaults, but for the epochs where a case says so;\n"
    )
    text += "each command in a process of its own, imports included, which take the memory named\n"
    text += f"last. **Bold**: above {MEMORY_MB:,} MB, the target for 500,000 levels.\n\n"
    rows = [
        [
            case["text"],
            f"{case['rows']:,} x {case['columns']:,}",
            f"{case['train']['s']:,.0f}",
            _memory(case["train"]["mb"]),
            case.get("model_mb", case.get("failed", "")),
            case.get("codec_mb", ""),
            _memory(case["sample"]["mb"]) if "sample" in case else "",
            f"{case['sample'].get('rows_per_s', 0):,}" if "sample" in case else "",
            f"{case['floor_mb']:,}",
        ]
        for case in cases.values()
    ]
    header = [
        "case", "rows x columns", "training s", "training MB", "weights MB", "codec MB",
        "sampling MB", "rows/s", "imports MB",
    ]  # fmt: skip
    return text + table(header, rows) + _growth(cases)


def _memory(megabytes: float) -> str:
    return f"**{megabytes:,}**" if megabytes > MEMORY_MB else f"{megabytes:,}"


def _growth(cases: dict[str, dict[str, Any]]) -> str:
    """How training time grows along the grid; empty when no two of its cases are there.

    The exponent is log(ratio of seconds) / log(ratio of sizes): 1 is linear.
    """
    grid = [case for name, case in cases.items() if name.startswith("grid_")]
    grid = sorted((c for c in grid if "failed" not in c), key=lambda c: (c["columns"], c["rows"]))
    lines = []
    for along, fixed in (("rows", "columns"), ("columns", "rows")):
        for case in grid:
            line = [other for other in grid if other[fixed] == case[fixed]]
            larger = [other for other in line if other[along] > case[along]]
            if larger:
                then = min(larger, key=lambda other: other[along])
                size, time = then[along] / case[along], then["train"]["s"] / case["train"]["s"]
                exponent = math.log(time) / math.log(size)
                shown = f"**{exponent:.2f}**" if exponent > LINEAR else f"{exponent:.2f}"
                steps = f"{case[along]:,} to {then[along]:,} {along}"
                lines.append([f"{steps}, {case[fixed]:,} {fixed}", f"{time:.2f}", shown])
    if not lines:
        return ""
    text = "\nThe target is that training time grows no faster than linearly with rows and\n"
    text += f"columns: an exponent of 1, **bold** above {LINEAR}, which noise alone may reach.\n\n"
    return text + table(["", "times as long", "exponent"], lines)
