"""Write RESULTS.md, and the table in the README, from the JSON in results/."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from common import HERE, load
from markdown import around, beside_scorer, head, on, table
from report_delivery import crash, delivery, streaming
from report_finance import finance
from report_images import bits, images, imbalance, stacked, summary
from report_leaderboard import conditional, leaderboard, published, summary_rows, untouched
from report_simulators import augmentation, coverage, health, scenes
from report_sizes import cost, sampling, step
from report_structure import missingness, rebalance

README = HERE.parents[1] / "README.md"
SCORES = {
    "shape_err%": "shape error %",
    "trend_err%": "trend error %",
    "tstr_auc": "TSTR AUC",
    "c2st_xgb": "C2ST AUC (XGBoost)",
    "c2st_logistic": "C2ST AUC (logistic)",
    "dcr_share": "DCR share",
}


def boards(result: dict[str, Any]) -> str:
    """The leaderboard's sections, those of which something was measured."""
    sections = (leaderboard(result), untouched(result), published(result))
    return "\n".join(section for section in sections if section)


def adult_rows(result: dict[str, Any]) -> list[list[Any]]:
    """One line per model and number of threads: means of the scores, medians of the times."""
    rows = []
    for model in ("ctgan", "tvae"):
        for who in ("reference", "ours"):
            runs = result.get(model, {}).get(who, [])
            for threads in sorted({run["threads"] for run in runs}, reverse=True):
                same = [run for run in runs if run["threads"] == threads]
                name = f"`{model}`" + (" (reference)" if who == "reference" else "")
                quality = [averaged([run["scores"] for run in same], key) for key in SCORES]
                seconds = f"{median(map(training_seconds, same)):.0f}"
                epoch = round(median(run["epoch_s"] for run in same), 3)
                rate = f"{median(rates(same)):,.0f}"
                rows.append([name, *quality, len(same), threads, seconds, epoch, rate])
    return rows


def averaged(scores: list[dict[str, float] | None], key: str) -> str:
    """The mean over the seeds, with their standard deviation when there are several."""
    found = [score[key] for score in scores if score]
    if not found:
        return "not scored"
    return around(found, 2 if key.endswith("%") else 3)


def rates(runs: list[dict[str, Any]]) -> list[float]:
    return [rate for run in runs for rate in run["rows_per_s_to_parquet"]]


def training_seconds(entry: dict[str, Any]) -> float:
    """The reference: its `fit`, encoding included. Ours: the whole command, imports included."""
    return entry["fit_s"] if "package" in entry else entry["wall_s"]


def adult(result: dict[str, Any]) -> str:
    header = ["model", *SCORES.values(), "seeds", "threads", "training s", "s / epoch"]
    header += ["rows/s to Parquet"]
    title = "Adult: CTGAN and TVAE beside the reference implementation"
    text = head(title, result["machine"], "tabular", scorer=True)
    text += f"Matrix product: {result['matmul_gflops']} GFLOP/s.\n"
    text += "The paper's settings and 300 epochs, official test rows for TSTR; the reference is\n"
    text += "ctgan 0.12.1 in an environment of its own. C2ST 0.5 is best. Three things differ:\n"
    text += "ours keeps a tenth of the 32,561 training rows to choose the best weights (so an\n"
    text += "epoch has a tenth fewer updates), samples categories instead of taking the likeliest\n"
    text += "(`tvae`), and averages the generator's weights (`ctgan`). No early stopping here.\n"
    text += "Training seconds: the reference's `fit` alone, our whole command.\n\n"
    text += table(header, adult_rows(result)) + "\n"
    for model in ("ctgan", "tvae"):
        entry = result.get(model, {})
        for threads in sorted({run["threads"] for run in entry.get("ours", [])}, reverse=True):
            theirs, own = (
                [run for run in entry.get(who, []) if run["threads"] == threads]
                for who in ("reference", "ours")
            )
            if theirs and own:
                faster = median(map(training_seconds, theirs)) / median(map(training_seconds, own))
                rate = median(rates(own)) / median(rates(theirs))
                text += f"`{model}`, threads {threads}: training {faster:.2f} times as fast, "
                text += f"sampling {rate:.1f} times.\n"
        if "epoch_s_in_turn" in entry:
            turns = entry["epoch_s_in_turn"]
            ratio = median(turns["reference"]) / median(turns["ours"])
            text += f"Short runs in turn, seconds an epoch: reference {turns['reference']}, "
            text += f"ours {turns['ours']}; ratio of the medians {ratio:.2f}.\n"
    return text


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


def evaluation(result: dict[str, Any]) -> str:
    text = head("Evaluation: what it costs and what it says", result["machine"], "evaluation")
    text += "Wall time and peak memory are of the whole command. Adult: 32,561 training and\n"
    text += "16,281 held-out rows.\n\n"
    cases = {name: case for name, case in result.items() if name != "machine"}
    names = {"million": "1,000,000 x 20 simulated rows"}
    header = ["case", "synthetic rows", "wall s", "peak GB", "report MB"]
    rows = [
        [
            names.get(name, f"Adult, {name}"),
            f"{case['rows']:,}",
            *(case[key] for key in ("wall_s", "peak_gb", "report_mb")),
        ]
        for name, case in cases.items()
    ]
    text += table(header, rows)
    for name, case in cases.items():
        text += f"\nSummary of {names.get(name, f'Adult, {name}')}:\n\n"
        text += "".join(f"- {line}\n" for line in case["summary"])
    text += "\nThe same files judged by a program outside the project (XGBoost there, histogram\n"
    text += "gradient boosting here; it compares with all training rows):\n\n"
    pairs = {name: (case["figures"], case.get("yardstick")) for name, case in cases.items()}
    return text + beside_scorer(pairs, YARDSTICK)


YARDSTICK = {
    "shape_err%": ("column shape error against training rows, as published", 100),
    "trend_paper%": ("pair trend error against training rows, as published", 100),
    "trend_err%": ("pair trend error against training rows, shared bins", 100),
    "c2st_xgb": ("C2ST AUC, gradient boosting", 1),
    "c2st_logistic": ("weak C2ST AUC", 1),
    "tstr_auc": ("AUC", 1),
}


def null_case(result: dict[str, Any]) -> str:
    text = "## The benchmark's null case\n\n"
    text += f"{on(result['machine'])} `python scripts/benchmarks/null_case.py`\n\n"
    text += f"`genmodels benchmark` where the generator is {result['generator']}, on\n"
    text += f"{result['rows']} simulated rows, once for each of {len(result['seeds'])} seeds;\n"
    text += f'at least {result["needed"]} must say "no evidence".\n\n'
    said = ", ".join(f'"{words}" {count} times' for words, count in result["verdicts"].items())
    quiet = result["seeds without any verdict on an arm"]
    text += f"- The verdict: {said}.\n"
    return text + f"- Seeds in which no single arm was said to help or to harm: {quiet}.\n"


def selftest(result: list[dict[str, Any]]) -> str:
    text = "## Self-test of the figures\n\n`genmodels selftest metrics out=...`\n\n"
    text += (
        "`[x]` must be seen; ✗ seen (more than a quarter of the way from held-out real data to\n"
    )
    text += "the floor), + close to real data, · nothing to see.\n"
    for kind in result:
        cases = kind["cases"]
        figures = list(dict.fromkeys(name for case in cases for name in case["figures"]))
        header = [kind["title"], *(case["case"] for case in cases)]
        rows = [[name, *(_sign(case, name) for case in cases)] for name in figures]
        rows.append(["passed", *("yes" if case["passed"] else "**no**" for case in cases)])
        text += "\n" + table(header, rows)
    return text


def _sign(case: dict[str, Any], figure: str) -> str:
    sign = case["figures"].get(figure, "")
    must = any(figure.startswith(name) for name in case["must_be_seen_by"])
    return f"[{sign}]" if must else sign


def readme(board: dict[str, Any] | None, pictures: dict[str, Any] | None) -> None:
    text = README.read_text(encoding="utf-8")
    start, end = text.index("<!-- results -->"), text.index("<!-- /results -->")
    middle = "<!-- results -->\n"
    if board is not None:
        first = ["`tabvae`, defaults", "C2ST AUC", "shape error %", "trend error %", "TSTR (real)"]
        lines = summary_rows(board, "tabvae")
        middle += table([*first, "training s", "rows/s", "trainings"], lines)
    if pictures is not None:
        middle += "\n" + summary(pictures)
    README.write_text(text[:start] + middle + text[end:], encoding="utf-8")


def main() -> None:
    parts = ["# Results\n\nWritten by `python scripts/benchmarks/report.py`; do not edit.\n"]
    sections = {
        "leaderboard": boards,
        "conditional": conditional,
        "missingness": missingness,
        "rebalance": rebalance,
        "tabular": adult,
        "step": step,
        "sampling": sampling,
        "cost": cost,
        "delivery": delivery,
        "finance": finance,
        "health": health,
        "scenes": scenes,
        "augment": augmentation,
        "coverage": coverage,
        "streaming": streaming,
        "crash": crash,
        "codec": codec,
        "images": images,
        "imbalance": imbalance,
        "stacked": stacked,
        "bits": bits,
        "evaluation": evaluation,
        "null_case": null_case,
        "selftest": selftest,
    }
    for name, section in sections.items():
        result = load(name)
        if result is not None:
            remark = result.pop("note", None) if isinstance(result, dict) else None
            parts.append(section(result) + (f"\nNote: {remark}\n" if remark else ""))
    Path(HERE / "RESULTS.md").write_text("\n".join(parts), encoding="utf-8")
    tabular = load("tabular")
    if tabular is not None:
        readme(load("leaderboard"), load("images"))


if __name__ == "__main__":
    main()
