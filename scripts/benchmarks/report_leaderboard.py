"""The leaderboard as Markdown: each table's models, with the targets beside the figures."""

from __future__ import annotations

from statistics import fmean, median
from typing import Any

from markdown import around, head, table
from tables import TABLES

__all__ = ["conditional", "leaderboard", "summary_rows", "untouched"]

COLUMNS = {
    "c2st_xgb": "C2ST AUC (XGBoost)",
    "shape_err%": "shape error %",
    "trend_err%": "trend error %",
    "tstr": "TSTR",
    "dcr_share": "DCR share",
    "copies": "copies",
}
# Largest C2ST AUC, shape and trend error; loss of TSTR against real rows (AUC, or share of RMSE);
# seconds of training; rows/s to Parquet.
TARGETS: dict[str, dict[str, float]] = {
    "adult": {"c2st_xgb": 0.51, "shape_err%": 0.65, "trend_err%": 1.35, "tstr": 0.005},
    "magic": {"c2st_xgb": 0.52, "shape_err%": 1.0, "trend_err%": 0.75, "tstr": 0.006},
    "bank_full": {"c2st_xgb": 0.51, "shape_err%": 0.5, "trend_err%": 0.85, "tstr": 0.005},
    "california_housing": {"c2st_xgb": 0.53, "shape_err%": 0.9, "trend_err%": 0.8, "tstr": 0.04},
    "king_house": {"c2st_xgb": 0.53, "shape_err%": 0.9, "trend_err%": 1.35, "tstr": 0.06},
}
SECONDS = {"king_house": 150}
RATE = {"adult": 100_000}
AGAINST_TEST_ROWS = ("tstr", "dcr_share")
"""Figures that compare with the test rows, and so say nothing of the test rows themselves."""
ABOUT = """\
One set of defaults for all tables; each seed is a training of its own. TSTR is the test AUC,
or RMSE, of XGBoost trained on the synthetic rows; real rows in brackets. **Bold**: the target is
missed. Seconds are those of the whole command; trainings beside other work count with their scores
alone. The row of the test rows is what another real sample scores; what is measured on the test
rows themselves (TSTR, DCR share) would say nothing of them, and is left blank. Copies are of
training rows: what real rows have by chance.
"""
NAMES = {
    "fresh": "test rows (fewer)",
    "bootstrap": "training rows, drawn again",
    "independent": "independent columns",
    "smote": "SMOTE",
    "argn": "TabularARGN",
}


def leaderboard(result: dict[str, Any]) -> str:
    text = head("Leaderboard", result["machine"], "leaderboard", scorer=True)
    text += ABOUT
    return text + "".join(
        _models(name, result["tables"][name]) for name in TABLES if name in result["tables"]
    )


def untouched(result: dict[str, Any]) -> str:
    """The tables on which nothing was chosen; empty when none was measured."""
    found = {name: of for name, of in result["tables"].items() if name not in TABLES}
    if not found:
        return ""
    text = "## Tables on which nothing was chosen\n\n"
    text += "`... python scripts/benchmarks/leaderboard.py --tables untouched`\n\n"
    text += "As above, with the same defaults, on tables that no default was ever looked at on.\n"
    text += "Rows with missing values are kept, and generators read dates as they are. The scorer\n"
    text += "sees a missing category as a level of its own, leaves a missing number out of shapes\n"
    text += "and takes the mean for it where it learns, and reads dates as numbers.\n"
    return text + "".join(_models(name, of) for name, of in found.items())


def _models(name: str, models: dict[str, Any]) -> str:
    """A table of models on one set of rows."""
    header = ["", *COLUMNS.values(), "training s", "MB", "rows/s to Parquet", "trainings"]
    targets = [_target(name)] if name in TARGETS else []
    rows = [*targets, *(_row(name, model, runs) for model, runs in models.items())]
    return f"\n### {name}\n\n{table(header, rows)}"


def summary_rows(result: dict[str, Any], model: str) -> list[list[str]]:
    """One line per table for one model, for the README."""
    rows = []
    for name, models in result["tables"].items():
        if name in TABLES and model in models:
            line = _row(name, model, models[model])
            rows.append([name, *line[1:5], line[7], line[9], line[10]])
    return rows


def _row(name: str, model: str, runs: list[dict[str, Any]]) -> list[str]:
    scores = [run["scores"] for run in runs if run["scores"]]
    line = [NAMES.get(model, f"`{model}`")]
    for key in COLUMNS:
        found = [_figure(score, key) for score in scores]
        blank = model == "fresh" and key in AGAINST_TEST_ROWS
        line.append("–" if blank else _shown(name, model, key, found, scores))
    seconds = [run["train_s"] for run in runs if "train_s" in run]
    memory = [run["peak_mb"] for run in runs if "peak_mb" in run]
    rates = [rate for run in runs for rate in run.get("rows_per_s_to_parquet", [])]
    line.append(_bold(f"{median(seconds):.0f}", _late(name, median(seconds)), model)
                if seconds else "")  # fmt: skip
    line.append(f"{max(memory):,}" if memory else "")
    slow = bool(rates) and name in TARGETS and median(rates) < RATE.get(name, 50_000)
    line.append(_bold(f"{median(rates):,.0f}", slow, model) if rates else "")
    return [*line, str(len(runs))]


def _late(name: str, seconds: float) -> bool:
    return name in TARGETS and seconds > SECONDS.get(name, 120)


def _figure(score: dict[str, float], key: str) -> float:
    if key == "tstr":
        return score.get("tstr_auc", score.get("tstr_rmse", float("nan")))
    return score[key]


def _shown(
    name: str, model: str, key: str, found: list[float], scores: list[dict[str, float]]
) -> str:
    if not found:
        return "not scored"
    mean, real, limits = fmean(found), float("nan"), TARGETS.get(name, {})
    digits = 2 if key.endswith("%") else 4 if key == "copies" else 3
    missed = mean > limits.get(key, float("inf"))
    if key == "tstr" and "tstr_rmse" in scores[0]:
        real = scores[0].get("trtr_rmse", float("nan"))
        digits, missed = (
            0 if real > 100 else 2,
            mean > real * (1 + limits.get("tstr", float("inf"))),
        )
    elif key == "tstr":
        real = scores[0].get("trtr_auc", float("nan"))
        missed = mean < real - limits.get("tstr", float("inf"))
    if key == "dcr_share":
        missed = bool(limits) and not 0.48 <= mean <= 0.52
    text = around(found, digits) + (f" ({real:,.{digits}f})" if key == "tstr" else "")
    return _bold(text, missed, model)


def _bold(text: str, missed: bool, model: str) -> str:
    return f"**{text}**" if missed and model == "tabvae" else text


def _target(name: str) -> list[str]:
    wanted = TARGETS[name]
    unit = (
        f"{wanted['tstr']:.0%} of real" if wanted["tstr"] >= 0.03 else f"{wanted['tstr']} of real"
    )
    limits = [f"≤ {wanted[key]}" for key in ("c2st_xgb", "shape_err%", "trend_err%")]
    return [
        "*target*", *limits, f"within {unit}", "0.48-0.52", "as real",
        f"≤ {SECONDS.get(name, 120)}", "", f"≥ {RATE.get(name, 50_000):,}", "3",
    ]  # fmt: skip


def conditional(result: dict[str, Any]) -> str:
    """Strata and missing values as Markdown."""
    text = head("Rows drawn on a condition", result["machine"], "conditional")
    text += (
        "C2ST AUC (XGBoost) of real rows of a stratum against as many drawn with `given`, and of\n"
    )
    text += "one random half of the real rows against the other. 0.5 is best.\n\n"
    rows = [
        [
            row["table"],
            f"`{row['stratum'].replace('`', '')}`",
            f"{row['rows']:,}",
            "yes" if row["all_rows_meet_it"] else "**no**",
            f"{row['c2st']:.3f}",
            f"{row['c2st_real_halves']:.3f}",
            f"{row['rows_per_s']:,}",
        ]
        for row in result["strata"]
    ]
    header = ["", "stratum", "rows", "all meet it", "drawn", "real halves", "rows/s"]
    text += table(header, rows) + "\nShare of rows without a value, by the target's level:\n\n"
    lines = [
        [
            case["table"],
            f"{case['column']} by {case['target']} = {level}",
            f"{share:.3f}",
            f"{case['synthetic'].get(level, float('nan')):.3f}",
        ]
        for case in result["missing"]
        for level, share in case["real"].items()
    ]
    return text + table(["", "", "real", "synthetic"], lines)
