"""Write RESULTS.md, and the table in the README, from the JSON in results/."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

from common import HERE, RESULTS

README = HERE.parents[1] / "README.md"
SCORES = {
    "shape_err%": "shape error %",
    "trend_err%": "trend error %",
    "tstr_auc": "TSTR AUC",
    "c2st_xgb": "C2ST AUC (XGBoost)",
    "c2st_logistic": "C2ST AUC (logistic)",
    "dcr_share": "DCR share",
}


def table(header: list[str], rows: list[list[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def load(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def on(machine: dict[str, Any]) -> str:
    place = machine["gpu"] or f"{machine['cpu']}, {machine['cores']} cores"
    return f"Measured {machine['date']} on {place}, torch {machine['torch']}."


def adult_rows(result: dict[str, Any]) -> list[list[Any]]:
    rows = []
    for model in ("ctgan", "tvae"):
        for who in ("reference", "ours"):
            entry = result.get(model, {}).get(who)
            if entry is None:
                continue
            scores = entry["scores"] or {}
            rate = f"{median(entry['rows_per_s_to_parquet']):,.0f}"
            quality = [scores.get(key, "not scored") for key in SCORES]
            name = f"`{model}`" + (" (reference)" if who == "reference" else "")
            seconds = f"{training_seconds(entry):.0f}"
            rows.append([name, *quality, entry["threads"], seconds, entry["epoch_s"], rate])
    return rows


def training_seconds(entry: dict[str, Any]) -> float:
    """The reference: its `fit`, encoding included. Ours: the whole command, imports included."""
    return entry["fit_s"] if "package" in entry else entry["wall_s"]


def adult(result: dict[str, Any]) -> str:
    header = ["model", *SCORES.values(), "threads", "training s", "s / epoch", "rows/s to Parquet"]
    text = "## Adult: CTGAN and TVAE beside the reference implementation\n\n"
    text += f"{on(result['machine'])} Matrix product: {result['matmul_gflops']} GFLOP/s.\n"
    text += "`GENMODELS_DATA=... GENMODELS_YARDSTICK=... python scripts/benchmarks/tabular.py`\n\n"
    text += "The paper's settings and 300 epochs, official test rows for TSTR; the reference is\n"
    text += "ctgan 0.12.1 in an environment of its own. C2ST 0.5 is best. Three things differ:\n"
    text += "ours keeps a tenth of the 32,561 training rows to choose the best weights (so an\n"
    text += "epoch has a tenth fewer updates), samples categories instead of taking the likeliest\n"
    text += "(`tvae`), and averages the generator's weights (`ctgan`). No early stopping here.\n"
    text += "Training seconds: the reference's `fit` alone, our whole command.\n\n"
    text += table(header, adult_rows(result)) + "\n"
    for model in ("ctgan", "tvae"):
        entry = result.get(model, {})
        if {"reference", "ours"} <= entry.keys():
            theirs, own = entry["reference"], entry["ours"]
            faster = training_seconds(theirs) / training_seconds(own)
            rate = median(own["rows_per_s_to_parquet"]) / median(theirs["rows_per_s_to_parquet"])
            text += f"`{model}`: training {faster:.2f} times as fast, sampling {rate:.1f} times.\n"
        if "epoch_s_in_turn" in entry:
            turns = entry["epoch_s_in_turn"]
            ratio = median(turns["reference"]) / median(turns["ours"])
            text += f"Short runs in turn, seconds an epoch: reference {turns['reference']}, "
            text += f"ours {turns['ours']}; ratio of the medians {ratio:.2f}.\n"
    return text


def step(result: dict[str, Any]) -> str:
    text = "## One update and its arithmetic limit\n\n"
    text += f"{on(result['machine'])} `python scripts/benchmarks/step.py`\n\n"
    rows = [
        [
            f"`{model}`",
            result[model]["gflop_per_update"],
            result[model]["limit_ms"],
            result[model]["update_ms"],
            round(result[model]["update_ms"] / result[model]["limit_ms"], 2),
        ]
        for model in ("ctgan", "tvae")
    ]
    header = [
        "model",
        "GFLOP per update",
        "limit ms (matrix products alone)",
        "measured ms",
        "ratio",
    ]
    return text + table(header, rows)


def sampling(result: dict[str, Any]) -> str:
    text = "## Sampling to Parquet\n\n"
    text += f"{on(result['machine'])} `GENMODELS_DATA=... python scripts/benchmarks/sampling.py`\n"
    text += "Microseconds of processor time per row, by stage.\n\n"
    stages = list(result["results"][0]["stages_us_per_row"])
    rows = [
        [
            f"`{r['model']}` {r['precision']}",
            *(r["stages_us_per_row"][stage] for stage in stages),
            f"{r['rows_per_second']:,}",
        ]
        for r in result["results"]
    ]
    return text + table(["model", *stages, "rows/s"], rows)


def codec(result: dict[str, Any]) -> str:
    text = "## Codecs\n\n"
    text += f"Measured {result['measured'][:10]}, {result['threads']} thread. "
    text += "`GENMODELS_DATA=... python scripts/benchmarks/codec.py`\n\n"
    rows = [
        [
            r["case"],
            r["codec"],
            f"{r['rows']:,} x {r['columns']}",
            r["fit_s"],
            r["encode_s"],
            r["decode_s"],
            r["peak_beyond_raw_over_raw"],
        ]
        for r in result["results"]
    ]
    header = ["case", "codec", "size", "fit s", "encode s", "decode s", "peak memory / raw size"]
    return text + table(header, rows)


def images(result: dict[str, Any]) -> str:
    text = "## Images\n\n"
    text += f"{on(result['machine'])} `GENMODELS_DATA=... python scripts/benchmarks/images.py`\n\n"
    rows, pictures = [], ""
    for name, entry in result.items():
        if name == "machine":
            continue
        model, data = name.rsplit("_", 1)
        use = next(r for r in entry["rows"] if "trained on synthetic" in r["metric"])
        score = entry["yardstick"] or {}
        rows.append(
            [f"`{model}`", data, entry["threads"], f"{entry['train_s']:.0f}"]
            + [round(use["value"], 4), round(use["ceiling"], 4)]
            + [score.get(key, "") for key in ("fd", "tstr", "trtr")]
        )
        pictures += f"\n`{model}` on {data}, rows are classes:\n\n![](results/fake_{name}.png)\n"
    header = ["model", "data", "threads", "training s", "TSTR accuracy", "trained on real"]
    header += ["yardstick FD", "yardstick TSTR", "yardstick TRTR"]
    return text + table(header, rows) + pictures


def readme(result: dict[str, Any]) -> None:
    header = ["Adult, 300 epochs", *list(SCORES.values())[:4], "threads", "training s", "rows/s"]
    rows = [[*row[:5], row[7], row[8], row[10]] for row in adult_rows(result)]
    text = README.read_text(encoding="utf-8")
    start, end = text.index("<!-- results -->"), text.index("<!-- /results -->")
    middle = f"<!-- results -->\n{table(header, rows)}"
    README.write_text(text[:start] + middle + text[end:], encoding="utf-8")


def main() -> None:
    parts = ["# Results\n\nWritten by `python scripts/benchmarks/report.py`; do not edit.\n"]
    sections = {
        "tabular": adult,
        "step": step,
        "sampling": sampling,
        "codec": codec,
        "images": images,
    }
    for name, section in sections.items():
        result = load(name)
        if result is not None:
            remark = result.pop("note", None)
            parts.append(section(result) + (f"\nNote: {remark}\n" if remark else ""))
    Path(HERE / "RESULTS.md").write_text("\n".join(parts), encoding="utf-8")
    tabular = load("tabular")
    if tabular is not None:
        readme(tabular)


if __name__ == "__main__":
    main()
