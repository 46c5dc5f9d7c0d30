"""What returns of real prices have in common, as numbers of one series or of many paths.

Returns r are log-returns, shape (N,) of one series or (P, N) of P paths; of paths, sums run over
all of them and no pair of returns crosses from one path to the next. A statistic of a series
wanders with its sample: compare real with real before real with synthetic.

References:
    Cont, Empirical properties of asset returns: stylized facts and statistical issues, 2001: the
    list of facts in section 2, whose numbers are given below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

__all__ = ["StylisedFacts", "TailIndex", "Whiteness", "aggregational_normality"]
__all__ += ["autocorrelation", "excess_kurtosis", "hill", "leverage", "ljung_box", "skewness"]
__all__ += ["stylised_facts"]

LAGS = 20
HORIZONS = (1, 5, 20, 60)
SLOW = 50
"""Lags over which |r| still remembers in real prices."""


def excess_kurtosis(r: np.ndarray) -> float:
    """m_4 / m_2^2 - 3; 0 for normal returns, above it for heavy tails (Cont, facts 2 and 4)."""
    e = r - r.mean()
    variance = float((e**2).mean())
    return float((e**4).mean()) / variance**2 - 3.0 if variance > 0 else math.nan


def skewness(r: np.ndarray) -> float:
    """m_3 / m_2^(3/2); below 0 where falls are larger than rises (Cont, fact 3)."""
    e = r - r.mean()
    variance = float((e**2).mean())
    return float((e**3).mean()) / variance**1.5 if variance > 0 else math.nan


@dataclass(frozen=True)
class TailIndex:
    """Hill's estimate.

    Args:
        alpha: P(|r| > x) falls like x^-alpha; real returns have 2 to 5.
        standard_error: alpha / sqrt(k), of independent returns.
        k: of the largest, that were used.
    """

    alpha: float
    standard_error: float
    k: int


def hill(r: np.ndarray, *, share: float = 0.05) -> TailIndex:
    """1 / alpha = 1/k sum_i log(x_i / x_(k+1)) of the k largest x = |r - mean| (Cont, fact 2).

    Args:
        r: returns.
        share: k / N, in (0, 1).

    Raises:
        ValueError: when `share` is none, or leaves fewer than 5 returns.

    References:
        Hill, A simple general approach to inference about the tail of a distribution, 1975.
    """
    x = np.sort(np.abs(r - r.mean()), axis=None)[::-1]
    k = int(share * x.size)
    if not 0.0 < share < 1.0 or k < 5:
        raise ValueError(f"a tail needs 5 returns at least: share={share:g} of {x.size} are {k}")
    inverse = float(np.log(x[:k] / x[k]).mean()) if x[k] > 0 else math.nan
    alpha = 1 / inverse if inverse > 0 else math.inf
    return TailIndex(alpha, alpha / math.sqrt(k), k)


def autocorrelation(x: np.ndarray, lags: int = LAGS) -> np.ndarray:
    """rho_k = sum_t (x_t - m)(x_{t+k} - m) / sum_t (x_t - m)^2, k = 1 ... lags, shape (lags,).

    Of r: absent (Cont, fact 1). Of |r| and r^2: positive, falling slowly (facts 6 and 8). Of N
    independent values it lies in +- 1.96 / sqrt(N) with 95 %.

    Raises:
        ValueError: when a path is not longer than `lags`.
    """
    e = _paths(x, lags)
    e = e - e.mean()
    total = float((e**2).sum())
    found = [float((e[:, :-k] * e[:, k:]).sum()) for k in range(1, lags + 1)]
    return np.array(found) / total if total > 0 else np.full(lags, math.nan)


@dataclass(frozen=True)
class Whiteness:
    """A test that autocorrelations are 0.

    Args:
        statistic: Q.
        p: of a larger Q for independent values; small: they are not white.
    """

    statistic: float
    p: float


def ljung_box(x: np.ndarray, lags: int = LAGS) -> Whiteness:
    """Q = M (M + 2) sum_k rho_k^2 / (M - k P), chi-squared of `lags`, of M returns in P paths.

    With P = 1 it is that of the paper. Pairs of all paths are pooled: a sum of one Q per path would
    add up their small errors, which many paths make large. Returns whose variance clusters are
    rejected too often: it takes them to be independent.

    References:
        Ljung and Box, On a measure of lack of fit in time series models, 1978.
    """
    paths = _paths(x, lags)
    total, pairs = paths.size, len(paths) * (paths.shape[1] - np.arange(1, lags + 1))
    q = float(total * (total + 2) * (autocorrelation(paths, lags) ** 2 / pairs).sum())
    return Whiteness(q, float(chi2.sf(q, lags)))


def leverage(r: np.ndarray, lags: int = LAGS) -> np.ndarray:
    """corr(r_t, r_{t+k}^2), k = 1 ... lags: below 0 where falls raise volatility (Cont, fact 9).

    References:
        Bouchaud, Matacz and Potters, Leverage effect in financial markets, 2001 (another scale).
    """
    paths = _paths(r, lags)
    e = paths - paths.mean()
    square = e**2 - (e**2).mean()
    scale = math.sqrt(float((e**2).mean()) * float((square**2).mean()))
    found = [float((e[:, :-k] * square[:, k:]).mean()) for k in range(1, lags + 1)]
    return np.array(found) / scale if scale > 0 else np.full(lags, math.nan)


def aggregational_normality(r: np.ndarray, horizons: Sequence[int] = HORIZONS) -> dict[int, float]:
    """Excess kurtosis of sums of h returns that do not overlap; falls to 0 (Cont, fact 4).

    Args:
        r: returns; horizons of which there are fewer than 30 sums are left out.
        horizons: h, in steps.
    """
    paths, found = np.atleast_2d(r), {}
    for h in horizons:
        count = paths.shape[1] // h
        if count * len(paths) >= 30:
            sums = paths[:, : count * h].reshape(len(paths), count, h).sum(2)
            found[h] = excess_kurtosis(sums)
    return found


@dataclass(frozen=True)
class StylisedFacts:
    """All of it at once.

    Args:
        n: returns.
        excess_kurtosis, skewness: of them.
        tail: Hill's index.
        whiteness: Ljung and Box's test of r.
        clustering: the same of r^2.
        acf, acf_absolute, acf_squared: of r, |r| and r^2, lags 1 ... 20.
        slow_memory: mean autocorrelation of |r| at lags 21 ... 50.
        leverage: lags 1 ... 20; its mean is less noisy than any of them.
        aggregated_kurtosis: by horizon.
    """

    n: int
    excess_kurtosis: float
    skewness: float
    tail: TailIndex
    whiteness: Whiteness
    clustering: Whiteness
    acf: np.ndarray
    acf_absolute: np.ndarray
    acf_squared: np.ndarray
    slow_memory: float
    leverage: np.ndarray
    aggregated_kurtosis: dict[int, float]


def stylised_facts(r: np.ndarray) -> StylisedFacts:
    """Every statistic of this module.

    Args:
        r: log-returns, (N,) or (P, N), N at least 100.

    Raises:
        ValueError: when there are fewer, or one is not finite.
    """
    if r.shape[-1] < 2 * SLOW or not np.isfinite(r).all():
        raise ValueError(f"stylised facts need {2 * SLOW} finite returns at least")
    absolute = autocorrelation(np.abs(r), SLOW)
    return StylisedFacts(
        n=r.size,
        excess_kurtosis=excess_kurtosis(r),
        skewness=skewness(r),
        tail=hill(r),
        whiteness=ljung_box(r),
        clustering=ljung_box(r**2),
        acf=autocorrelation(r),
        acf_absolute=absolute[:LAGS],
        acf_squared=autocorrelation(r**2),
        slow_memory=float(absolute[LAGS:].mean()),
        leverage=leverage(r),
        aggregated_kurtosis=aggregational_normality(r),
    )


def _paths(x: np.ndarray, lags: int) -> np.ndarray:
    paths = np.atleast_2d(x)
    if paths.shape[1] <= lags:
        raise ValueError(f"{lags} lags need more than {lags} returns, got {paths.shape[1]}")
    return paths
