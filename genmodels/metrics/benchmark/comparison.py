"""Is one way of training better than others? Paired over repeated splits, corrected, adjusted.

Scores of repeated splits are not independent, as the splits share rows: Nadeau and Bengio's
variance says so. An arm is compared with the *best* of several simple arms without choosing one
of them by its test scores: it helps if it beats every one of them, and it harms if one of them
beats it. Many arms are judged at once: Holm's step-down keeps the chance of any false verdict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import t as student

__all__ = [
    "Contrast",
    "Judgement",
    "Verdict",
    "corrected_error",
    "holm",
    "holm_levels",
    "judge",
]

Verdict = Literal["helps", "no evidence", "harms"]
TIE = 1e-12
"""Differences below it are rounding."""


def corrected_error(differences: np.ndarray, ratio: float) -> float:
    """Standard error of a mean over repeated splits of the same rows.

    sqrt((1/k + n_test/n_train) s^2), with s^2 the variance of the k differences

    Args:
        differences: one per split, shape (K,), K at least 2.
        ratio: n_test / n_train of a split.

    References:
        Nadeau and Bengio, Inference for the generalization error, 2003, section 4 (the corrected
        resampled t-test).
    """
    k = len(differences)
    if k < 2:
        raise ValueError(f"a comparison needs at least 2 splits, got {k}")
    return math.sqrt((1 / k + ratio) * float(np.var(differences, ddof=1)))


@dataclass(frozen=True, eq=False)
class Contrast:
    """One arm against the best of J others, on K paired splits.

    With d_j the mean difference to arm j and d = min_j d_j, the difference to the best of them:
    low = min_j (d_j - t[1 - a/2] e_j), high = min_j (d_j + t[1 - a/2J] e_j), e_j from
    `corrected_error`, t with K - 1 degrees of freedom. d is covered with probability 1 - a
    whichever arm is best: the lower end needs no correction (it must hold for the best arm, which
    is one of them), the upper end pays for J.

    Args:
        means: mean differences, in the direction in which more is better, shape (J,).
        errors: their corrected standard errors, shape (J,).
        splits: K.

    References:
        Berger, Multiparameter hypothesis testing and acceptance sampling, 1982 (intersection-union
        tests); Hsu, Constrained simultaneous confidence intervals for multiple comparisons with
        the best, 1984.
    """

    means: np.ndarray
    errors: np.ndarray
    splits: int

    @classmethod
    def of(cls, scores: np.ndarray, others: Mapping[str, np.ndarray], ratio: float) -> Contrast:
        """From one score per split (K,) of the arm and of each of the others; more is better."""
        differences = [scores - other for other in others.values()]
        means = np.array([float(d.mean()) for d in differences])
        errors = np.array([corrected_error(d, ratio) for d in differences])
        means[np.abs(means) < TIE] = 0.0
        errors[errors < TIE] = 0.0
        return cls(means, errors, len(scores))

    @property
    def difference(self) -> float:
        """To the best of the others."""
        return float(self.means.min())

    def interval(self, alpha: float) -> tuple[float, float]:
        """Of the difference to the best of the others, at confidence 1 - alpha."""
        low = self.means - _quantile(1 - alpha / 2, self.splits) * self.errors
        high = self.means + _quantile(1 - alpha / (2 * len(self.means)), self.splits) * self.errors
        return float(low.min()), float(high.min())

    def p_value(self) -> float:
        """Two-sided: the largest alpha whose interval holds 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(self.means == 0, 0.0, self.means / self.errors)
        better = float(student.sf(t, self.splits - 1).max())
        worse = len(t) * float(student.cdf(t, self.splits - 1).min())
        return min(1.0, 2 * min(better, worse))


@dataclass(frozen=True)
class Judgement:
    """What is known of one arm.

    Args:
        difference: to the best simple arm, in the direction in which more is better.
        interval: of the difference, at the level that Holm's procedure gives this arm.
        p: two-sided, adjusted by Holm.
        verdict: "helps" and "harms" when the interval is on one side of 0.
    """

    difference: float
    interval: tuple[float, float]
    p: float
    verdict: Verdict


def judge(contrasts: Sequence[Contrast], *, alpha: float) -> list[Judgement]:
    """Verdicts on a family of arms with at most `alpha` chance that any of them is wrong."""
    raw = [contrast.p_value() for contrast in contrasts]
    judged = []
    for contrast, p, level in zip(contrasts, holm(raw), holm_levels(raw, alpha), strict=True):
        low, high = contrast.interval(level)
        verdict: Verdict = "helps" if low > 0 else "harms" if high < 0 else "no evidence"
        judged.append(Judgement(contrast.difference, (low, high), p, verdict))
    return judged


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p-values: max over i <= rank of (m - i + 1) p_(i), at most 1.

    References:
        Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    m, out, highest = len(p), [1.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(m), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (m - rank) * p[index]))
        out[index] = highest
    return out


def holm_levels(p: Sequence[float], alpha: float) -> list[float]:
    """The alpha at which each interval is drawn, so that it excludes 0 where Holm rejects.

    alpha / (m - rank + 1) up to the first that is not rejected; the rest share its level.
    """
    m, out, level, stopped = len(p), [alpha] * len(p), alpha, False
    for rank, index in enumerate(sorted(range(m), key=lambda i: p[i])):
        if not stopped:
            level = alpha / (m - rank)
            stopped = p[index] >= level
        out[index] = level
    return out


def _quantile(level: float, splits: int) -> float:
    return float(student.ppf(level, splits - 1))
