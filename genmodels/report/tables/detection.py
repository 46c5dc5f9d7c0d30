"""Section on the two-sample test: can a classifier tell synthetic rows from real ones?"""

from __future__ import annotations

from functools import partial

from genmodels.metrics.tables.detection import Detection, c2st
from genmodels.report.rows import Detail, Points, Row, Section
from genmodels.report.tables.parts import Parts, head

__all__ = ["detection"]

LEAST = 50  # rows a side without which a classifier tells nothing
BLIND = 0.6  # an area that rows enough would tell from one half


def detection(parts: Parts, *, rows: int, folds: int, remarks: list[str]) -> Section | None:
    """A strong classifier and the weak one of many papers, and what gives the rows away.

    Args:
        parts: the data.
        rows: at most so many a side.
        folds: of the cross-validation.
        remarks: told when there are too few rows; the section is None then.
    """
    n = min(parts.n, rows)
    if n < max(LEAST, 2 * folds):
        remarks.append(
            f"The two-sample test was skipped: it needs {max(LEAST, 2 * folds)} training, "
            f"held-out and synthetic rows, here are {n}."
        )
        return None
    test = partial(c2st, head(parts.holdout, n), seed=parts.seed, folds=folds)
    made, *others = parts.sides(n)
    strong = test(made, explain=True)
    weak, *weak_others = (test(side, learner="logistic") for side in (made, *others))
    found = (
        _row(
            parts, "C2ST AUC, gradient boosting", strong, [test(s) for s in others], _tell(strong)
        ),
        _row(
            parts,
            "weak C2ST AUC, logistic regression",
            weak,
            weak_others,
            "A weak test: it sees no interactions, so even independent columns pass. Many "
            'published "C2ST" figures are of this kind.',
            headline=False,
        ),
    )
    lines = tuple((g.column, g.alone, g.drop) for g in strong.giveaways)
    headers = ("column", "AUC of the column alone", "AUC lost without it")
    detail = Detail("What gives the synthetic rows away", headers, lines)
    text = (
        "A classifier learns to tell synthetic from held-out rows and is tested on rows that it "
        "has not seen. An area under the curve (AUC) of 0.5 says that it guesses, 1 that it is "
        "always right."
    )
    return Section("Can they be told apart?", text, found, (detail,))


def _row(
    parts: Parts,
    name: str,
    made: Detection,
    others: list[Detection],
    note: str,
    *,
    headline: bool = True,
) -> Row:
    return parts.row(
        "fidelity",
        name,
        Points(made.auc, *(other.auc for other in others)),
        "near",
        n=made.n,
        interval=made.interval,
        note=note,
        headline=headline,
        scale=0.5,
    )


def _tell(found: Detection) -> str:
    low, high = found.interval
    if low <= 0.5 and high > BLIND:
        return (
            f"A strong classifier cannot tell them apart, but with {found.n:,} rows a side it "
            f"would overlook an area of up to {high:.2f}."
        )
    if low <= 0.5:
        return "A strong classifier cannot tell them apart."
    names = ", ".join(
        repr(g.column) for g in found.giveaways[:3] if g.alone > 0.52 or g.drop > 0.01
    )
    return "A strong classifier tells them apart" + (f", first by {names}." if names else ".")
