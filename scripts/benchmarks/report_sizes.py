"""Costs as Markdown: an update, a sampled row, sizes of tables."""

from __future__ import annotations

from typing import Any

from markdown import on, table

__all__ = ["cost", "sampling", "step"]


def step(result: dict[str, Any]) -> str:
    text = "## One update and its arithmetic limit\n\n"
    text += f"{on(result['machine'])} `python scripts/benchmarks/step.py`\n"
    text += f"On {result['threads']} threads. The limit is what the matrix products alone would\n"
    text += "take at the rate that this machine reaches on a large product at their precision.\n\n"
    models = {
        name: row for name, row in result.items() if isinstance(row, dict) and "shares" in row
    }
    rows = [
        [
            f"`{name}`",
            row.get("batch", result.get("batch")),
            row.get("precision", "float32"),
            row["gflop_per_update"],
            row["matmul_gflops"],
            row["limit_ms"],
            row["update_ms"],
            round(row["update_ms"] / row["limit_ms"], 2),
            ", ".join(f"{kind} {share}" for kind, share in row["shares"].items()),
        ]
        for name, row in models.items()
    ]
    header = [
        "model", "batch", "products in", "GFLOP per update", "peak GFLOP/s",
        "limit ms (products alone)", "measured ms", "ratio", "where the time goes, %",
    ]  # fmt: skip
    return text + table(header, rows)


def sampling(result: dict[str, Any]) -> str:
    text = "## Sampling to Parquet\n\n"
    text += f"{on(result['machine'])} `GENMODELS_DATA=... python scripts/benchmarks/sampling.py`\n"
    text += (
        "Microseconds of processor time per row, by stage, on one thread; the limit is what the\n"
    )
    text += "matrix products of the model alone would take.\n\n"
    stages = list(result["results"][0]["stages_us_per_row"])
    rows = [
        [
            f"`{r['model']}` {r['precision']}",
            *(r["stages_us_per_row"][stage] for stage in stages),
            r["kiloflop_per_row"],
            r.get("limit_us_per_row", ""),
            ", ".join(f"{kind} {share}" for kind, share in r.get("shares", {}).items()),
            f"{r['rows_per_second']:,}",
        ]
        for r in result["results"]
    ]
    header = ["model", *stages, "kFLOP per row", "limit µs", "the model's time, %", "rows/s"]
    return text + table(header, rows)


def cost(result: dict[str, Any]) -> str:
    text = "## Sizes\n\n"
    text += f"{on(result['machine'])} `python scripts/benchmarks/cost.py`\n"
    text += (
        "`tabvae` with its defaults on simulated tables; each command in a process of its own,\n"
    )
    text += (
        "imports included, which alone take the memory named last. Grid: training time against\n"
    )
    text += "rows and columns.\n\n"
    rows = [
        [
            case["text"],
            f"{case['rows']:,} x {case['columns']:,}",
            f"{case['train']['s']:,.0f}",
            f"{case['train']['mb']:,}",
            case.get("model_mb", case.get("failed", "")),
            case.get("codec_mb", ""),
            f"{case['sample']['mb']:,}" if "sample" in case else "",
            f"{case['sample'].get('rows_per_s', 0):,}" if "sample" in case else "",
            f"{case['floor_mb']:,}",
        ]
        for case in result["cases"].values()
    ]
    header = [
        "case", "rows x columns", "training s", "training MB", "weights MB", "codec MB",
        "sampling MB", "rows/s", "imports MB",
    ]  # fmt: skip
    return text + table(header, rows)
