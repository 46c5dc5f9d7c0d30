"""Section of a bias audit: how models that learnt from each data set treat real groups.

Models learn from training rows, synthetic rows, both (hybrid), and copies of training rows; all
are tested on the same held-out real rows. None learns from independent columns: it would know
nothing, and treat groups alike or not by chance, which is no reference point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import stdtrit

from genmodels.metrics.groups.decisions import Predictions, learn_and_predict
from genmodels.metrics.groups.outcomes import Outcome
from genmodels.metrics.groups.parity import around, bootstrap_sd, joint_counts, of_model, parity
from genmodels.metrics.groups.representation import quantile
from genmodels.metrics.learning.learners import LearnerName
from genmodels.metrics.tables.views import TableView
from genmodels.report.bias.cohorts import Cohort
from genmodels.report.rows import Cell, Detail, Points, Row
from genmodels.report.tables.parts import Parts, head

__all__ = ["FIGURES", "Models", "learn", "parity_detail", "parity_row", "stacked"]

NAMES = ("real", "synthetic", "hybrid", "copies")
REPEATS = 500
FIGURES = {
    "equalised_odds_difference": "equalised odds difference",
    "equal_opportunity_difference": "equal opportunity difference",
    "demographic_parity_difference": "demographic parity difference",
    "demographic_parity_ratio": "demographic parity ratio",
}
MEANINGS = {
    "equalised_odds_difference": "The largest difference between two groups in how often a model "
    "says yes to those who have the outcome, or to those who do not; 0 = none.",
    "equal_opportunity_difference": "The largest difference between two groups in how often a "
    "model says yes to those who have the outcome; 0 = none.",
    "demographic_parity_difference": "The largest difference between two groups in how often a "
    "model says yes; real groups may differ in the outcome itself.",
    "demographic_parity_ratio": "How often a model says yes in the least chosen group, by the most "
    "chosen one; 1 = alike.",
}
SCALES = dict.fromkeys(FIGURES, 0.3)


@dataclass(frozen=True, eq=False)
class Models:
    """Predictions of all models for the same test rows.

    Args:
        outcome: what they predict.
        test: held-out real rows with a known outcome.
        truth: outcome of each test row, shape (N,).
        made: by name; None where a model had nothing to learn from.
        again: of models that learnt from other draws of training rows: how much the chance of
            training alone does.
        rows: that each model learnt from (hybrid: twice as many).
    """

    outcome: Outcome
    test: TableView
    truth: np.ndarray
    made: dict[str, Predictions | None]
    again: list[Predictions]
    rows: int

    @property
    def names(self) -> list[str]:
        return [name for name, made in self.made.items() if made is not None]

    def joint(self, cohort: Cohort) -> np.ndarray:
        """Counts of group, truth and all decisions, see `joint_counts`."""
        decided = np.array([made.decided for made in self.made.values() if made is not None])
        return joint_counts(cohort.codes(self.test), self.truth > 0.5, decided, len(cohort))

    def alone(self, cohort: Cohort, made: Predictions) -> np.ndarray:
        """Counts of group, truth and the decisions of one model."""
        decided = made.decided[None]
        return joint_counts(cohort.codes(self.test), self.truth > 0.5, decided, len(cohort))

    def scores(self, name: str) -> np.ndarray:
        made = self.made[name]
        assert made is not None
        return made.score


def learn(
    parts: Parts,
    outcome: Outcome,
    *,
    rows: int,
    learner: LearnerName,
    repeats: int,
    blind: Sequence[str] = (),
    names: Sequence[str] = NAMES,
) -> Models | None:
    """Train the models; None when the outcome is known in no held-out row or the reals fail.

    Args:
        parts: the data.
        outcome: what to predict.
        rows: at most so many to learn from, and to test on.
        learner: see `learners.make_learner`.
        repeats: how often more the model of real rows is trained, each time on training rows
            drawn with replacement.
        blind: columns that the models do not see.
        names: which models.
    """
    n = min(len(parts.train), len(parts.synthetic), rows)
    test = head(parts.holdout, rows)
    truth = outcome(test)
    known = np.flatnonzero(~np.isnan(truth))
    test, truth = test.take(known), truth[known]
    if not len(known):
        return None
    synthetic, real, _, copies = parts.sides(n)
    sides = {
        "real": real,
        "synthetic": synthetic,
        "hybrid": stacked(real, synthetic),
        "copies": copies,
    }
    fit = partial(
        learn_and_predict, outcome, test=test, learner=learner, seed=parts.seed,
        without=tuple(blind),
    )  # fmt: skip
    made = {name: fit(train=sides[name]) for name in names}
    if made["real"] is None or made["synthetic"] is None:
        return None
    rng = np.random.default_rng([parts.seed, 143])
    drawn = [real.take(rng.integers(0, len(real), len(real))) for _ in range(repeats)]
    again = [found for found in (fit(train=view) for view in drawn) if found is not None]
    return Models(outcome, test, truth, made, again, n)


def stacked(a: TableView, b: TableView) -> TableView:
    """The rows of two views in turns, so that any cut of them holds both."""
    order = np.argsort(np.concatenate([np.arange(len(a)), np.arange(len(b))]), kind="stable")
    both = TableView(
        a.numeric,
        np.concatenate([a.numbers, b.numbers]),
        a.discrete,
        np.concatenate([a.codes, b.codes]),
        a.levels,
    )
    return both.take(order)


def parity_row(
    parts: Parts,
    models: Models,
    cohort: Cohort,
    figure: str,
    *,
    cases: int,
    headline: bool,
) -> Row | None:
    """One figure of the models trained on each data set; None with fewer than two groups.

    Args:
        parts: the data.
        models: what they decided.
        cohort: the groups.
        figure: a key of `FIGURES`.
        cases: TPR and FPR count in groups with at least so many positives or negatives.
        headline: whether the summary may speak of it.
    """
    found = _figures(parts, models, cohort, figure, cases)
    value, sd = found["synthetic"]
    sd = max(sd, found["synthetic - real"][1])
    # Two models are compared, and each had its luck.
    sd = float(np.hypot(sd, 2**0.5 * _training_sd(models, cohort, figure, cases)))
    if not np.isfinite(value):
        return None
    real, copies = (found.get(name, (float("nan"), 0.0))[0] for name in ("real", "copies"))
    ratio = figure.endswith("ratio")
    return parts.row(
        "bias",
        f"{FIGURES[figure]}, {cohort.name}: {models.outcome.label}, trained on synthetic",
        Points(value, _known(real), None, _known(copies)),
        "higher" if ratio else "lower",
        n=len(models.test),
        interval=around(value, sd, 0.0, 1.0),
        note=MEANINGS[figure],
        headline=headline,
        scale=SCALES[figure],
    )


def parity_detail(parts: Parts, models: Models, cohorts: Sequence[Cohort], *, cases: int) -> Detail:
    """All parity figures for real, synthetic and hybrid training, and the paired difference."""
    lines: list[tuple[Cell, ...]] = []
    for cohort in cohorts:
        for figure, text in FIGURES.items():
            found = _figures(parts, models, cohort, figure, cases)
            value, sd = found["synthetic - real"]
            if not np.isfinite(value):
                continue
            shown: list[Cell] = []
            for name in ("real", "synthetic", "hybrid"):
                shown += [found[name][0], _range(*around(*found[name], 0.0, 1.0))]
            lines.append((cohort.name, text, *shown, value, _range(*around(value, sd))))
    headers = (
        "groups", "figure", "trained on real", "95 % interval", "on synthetic", "95 % interval",
        "on both", "95 % interval", "synthetic - real", "95 % interval",
    )  # fmt: skip
    return Detail("Parity of decisions about held-out real rows", headers, tuple(lines))


def _figures(
    parts: Parts, models: Models, cohort: Cohort, figure: str, cases: int
) -> dict[str, tuple[float, float]]:
    """Value and standard deviation of each model, and of "synthetic - real"."""
    joint = models.joint(cohort)
    enough = joint.sum(-1) >= cases
    own, paired = bootstrap_sd(joint, figure, enough=enough, repeats=REPEATS, seed=parts.seed)
    values = [
        float(getattr(parity(of_model(joint, m), enough), figure)) for m in range(len(models.names))
    ]
    out = {n: (v, float(s)) for n, v, s in zip(models.names, values, own, strict=True)}
    k = models.names.index("synthetic")
    out["synthetic - real"] = (values[k] - values[0], float(paired[k]))
    return out


def _training_sd(models: Models, cohort: Cohort, figure: str, cases: int) -> float:
    """Standard deviation of a figure over models that learnt from other draws of rows.

    Of k models it is too small too often; it is raised by t / z, the quantiles of Student's
    distribution with k - 1 degrees of freedom and of the normal one.
    """
    values = []
    for made in models.again:
        counts = models.alone(cohort, made)
        values.append(float(getattr(parity(counts, counts.sum(-1) >= cases), figure)))
    known = [x for x in values if np.isfinite(x)]
    if len(known) < 2:
        return 0.0
    return float(np.std(known, ddof=1)) * float(stdtrit(len(known) - 1, 0.975)) / quantile(1)


def _known(x: float) -> float | None:
    return x if np.isfinite(x) else None


def _range(low: float, high: float) -> str:
    return f"{low:.3g} to {high:.3g}" if np.isfinite([low, high]).all() else "-"
