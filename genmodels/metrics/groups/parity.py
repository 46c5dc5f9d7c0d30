"""Whether decisions treat groups alike: rates per group and the differences between groups.

The figures are those of fairlearn where it has them. A rate without a case behind it (a true
positive rate in a group without positives) is NaN here and is left out of differences; fairlearn
counts it as 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genmodels.metrics.intervals import Z95, Interval

__all__ = [
    "Parity",
    "Rates",
    "around",
    "bootstrap_sd",
    "joint_counts",
    "of_model",
    "parity",
    "rates",
]

CELLS = 4_000_000
"""Cells of resampled counts that are held at a time."""


@dataclass(frozen=True, eq=False)
class Rates:
    """Rates of each group, shape (..., G), NaN where no row stands behind one.

    Args:
        selection: share of rows with a positive decision, (TP + FP) / n.
        tpr: TP / (TP + FN).
        fpr: FP / (FP + TN).
    """

    selection: np.ndarray
    tpr: np.ndarray
    fpr: np.ndarray


@dataclass(frozen=True, eq=False)
class Parity:
    """Differences between the groups, shape (...,), NaN with fewer than two groups.

    Args:
        demographic_parity_difference: largest less smallest selection rate.
        demographic_parity_ratio: smallest by largest selection rate.
        equal_opportunity_difference: largest less smallest TPR.
        equalised_odds_difference: the larger of that and of largest less smallest FPR.

    References:
        Hardt, Price and Srebro, Equality of opportunity in supervised learning, NeurIPS 2016;
        Agarwal et al., A reductions approach to fair classification, ICML 2018.
    """

    demographic_parity_difference: np.ndarray
    demographic_parity_ratio: np.ndarray
    equal_opportunity_difference: np.ndarray
    equalised_odds_difference: np.ndarray


def joint_counts(
    groups: np.ndarray, truth: np.ndarray, decisions: np.ndarray, size: int
) -> np.ndarray:
    """How often each combination of group, truth and the decisions of M models occurs.

    Args:
        groups: group of each row in [0, size); -1 leaves the row out; shape (N,).
        truth: bool, shape (N,).
        decisions: bool, shape (M, N).
        size: number of groups G.

    Returns:
        Counts, shape (G, 2, 2^M); bit m of the last place is the decision of model m.
    """
    kept = groups >= 0
    places = 1 << len(decisions)
    code = (decisions[:, kept] * (1 << np.arange(len(decisions)))[:, None]).sum(0)
    cell = (groups[kept] * 2 + truth[kept]) * places + code
    return np.bincount(cell, minlength=size * 2 * places).reshape(size, 2, places)


def of_model(joint: np.ndarray, model: int) -> np.ndarray:
    """Counts (..., G, 2, 2) of group, truth and the decision of one model."""
    chosen = (np.arange(joint.shape[-1]) >> model) & 1 == 1
    return np.stack([joint[..., ~chosen].sum(-1), joint[..., chosen].sum(-1)], axis=-1)


def rates(counts: np.ndarray) -> Rates:
    """Rates from counts[..., group, truth, decision], shape (..., G, 2, 2)."""
    fp, tp = counts[..., 0, 1], counts[..., 1, 1]
    negatives, positives = counts[..., 0, :].sum(-1), counts[..., 1, :].sum(-1)
    return Rates(
        _ratio(tp + fp, negatives + positives), _ratio(tp, positives), _ratio(fp, negatives)
    )


def parity(counts: np.ndarray, enough: np.ndarray | None = None) -> Parity:
    """Differences between the groups, from counts of shape (..., G, 2, 2).

    Args:
        counts: rows by group, truth and decision.
        enough: which rates count: [g, 0] the FPR and [g, 1] the TPR of a group; bool, shape
            (G, 2); None: all. Chance alone makes rates of a handful of rows differ.
    """
    found = rates(counts)
    tpr, fpr = found.tpr, found.fpr
    if enough is not None:
        tpr, fpr = np.where(enough[:, 1], tpr, np.nan), np.where(enough[:, 0], fpr, np.nan)
    low, high = _extremes(found.selection)
    difference = _spread(found.selection)
    ratio = np.where(high > 0, _ratio(low, high), 1.0)
    return Parity(
        difference,
        np.where(np.isnan(difference), np.nan, ratio),
        _spread(tpr),
        np.fmax(_spread(tpr), _spread(fpr)),
    )


def bootstrap_sd(
    joint: np.ndarray, figure: str, *, enough: np.ndarray, repeats: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviation over resampled test rows of a figure of `Parity`.

    All models are resampled together: the difference of two of them is as exact as the shared
    rows allow. Resampling rows is resampling counts: nothing else of a row enters.

    Args:
        joint: from `joint_counts`.
        figure: a field of `Parity`.
        enough: as in `parity`.
        repeats: number of resamples.
        seed: of the resamples.

    Returns:
        Of each model, shape (M,), and of its difference to model 0, shape (M,).
    """
    models = joint.shape[-1].bit_length() - 1
    total = int(joint.sum())
    share = joint.ravel() / max(1, total)
    rng = np.random.default_rng([seed, 140])
    drawn = []
    chunk = max(1, CELLS // joint.size)
    for start in range(0, repeats, chunk):
        count = min(chunk, repeats - start)
        sample = rng.multinomial(total, share, size=count).reshape(count, *joint.shape)
        found = [getattr(parity(of_model(sample, m), enough), figure) for m in range(models)]
        drawn.append(np.stack(found))
    values = np.concatenate(drawn, axis=1)
    return _sd(values), _sd(values - values[:1])


def around(value: float, sd: float, low: float = -np.inf, high: float = np.inf) -> Interval:
    """Normal 95 % interval cut to what is possible."""
    half = Z95 * sd if np.isfinite(sd) else np.inf
    return float(max(low, value - half)), float(min(high, value + half))


def _sd(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values).sum(1) > values.shape[1] // 2
    out = np.full(len(values), np.nan)
    if known.any():
        out[known] = np.nanstd(values[known], axis=1)
    return out


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    whole = np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def _extremes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low = np.where(np.isnan(values), np.inf, values).min(-1, initial=np.inf)
    return low, np.where(np.isnan(values), -np.inf, values).max(-1, initial=-np.inf)


def _spread(values: np.ndarray) -> np.ndarray:
    """Largest less smallest over the last axis; NaN with fewer than two known values."""
    low, high = _extremes(values)
    known = np.isfinite(values).sum(-1) > 1
    return np.where(known, np.where(known, high, 0.0) - np.where(known, low, 0.0), np.nan)
