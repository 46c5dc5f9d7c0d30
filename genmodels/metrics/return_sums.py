"""Stylised facts of many paths with their intervals: every statistic is a function of sums.

Returns are cut into blocks that the bootstrap draws whole: a path each where there are many, else
stretches of time. A pair r_t, r_{t+k} belongs to the block of r_t, so that no pair is lost between
two blocks of one path. A draw of blocks is then a draw of sums, which costs next to nothing.

References:
    Künsch, The jackknife and the bootstrap for general stationary observations, 1989, section 2.3
    (blocks of pairs). Facts: see `stylised_facts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

__all__ = ["MANY", "Sums", "block_length", "sums"]

MANY = 30
"""Paths from which on they are drawn whole."""
FEW, LONG, SHORT = 20, 125, 10
TAIL = 0.05

Statistic = np.ndarray


def block_length(paths: int, steps: int) -> int:
    """A whole path where there are 30 or more; else a stretch of at most half a year."""
    if paths >= MANY:
        return steps
    return max(SHORT, min(LONG, paths * steps // FEW))


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums of B blocks, or of R draws of blocks, as the first axis; no axis: of everything.

    With e = r less its mean over everything, a = |e| (less the mean of its path, where asked for):

    Args:
        n: returns.
        powers: sums of a, a^2, e^2, e^4, shape (..., 4).
        pairs: numbers of pairs at lags 1 ... K, shape (..., K).
        linear, absolute, leverage, squares: sums of e e', a a', e e'^2 and e^2 e'^2, the same.
        tail: returns beyond the threshold, and the sum of the logarithms of a over it, (..., 2).
        aggregated: number of sums over h steps, and their second and fourth powers, by h.
    """

    n: np.ndarray
    powers: np.ndarray
    pairs: np.ndarray
    linear: np.ndarray
    absolute: np.ndarray
    leverage: np.ndarray
    squares: np.ndarray
    tail: np.ndarray
    aggregated: dict[int, np.ndarray]

    def through(self, weights: np.ndarray) -> Sums:
        """Weighted sums over the blocks, weights (R, B) or (B,)."""
        names = ("n", "powers", "pairs", "linear", "absolute", "leverage", "squares", "tail")
        parts = {name: weights @ getattr(self, name) for name in names}
        return Sums(**parts, aggregated={h: weights @ x for h, x in self.aggregated.items()})

    def draws(self, repeats: int, rng: np.random.Generator) -> Sums:
        """Of as many blocks as there are, drawn with replacement, `repeats` times."""
        count = len(self.n)
        return self.through(
            rng.multinomial(count, np.full(count, 1 / count), repeats).astype(float)
        )

    @property
    def whole(self) -> Sums:
        return self.through(np.ones(len(self.n)))

    @property
    def variance(self) -> Statistic:
        return self.powers[..., 2] / self.n

    @property
    def kurtosis(self) -> Statistic:
        """m_4 / m_2^2 - 3."""
        return self.powers[..., 3] / self.n / self.variance**2 - 3

    def aggregated_kurtosis(self, h: int) -> Statistic:
        """The same of sums over h steps, whose mean is taken to be h times that of the returns."""
        count, second, fourth = np.moveaxis(self.aggregated[h], -1, 0)
        return fourth * count / second**2 - 3

    @property
    def tail_index(self) -> Statistic:
        """Hill's alpha beyond the threshold."""
        return self.tail[..., 0] / self.tail[..., 1]

    @property
    def acf(self) -> Statistic:
        """Of r, shape (..., K)."""
        return self.linear / self.pairs / self.variance[..., None]

    @property
    def acf_error(self) -> Statistic:
        """Its standard error without autocorrelation, whatever the volatility does (Diebold 1986).

        sqrt(sum e^2 e'^2) / (pairs variance).
        """
        return np.sqrt(self.squares) / self.pairs / self.variance[..., None]

    @property
    def acf_absolute(self) -> Statistic:
        """Of |r|, shape (..., K)."""
        mean, square = np.moveaxis(self.powers[..., :2] / self.n[..., None], -1, 0)
        mean = mean[..., None]
        return (self.absolute / self.pairs - mean**2) / (square[..., None] - mean**2)

    @property
    def acf_squared(self) -> Statistic:
        """Of r^2, shape (..., K)."""
        variance = self.variance[..., None]
        spread = np.maximum(self.powers[..., 3:] / self.n[..., None] - variance**2, 1e-300)
        return (self.squares / self.pairs - variance**2) / spread

    def ljung_box(self, acf: Statistic) -> Statistic:
        """Ljung and Box's Q of autocorrelations at lags 1 ... K, see `stylised_facts.ljung_box`."""
        return ((self.n + 2) / self.n) * (acf**2 * self.pairs).sum(-1)

    @property
    def leverage_effect(self) -> Statistic:
        """corr(r_t, r_{t+k}^2), shape (..., K)."""
        variance = self.variance
        spread = np.sqrt(np.maximum(self.powers[..., 3] / self.n - variance**2, 1e-300))
        return self.leverage / self.pairs / (np.sqrt(variance) * spread)[..., None]


def sums(
    r: np.ndarray, *, lags: int, horizons: tuple[int, ...], block: int, apart: bool = False
) -> Sums:
    """Sums of each block of returns.

    Args:
        r: shape (P, N), NaN behind the end of a shorter path.
        lags: K, below N.
        horizons: h, at most N.
        block: length of a block, see `block_length`.
        apart: whether |e| is less the mean of its own path, as a lone series has to be: what sets
            one path apart from the others is no memory then. Its autocorrelation comes out too
            low, the more so the shorter the path.
    """
    known = np.isfinite(r)
    e = np.where(known, r - r[known].mean(), 0.0)
    a, square, there = np.abs(e), e**2, known.astype(float)
    threshold = max(float(np.quantile(a[known], 1 - TAIL)), 1e-300)
    beyond = a > threshold
    logs = np.log(np.where(beyond, a, threshold) / threshold)
    size = a
    if apart:
        count = np.maximum(known.sum(1, keepdims=True), 1)
        size = np.where(known, a - a.sum(1, keepdims=True) / count, 0.0)
    by_block = partial(_by_block, block=block)
    lagged = partial(_lagged, lags=lags, block=block)
    n = by_block(there)
    found = Sums(
        n=n,
        powers=np.stack([by_block(x) for x in (size, size**2, square, square**2)], -1),
        pairs=lagged(there, there),
        linear=lagged(e, e),
        absolute=lagged(size, size),
        leverage=lagged(e, square),
        squares=lagged(square, square),
        tail=np.stack([by_block(beyond.astype(float)), by_block(logs)], -1),
        aggregated={h: _aggregated(e, known, h, block) for h in horizons},
    )
    return found.through(np.eye(len(n))[n > 0])


def _by_block(x: np.ndarray, *, block: int) -> np.ndarray:
    """Sums (B,) over the blocks of all paths (P, N), path by path."""
    room = -x.shape[1] % block
    cut = len(x) * -(-x.shape[1] // block), block
    return np.pad(x, ((0, 0), (0, room))).reshape(cut).sum(1)


def _lagged(x: np.ndarray, y: np.ndarray, *, lags: int, block: int) -> np.ndarray:
    """Sums (B, K) of x_t y_{t+k}; gaps are 0 in both, and so is any product with one."""
    if block >= x.shape[1]:  # a path each: no copy is needed
        pairs = [(x[:, :-k], y[:, k:]) for k in range(1, lags + 1)]
        return np.stack([np.einsum("pt,pt->p", a, b) for a, b in pairs], -1)
    products = (np.pad(x[:, :-k] * y[:, k:], ((0, 0), (0, k))) for k in range(1, lags + 1))
    return np.stack([_by_block(product, block=block) for product in products], -1)


def _aggregated(e: np.ndarray, known: np.ndarray, h: int, block: int) -> np.ndarray:
    """Number and sums (B, 3) of the squares and fourth powers of sums of h whole returns."""
    count = e.shape[1] // h
    cut = (len(e), count, h)
    whole = known[:, : count * h].reshape(cut).all(2)
    total = np.where(whole, e[:, : count * h].reshape(cut).sum(2), 0.0)
    spread = [np.zeros(e.shape) for _ in range(3)]
    for place, x in zip(spread, (whole, total**2, total**4), strict=True):
        place[:, : count * h : h] = x
    return np.stack([_by_block(x, block=block) for x in spread], -1)
