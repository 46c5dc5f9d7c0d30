"""Section of a bias audit: how well a sensitive attribute can be guessed from the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genmodels.metrics.intervals import auc, bootstrap
from genmodels.metrics.learning.learners import Kind, LearnerName, make_learner
from genmodels.metrics.tables.giveaways import single_column_auc
from genmodels.metrics.tables.memorisation import row_hashes
from genmodels.metrics.tables.trees import TreeFeatures
from genmodels.metrics.tables.views import TableView
from genmodels.report.bias.cohorts import Cohort
from genmodels.report.rows import Detail, Points, Row, Section
from genmodels.report.tables.parts import Parts, head

__all__ = ["macro_auc", "proxies"]

REPEATS = 100


def proxies(
    parts: Parts,
    cohorts: Sequence[Cohort],
    *,
    target: str | None,
    rows: int,
    learner: LearnerName,
    listed: int,
) -> Section | None:
    """How well each sensitive attribute is predicted from all others but the target.

    Args:
        parts: the data.
        cohorts: those of single attributes with at least two groups are looked at.
        target: column that is left out.
        rows: to learn from, and to test on.
        learner: see `learners.make_learner`.
        listed: proxies that are listed for each attribute.
    """
    found, details = [], []
    for cohort in cohorts:
        if not cohort.single:
            continue
        without = {cohort.name} | ({target} if target else set())
        if not set(parts.train.names) - without:
            continue
        row = _row(parts, cohort, without, rows, learner)
        if row is not None:
            found.append(row)
            details.append(_strongest(parts, cohort, without, rows, listed))
    if not found:
        return None
    text = (
        "A model guesses the sensitive attribute from all other columns but the target: 0.5 = it "
        "cannot, 1 = always. Where it can, leaving the attribute out does not blind a model. A "
        "synthetic figure above the real one means that proxies were sharpened, below it that the "
        "group was blurred."
    )
    return Section("Do other columns give the group away?", text, tuple(found), tuple(details))


def macro_auc(codes: np.ndarray, chance: np.ndarray) -> float:
    """Mean over the classes that occur of the AUC of each against the rest.

    Args:
        codes: class of each row in [0, K), shape (N,).
        chance: of each class, shape (N, K).
    """
    areas = [auc(codes == k, chance[:, k]) for k in np.unique(codes) if (codes != k).any()]
    return float(np.mean(areas)) if areas else 0.5


def _row(
    parts: Parts, cohort: Cohort, without: set[str], rows: int, learner: LearnerName
) -> Row | None:
    """Learnt from and tested on disjoint rows of one data set; real: training and held-out."""
    n = min(rows, len(parts.train), len(parts.holdout), len(parts.synthetic) // 2)
    made = parts.synthetic
    pairs = (
        (head(made, n), made.take(np.arange(n, 2 * n))),
        (head(parts.train, n), head(parts.holdout, n)),
    )
    tested = [_guess(cohort, a, b, without, learner, parts.seed) for a, b in pairs]
    if tested[0] is None or tested[1] is None:
        return None
    codes, chance = tested[0]
    interval = bootstrap(
        lambda kept: macro_auc(codes[kept], chance[kept]), len(codes), seed=parts.seed,
        repeats=REPEATS,
    )  # fmt: skip
    return parts.row(
        "bias",
        f"guessing the group, {cohort.name}: AUC from the other columns",
        Points(macro_auc(codes, chance), macro_auc(*tested[1]), 0.5),
        "near",
        n=len(codes),
        interval=interval,
        note="Independent columns cannot tell: 0.5 by definition.",
        headline=False,
        scale=0.5,
    )


def _guess(
    cohort: Cohort,
    train: TableView,
    test: TableView,
    without: set[str],
    learner: LearnerName,
    seed: int,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Group of each test row and the chance of each group; None with a single group."""
    sides = _less(train, without), _less(test, without)
    y, truth = cohort.codes(train), cohort.codes(test)
    # A row that was learnt from is no test: copies would make any attribute easy to guess.
    fresh = ~np.isin(row_hashes(test), row_hashes(train))
    known, asked = np.flatnonzero(y >= 0), np.flatnonzero((truth >= 0) & fresh)
    if len(np.unique(y[known])) < 2 or len(np.unique(truth[asked])) < 2:
        return None
    features = TreeFeatures.fit(sides[0])
    kind: Kind = "multiclass" if len(cohort) > 2 else "binary"
    model = make_learner(learner, kind, features, seed, classes=len(cohort))
    model.fit(features(sides[0])[known], y[known])
    return truth[asked], model.predict_proba(features(sides[1])[asked])


def _less(view: TableView, without: set[str]) -> TableView:
    return view.only(set(view.names) - without)


def _strongest(parts: Parts, cohort: Cohort, without: set[str], rows: int, listed: int) -> Detail:
    """What one column alone tells, in real and in synthetic rows."""
    n = min(rows, len(parts.holdout), len(parts.synthetic))
    names = _less(head(parts.holdout, 1), without).names
    real = _alone(cohort, head(parts.holdout, n), without)
    made = _alone(cohort, head(parts.synthetic, n), without)
    order = np.argsort(-np.maximum(real, made), kind="stable")[:listed]
    lines = tuple((names[c], float(real[c]), float(made[c])) for c in order)
    title = f"{cohort.name}: its strongest proxies (AUC of one column alone, mean over groups)"
    return Detail(title, ("column", "held-out real", "synthetic"), lines)


def _alone(cohort: Cohort, view: TableView, without: set[str]) -> np.ndarray:
    """AUC of each single column, mean over groups, learnt on every other row; shape (C,)."""
    codes = cohort.codes(view)
    kept = view.take(np.flatnonzero(codes >= 0))
    codes = codes[codes >= 0]
    rest = _less(kept, without)
    held = np.arange(len(rest)) % 2 == 0
    columns = [(rest.numbers[:, f], False) for f in range(len(rest.numeric))]
    columns += [(rest.codes[:, q], True) for q in range(len(rest.discrete))]
    groups = [g for g in np.unique(codes) if 0 < (codes[held] == g).sum() < held.sum()]
    if not groups:
        return np.full(len(columns), 0.5)
    return np.array(
        [
            np.mean([single_column_auc(values, codes == g, held, kind) for g in groups])
            for values, kind in columns
        ]
    )
