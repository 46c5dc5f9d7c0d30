"""Alpha-precision and beta-recall: how rows lie round the centres of real and synthetic data.

One ball round one centre: data whose columns were shuffled on their own have nearly the right
distances from the centre and score high. Read it beside coverage, never alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.metrics.manifold import Manifold, squared_distances

__all__ = ["Curve", "alpha_precision", "beta_recall"]


@dataclass(frozen=True, eq=False)
class Curve:
    """An integrated score and the curve behind it.

    Args:
        score: 1 - 2 integral |share - level|, in [0, 1], 1 is best.
        levels: alpha or beta, ascending in (0, 1], shape (A,).
        shares: P_alpha or R_beta at them, shape (A,).
    """

    score: float
    levels: np.ndarray
    shares: np.ndarray


def alpha_precision(reference: Manifold, other: Manifold) -> Curve:
    """Share of other points in the ball that holds a share alpha of the reference.

    P_alpha = alpha for all alpha when the distributions agree; score 1 - 2 integral |P_alpha -
    alpha| d alpha: the paper's normalisation, under which a P of constant 0 or 1 scores 0. The
    integral runs over the radii of the reference points themselves, with alpha their own share
    within each radius, instead of a grid of some thirty alphas (where the same sum is divided by
    the sum of the alphas): exact, and right where equal rows tie. The centre is the mean of the
    points as they are, not of a learned hypersphere embedding: training one would add a second
    model to doubt.

    Args:
        reference: real points.
        other: points to judge.

    References:
        Alaa, van Breugel, Saveliev and van der Schaar, How faithful is your synthetic data?
        Sample-level metrics for evaluating and auditing generative models, ICML 2022, sections
        3-4 (IP_alpha).
    """
    own = _to_centre(reference.points, reference.points)
    radii = np.sort(own)
    levels = _share_within(own, radii)
    shares = _share_within(_to_centre(other.points, reference.points), radii)
    return Curve(_score(shares, levels), levels, shares)


def beta_recall(reference: Manifold, other: Manifold, k: int) -> Curve:
    """Share of reference points with a near other point among the innermost share beta of those.

    R_beta = mean over x_i of 1(some y_j within the distance from x_i to its k-th nearest other x,
    and y_j in the ball round the centre of y that holds a share beta of y). Score as above. With
    k = 1, as in published figures, even real points reach R_1 of about 1/2 only.

    Args:
        reference: real points with at least k neighbours.
        other: points to judge.
        k: neighbours of a reference point that make its ball.

    References:
        As of `alpha_precision` (IR_beta and its estimator).
    """
    own = _to_centre(other.points, other.points)
    rank = _share_within(own, own).astype(np.float32)
    inside = squared_distances(reference.points, other.points) <= reference.radius(k)[:, None]
    first = np.where(inside, rank[None, :], np.float32(2.0)).min(1, initial=2.0)
    levels = np.sort(rank)
    shares = _share_within(first, levels)
    return Curve(_score(shares, levels), levels.astype(np.float64), shares)


def _to_centre(points: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Distances from the mean of `of`, rounded so that equal points stay equal; shape (N,)."""
    centre = of.astype(np.float64).mean(0)
    squared = ((points.astype(np.float64) - centre) ** 2).sum(1)
    return np.round(np.sqrt(squared), 9)


def _share_within(distances: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Share of `distances` that are at most each of `radii`."""
    return np.searchsorted(np.sort(distances), radii, side="right") / max(1, len(distances))


def _score(shares: np.ndarray, levels: np.ndarray) -> float:
    """1 - 2 mean |share - level|, not below 0."""
    return max(0.0, 1.0 - 2.0 * float(np.abs(shares - levels).mean())) if len(levels) else 0.0
