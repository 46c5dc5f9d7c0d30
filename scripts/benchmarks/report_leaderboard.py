"""The leaderboard as Markdown: each table's models, with the targets beside the figures."""

from __future__ import annotations

from statistics import fmean, median
from typing import Any

from markdown import around, head, machines, on, table
from tables import EVERY, TABLES

__all__ = ["conditional", "leaderboard", "published", "summary_rows", "untouched"]

COLUMNS = {
    "c2st_xgb": "C2ST AUC (XGBoost)",
    "shape_err%": "shape error %",
    "trend_err%": "trend error %",
    "tstr": "TSTR",
    "dcr_share": "DCR share",
    "copies": "copies",
}
# Largest C2ST AUC, shape and trend error, and loss of TSTR against real rows (AUC, or share of
# RMSE); for other tables C2ST_LIMIT, TIMES_FRESH and LOSS. Times are in SECONDS and RATE.
TARGETS: dict[str, dict[str, float]] = {
    "adult": {"c2st_xgb": 0.51, "shape_err%": 0.65, "trend_err%": 1.35, "tstr": 0.005},
    "magic": {"c2st_xgb": 0.52, "shape_err%": 1.0, "trend_err%": 0.75, "tstr": 0.006},
    "bank_full": {"c2st_xgb": 0.51, "shape_err%": 0.5, "trend_err%": 0.85, "tstr": 0.005},
    "california_housing": {"c2st_xgb": 0.53, "shape_err%": 0.9, "trend_err%": 0.8, "tstr": 0.04},
    "king_house": {"c2st_xgb": 0.53, "shape_err%": 0.9, "trend_err%": 1.35, "tstr": 0.06},
}
C2ST_LIMIT = 0.55
TIMES_FRESH = 1.25
"""Shape and trend error that a table without targets of its own may have, in fresh samples'."""
LOSS = {"classification": 0.008, "regression": 0.06}
SECONDS = dict.fromkeys(TABLES, 120) | {"king_house": 150}
RATE = {"adult": 100_000}
DEFAULT_RATE = 50_000
DCR = (0.48, 0.52)
COPIES_FROM = 5000
"""Synthetic rows, at most, among which the scorer looks for copies."""
AGAINST_TEST_ROWS = ("tstr", "dcr_share")
"""Figures that compare with the test rows, and so say nothing of the test rows themselves."""
ABOUT = """\
One set of defaults for all tables; each seed is a training of its own. TSTR is the test AUC,
or RMSE, of XGBoost trained on the synthetic rows; real rows in brackets. **Bold**: the target is
missed. Seconds are those of the whole command; trainings beside other work count with their scores
alone. The row of the test rows is what another real sample scores; what is measured on the test
rows themselves (TSTR, DCR share) would say nothing of them, and is left blank. A fresh sample, from
halves: what another real sample of as many rows as the training has would score, from one half of
the training rows against the other, over the square root of two. Copies are of training rows, the
target what test rows have by chance; missed beyond two standard errors of the difference.
"""
NAMES = {
    "fresh": "test rows (fewer)",
    "halves": "a fresh sample, from halves",
    "bootstrap": "training rows, drawn again",
    "independent": "independent columns",
    "smote": "SMOTE",
    "argn": "TabularARGN",
    "tabvae-pin": "`tabvae`, extremes pinned",
    "tabvae-marginal": "`tabvae`, margins calibrated",
}


PUBLISHED = """\
Shape and trend are the definitions behind the published figures (TabSyn, ICLR 2024; SDMetrics
0.11.1): the ten bins of a number span each table's own range, while the trend error further up
takes the bins of the real table for both. Not comparable are C2ST (the plain AUC of a logistic
regression, 0.5 is best; papers print a score made of another preparation and other folds), TSTR
(other learners and another preparation), and tables but `adult` and `magic`, which TabSyn does not
have; published means are over draws of one training, these over trainings.
"""


def leaderboard(result: dict[str, Any]) -> str:
    entries = [run for of in result["tables"].values() for runs in of.values() for run in runs]
    timed = machines(result, [run for run in entries if "train_s" in run])
    text = head("Leaderboard", timed, "leaderboard", scorer=True)
    others = [one for one in machines(result, entries) if on(one) not in map(on, timed)]
    if others:
        text += f"All times are from there; scores without times: {on(others)}\n\n"
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
    text += "As above, with the same defaults, on tables that no default was ever looked at on,\n"
    text += "but for two lessons: `telco_churn` showed that numbers must keep to their lattice\n"
    text += "(0.05), and `nyc_taxis` that ends of spans and totals must be learned as distances\n"
    text += "(before: C2ST 0.589, RMSE 3.20). Both say less of what is new to the defaults since.\n"
    text += "Rows with missing values are kept, and generators read dates as they are. The scorer\n"
    text += "sees a missing category as a level of its own, leaves a missing number out of shapes\n"
    text += "and takes the mean for it where it learns, and reads dates as numbers. Targets of\n"
    text += f"shape and trend are {TIMES_FRESH} times what a fresh sample scores.\n"
    return text + "".join(_models(name, of) for name, of in found.items())


def published(result: dict[str, Any]) -> str:
    """`tabvae` by the definitions of published tables; empty when it was not measured."""
    keys = {"shape_err%": 2, "trend_paper%": 2, "c2st_logistic": 3}
    rows = []
    for name, models in result["tables"].items():
        scores = [run["scores"] for run in models.get("tabvae", []) if run["scores"]]
        fresh = [run["scores"] for run in models.get("halves", []) if run["scores"]]
        if scores:
            floor = [_averaged(fresh, key, 2) for key in ("shape_err%", "trend_paper%")]
            cells = [_averaged(scores, key, digits) for key, digits in keys.items()]
            rows.append([name, *cells, *floor, len(scores)])
    if not rows:
        return ""
    header = ["`tabvae`", "shape error %", "trend error %, own bins", "C2ST AUC (logistic)"]
    header += ["a fresh sample's shape", "trend, own bins", "trainings"]
    return f"## In the terms of published tables\n\n{PUBLISHED}\n{table(header, rows)}"


def _averaged(scores: list[dict[str, float]], key: str, digits: int) -> str:
    found = [score[key] for score in scores if key in score]
    return around(found, digits) if found else "–"


def _models(name: str, models: dict[str, Any]) -> str:
    """A table of models on one set of rows."""
    header = ["", *COLUMNS.values(), "training s", "MB", "rows/s to Parquet", "trainings"]
    limits = _limits(name, models)
    rows = [_target(name, limits), *(_row(limits, model, runs) for model, runs in models.items())]
    return f"\n### {name}\n\n{table(header, rows)}"


def summary_rows(result: dict[str, Any], model: str) -> list[list[str]]:
    """One line per table for one model, for the README."""
    rows = []
    for name, models in result["tables"].items():
        if name in TABLES and model in models:
            line = _row(_limits(name, models), model, models[model])
            rows.append([name, *line[1:5], line[7], line[9], line[10]])
    return rows


def _limits(name: str, models: dict[str, Any]) -> dict[str, float]:
    """What a table's figures are judged by; what was not measured sets no limit.

    Beside the keys of `TARGETS`: seconds, rate, and what test rows have of copies, with how many
    of them were looked at.
    """
    found = {"c2st_xgb": C2ST_LIMIT, "tstr": LOSS[EVERY[name].task]}
    halves, fresh = (
        next((run["scores"] for run in models.get(kind, []) if run["scores"]), None)
        for kind in ("halves", "fresh")
    )
    if halves:  # rounded, so that what is shown is what is judged
        fair = ("shape_err%", "trend_err%")
        found |= {key: round(TIMES_FRESH * halves[key], 2) for key in fair}
    found |= TARGETS.get(name, {})
    if fresh:
        found |= {"copies": fresh["copies"], "copies_from": _searched(fresh)}
    if name in SECONDS:
        found["seconds"] = SECONDS[name]
    return found | {"rate": RATE.get(name, DEFAULT_RATE)}


def _searched(score: dict[str, float]) -> float:
    """Synthetic rows among which the scorer looked for copies."""
    return min(score["rows"], COPIES_FROM)


def _row(limits: dict[str, float], model: str, runs: list[dict[str, Any]]) -> list[str]:
    scores = [run["scores"] for run in runs if run["scores"]]
    line = [NAMES.get(model, f"`{model}`")]
    for key in COLUMNS:
        blank = model == "fresh" and key in AGAINST_TEST_ROWS
        line.append("–" if blank else _shown(limits, model, key, scores))
    seconds = [run["train_s"] for run in runs if "train_s" in run]
    memory = [run["peak_mb"] for run in runs if "peak_mb" in run]
    rates = [rate for run in runs for rate in run.get("rows_per_s_to_parquet", [])]
    late = bool(seconds) and median(seconds) > limits.get("seconds", float("inf"))
    line.append(_bold(f"{median(seconds):.0f}", late, model) if seconds else "")
    line.append(f"{max(memory):,}" if memory else "")
    slow = bool(rates) and median(rates) < limits["rate"]
    line.append(_bold(f"{median(rates):,.0f}", slow, model) if rates else "")
    splits = runs[0].get("splits")
    return [*line, f"{splits} splits" if splits else str(len(runs))]


def _figure(score: dict[str, float], key: str) -> float | None:
    if key == "tstr":
        return score.get("tstr_auc", score.get("tstr_rmse"))
    return score.get(key)


def _shown(limits: dict[str, float], model: str, key: str, scores: list[dict[str, float]]) -> str:
    """A figure over the trainings, bold where the model misses its limit."""
    if not scores:
        return "not scored"
    found = [value for score in scores if (value := _figure(score, key)) is not None]
    if not found:
        return "–"
    if key == "tstr":
        return _shown_tstr(limits, model, found, scores[0])
    mean = fmean(found)
    missed = mean > limits.get(key, float("inf"))
    if key == "dcr_share":
        missed = not DCR[0] <= mean <= DCR[1]
    if key == "copies":
        missed = _beyond_chance(mean, sum(map(_searched, scores)), limits)
    digits = 2 if key.endswith("%") else 4 if key == "copies" else 3
    return _bold(around(found, digits), missed, model)


def _shown_tstr(
    limits: dict[str, float], model: str, found: list[float], score: dict[str, float]
) -> str:
    """TSTR, with the same of real rows in brackets."""
    mean, nothing = fmean(found), float("nan")
    if "tstr_rmse" in score:
        real = score.get("trtr_rmse", nothing)
        digits, missed = 0 if real > 100 else 2, mean > real * (1 + limits["tstr"])
    else:
        real = score.get("trtr_auc", nothing)
        digits, missed = 3, mean < real - limits["tstr"]
    return _bold(f"{around(found, digits)} ({real:,.{digits}f})", missed, model)


def _beyond_chance(share: float, rows: float, limits: dict[str, float]) -> bool:
    """Whether there are more copies than test rows have, by two standard errors."""
    if "copies" not in limits:
        return False
    theirs, of = limits["copies"], limits["copies_from"]
    pooled = (share * rows + theirs * of) / (rows + of)
    error = (pooled * (1 - pooled) * (1 / rows + 1 / of)) ** 0.5
    return share - theirs > 2 * error


def _bold(text: str, missed: bool, model: str) -> str:
    return f"**{text}**" if missed and model == "tabvae" else text


def _target(name: str, limits: dict[str, float]) -> list[str]:
    loss = limits["tstr"]
    near = f"within {f'{loss:.0%}' if EVERY[name].task == 'regression' else loss} of real"
    errors = [
        f"≤ {limits[key]}" if key in limits else f"≤ {TIMES_FRESH} x fresh"
        for key in ("shape_err%", "trend_err%")
    ]
    copies = f"as real: {limits['copies']:.4f}" if "copies" in limits else "as real"
    seconds = f"≤ {limits['seconds']}" if "seconds" in limits else ""
    return [
        "*target*", f"≤ {limits['c2st_xgb']}", *errors, near, f"{DCR[0]}-{DCR[1]}", copies,
        seconds, "", f"≥ {limits['rate']:,}", "3",
    ]  # fmt: skip


def conditional(result: dict[str, Any]) -> str:
    """Strata and missing values as Markdown."""
    text = head("Rows drawn on a condition", result["machine"], "conditional")
    text += (
        "C2ST AUC (XGBoost) of a random half of the real rows of a stratum against as many drawn\n"
    )
    text += "with `given`, and against the other half. 0.5 is best. The real rows are those that\n"
    text += (
        "the model was trained on. Where the number judged for the halves is apart, drawn rows\n"
    )
    text += "were judged on twice as many, with less noise.\n\n"
    rows = [
        [
            row["table"],
            f"`{row['stratum'].replace('`', '')}`",
            f"{row['rows']:,}",
            _judged(row),
            "yes" if row["all_rows_meet_it"] else "**no**",
            f"{row['c2st']:.3f}",
            f"{row['c2st_real_halves']:.3f}",
            f"{row['rows_per_s']:,}",
        ]
        for row in result["strata"]
    ]
    header = [
        "",
        "stratum",
        "rows",
        "judged a side",
        "all meet it",
        "drawn",
        "real halves",
        "rows/s",
    ]
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


def _judged(row: dict[str, Any]) -> str:
    """Rows on each side of the judgements; older results have another number for the halves."""
    if "compared" in row:
        return f"{row['compared']:,}"
    return f"{row['rows']:,} (halves: {row['rows'] // 2:,})"
