"""Missing values and rare classes as Markdown."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from markdown import around, head, machines, short, table

__all__ = ["missingness", "rebalance"]

FIGURES = {
    "share_largest": "share missing, largest difference",
    "share_mean": "mean",
    "phi_largest": "phi of pairs, largest difference",
    "phi_mean": "mean",
    "target_mean": "target when missing, mean difference",
    "target_mean_to_learned": "to the training rows",
    "target_beyond_2_se": "columns beyond 2 SE",
    "c2st_gaps_alone": "C2ST of the indicators",
    "c2st": "with the target",
}


def missingness(result: dict[str, Any]) -> str:
    entries = [run for runs in result["tables"].values() for run in runs]
    text = head("Structure of missing values", machines(result, entries), "missingness")
    text += (
        "`tabvae` with its defaults on half of the rows of a table; synthetic rows are compared\n"
    )
    text += "with a quarter that training never saw, and the last quarter of the real rows, too:\n"
    text += "what is to be had. Share: of missing values per column. Phi: correlation of the\n"
    text += "indicators of two columns. Target: its rate (in a regression its mean, in standard\n"
    text += "deviations) where a column is missing minus where it is not; its difference to the\n"
    text += (
        "same in real rows, over the columns with 20 rows on both sides, and to the same in the\n"
    )
    text += "training rows. The error of a difference to unseen rows holds that of the training\n"
    text += "rows, whose chances a model repeats; two of 40 columns are beyond two such errors by\n"
    text += "chance. Where no figure to the training rows stands, the error is without theirs.\n"
    text += "C2ST: AUC of XGBoost, 0.5 is best.\n\n"
    rows = []
    for name, runs in result["tables"].items():
        facts = f"{runs[0]['rows']:,} rows, {runs[0]['columns']} columns, {runs[0]['missing']:.0%}"
        for who, label in (("synthetic", "`tabvae`"), ("fresh", "real rows")):
            cells = [_cell(key, [run[who] for run in runs]) for key in FIGURES]
            rows.append([name if who == "synthetic" else "", facts, label, *cells])
            facts = ""
    header = ["", "training rows, columns with missing values, their share", ""]
    return text + table([*header, *FIGURES.values()], rows)


def _cell(key: str, found: list[dict[str, Any]]) -> str:
    values = [run[key] for run in found if run.get(key) is not None]
    if not values:
        return "–"
    if key == "target_beyond_2_se":
        return f"{fmean(values):g} of {fmean(run['target_columns'] for run in found):g}"
    return around(values, 3)


def rebalance(result: dict[str, Any]) -> str:
    where = machines(result, result["tables"].values())
    text = head("Rare classes: do synthetic rows help?", where, "rebalance")
    text += (
        "`genmodels benchmark model=tabvae`: trained inside each split on its training rows, and\n"
    )
    text += 'given the rare class for "real + synthetic rare". Real test rows; the interval is\n'
    text += (
        "adjusted for all comparisons; a verdict is against the best way without synthetic rows.\n"
    )
    for name, entry in result["tables"].items():
        text += f"\n### {name}, {entry['repeats']} splits\n\n" + " ".join(entry["answer"]) + "\n\n"
        verdicts = entry["verdicts"]
        judged = {tuple(line[:2]): line[3:] for line in verdicts["lines"]}
        place = entry["scores"]["headers"].index(entry["facts"]["decided by"])
        rows = [
            [*line[:2], f"{line[place]:.4f}", *map(short, judged.get(tuple(line[:2]), [""] * 5))]
            for line in entry["scores"]["lines"]
        ]
        text += table([*verdicts["headers"]], rows)
    return text
