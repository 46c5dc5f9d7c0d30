"""Distances between two sets of feature vectors: Frechet, kernel, density and coverage.

They are as good as the features. None of them may be called FID or KID, which are names for
Inception features.
"""

from __future__ import annotations

import numpy as np

__all__ = ["density_and_coverage", "frechet_distance", "kernel_distance", "nearest"]


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Frechet distance of the Gaussians with the samples' moments.

    |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a^1/2 C_b C_a^1/2)^1/2)

    Args:
        a: shape (N, D), any unit u; the result is in u^2.
        b: shape (M, D).

    References:
        Dowson and Landau, The Frechet distance between multivariate normal distributions, 1982,
        eq. 4; Heusel et al., GANs trained by a two time-scale update rule, NeurIPS 2017.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    cov_a, cov_b = np.atleast_2d(np.cov(a.T)), np.atleast_2d(np.cov(b.T))
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(0)).sum()
    gap = ((a.mean(0) - b.mean(0)) ** 2).sum()
    return float(max(0.0, gap + np.trace(cov_a) + np.trace(cov_b) - 2 * cross))


def kernel_distance(
    a: np.ndarray, b: np.ndarray, *, subset: int = 1000, repeats: int = 10, seed: int = 0
) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / D + 1)^3.

    Args:
        a: shape (N, D), N at least 2.
        b: shape (M, D), M at least 2.
        subset: rows a side of one estimate.
        repeats: number of estimates, averaged; one is enough when everything fits in it.
        seed: of the subsets.

    Returns:
        About 0 (it may be slightly negative) for equal distributions.

    References:
        Binkowski et al., Demystifying MMD GANs, ICLR 2018, eq. 4 and section 4.
    """
    rng, out = np.random.default_rng([seed, 7]), []
    if max(len(a), len(b)) <= subset:
        repeats = 1
    for _ in range(repeats):
        x = a[rng.permutation(len(a))[:subset]].astype(np.float64)
        y = b[rng.permutation(len(b))[:subset]].astype(np.float64)
        d, n, m = x.shape[1], len(x), len(y)
        xx, yy, xy = ((u @ v.T / d + 1) ** 3 for u, v in ((x, x), (y, y), (x, y)))
        within_x = (xx.sum() - np.trace(xx)) / (n * (n - 1))
        within_y = (yy.sum() - np.trace(yy)) / (m * (m - 1))
        out.append(within_x + within_y - 2 * xy.mean())
    return float(np.mean(out))


def density_and_coverage(
    reference: np.ndarray, other: np.ndarray, *, k: int = 5
) -> tuple[float, float]:
    """Density and coverage with balls up to the k-th nearest neighbour.

    density = 1/(k M) sum_j sum_i 1(y_j in B_i), coverage = 1/N sum_i 1(some y_j in B_i), B_i
    the ball round x_i that reaches its k-th nearest other x.

    Args:
        reference: x, shape (N, D), N > k.
        other: y, shape (M, D).
        k: neighbours.

    Returns:
        Density (about 1 for equal distributions, may exceed it) and coverage in [0, 1].

    References:
        Naeem et al., Reliable fidelity and diversity metrics for generative models, ICML 2020,
        eq. 3 and 4.
    """
    within = _squared(reference, reference)
    np.fill_diagonal(within, np.inf)
    k = min(k, len(reference) - 1)
    radius = np.partition(within, k - 1, axis=1)[:, k - 1]
    inside = _squared(reference, other) < radius[:, None]
    return float(inside.sum(0).mean() / k), float(inside.any(1).mean())


def nearest(rows: np.ndarray, bank: np.ndarray, *, block: int = 4096) -> np.ndarray:
    """Index of the nearest row of `bank` and the distance to it.

    Args:
        rows: shape (N, D).
        bank: shape (M, D), any dtype; read in blocks.
        block: rows of the bank at a time.

    Returns:
        Shape (N, 2): index and Euclidean distance.
    """
    best = np.full((len(rows), 2), np.inf)
    for start in range(0, len(bank), block):
        part = bank[start : start + block]
        distance = _squared(rows, part)
        index = distance.argmin(1)
        value = distance[np.arange(len(rows)), index]
        # The fast formula loses digits near 0, where copies are told from neighbours.
        gap = rows.astype(np.float64) - part[index].astype(np.float64)
        value = np.where(value < 1e-2 * (rows**2).sum(1), (gap**2).sum(1), value)
        closer = value < best[:, 1]
        best[closer] = np.column_stack([index + start, value])[closer]
    best[:, 1] = np.sqrt(best[:, 1])
    return best


def _squared(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances (N, M) in float32."""
    x, y = x.astype(np.float32), y.astype(np.float32)
    cross = (x**2).sum(1)[:, None] + (y**2).sum(1)[None, :] - 2 * (x @ y.T)
    return np.maximum(cross, 0.0)
