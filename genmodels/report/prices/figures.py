"""The figures on stylised facts: which, how far off is bad, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from genmodels.metrics.intervals import beside
from genmodels.metrics.return_sums import MANY, Sums, block_length, sums
from genmodels.report.rows import Better, Points, Row, RowMaker

__all__ = [
    "FIGURES",
    "SIDES",
    "Figure",
    "Side",
    "Sizes",
    "figure_row",
    "in_series",
    "shuffled_side",
    "side_of",
]

SIDES = ("synthetic", "held-out real", "shuffled in time", "training")
"""In the order of `Points`."""

WIDER = 2.0
"""Deviation of the clustering of |r| between series of 2700 returns of a GJR-GARCH over that of a
bootstrap of stretches of one of them: what a series has seen of its storms it cannot tell."""

SERIES, MOST_SERIES = 20, 200
"""Synthetic series as long as the real one from which on these themselves say what chance does."""

ALL_REAL = "Real: held-out and training returns together, as there are few paths."


@dataclass(frozen=True)
class Sizes:
    """What all data sets of a comparison share.

    Args:
        lags: of correlations.
        slow: lags of slow memory; None: paths are too short for it.
        horizons: of sums of returns, in steps, from 1.
        apart: see `return_sums.sums`: so it is where one of them has few paths.
    """

    lags: int
    slow: tuple[int, int] | None
    horizons: tuple[int, ...]
    apart: bool

    @classmethod
    def of(cls, steps: int, paths: int) -> Sizes:
        """Of paths of that many returns, and the least number of paths."""
        slow = (21, 50) if steps >= 100 else None
        horizons = tuple(h for h in (1, 5, 20, 60) if h == 1 or 2 * h <= steps)
        return cls(min(20, steps // 2), slow, horizons, paths < MANY)

    @property
    def most(self) -> int:
        return self.lags if self.slow is None else self.slow[1]


@dataclass(frozen=True, eq=False)
class Side:
    """Returns of one asset in one data set.

    Args:
        r: shape (P, N), NaN behind the end of a path.
        whole: sums over everything.
        draws: sums over draws of blocks.
        series: sums over each of many parts that are as long as all real returns.
    """

    r: np.ndarray
    whole: Sums = field(repr=False)
    draws: Sums = field(repr=False)
    series: tuple[Sums, ...] = field(default=(), repr=False)

    @property
    def n(self) -> int:
        return int(np.isfinite(self.r).sum())


def side_of(r: np.ndarray, sizes: Sizes, *, repeats: int, seed: int) -> Side:
    found = sums(
        r,
        lags=sizes.most,
        horizons=sizes.horizons,
        block=block_length(*r.shape),
        apart=sizes.apart,
    )
    return Side(r, found.whole, found.draws(repeats, np.random.default_rng([seed, 41])))


def in_series(side: Side, sizes: Sizes, *, windows: int, of_path: int) -> Side:
    """The same, with sums of its parts of `windows` windows, where there are SERIES or more.

    Args:
        side: whose windows come path by path.
        sizes: what all data sets share.
        windows: of the real returns.
        of_path: windows of one path of this side.
    """
    whole = len(side.r) // of_path * of_path
    paths = side.r[:whole].reshape(-1, of_path, side.r.shape[1])
    kept = max(of_path // windows * windows, 1) if of_path >= windows else of_path
    rows = paths[:, :kept].reshape(-1, side.r.shape[1])
    starts = range(0, len(rows) - windows + 1, windows)[:MOST_SERIES]
    if len(starts) < SERIES:
        return side
    parts = (
        sums(
            rows[k : k + windows],
            lags=sizes.most,
            horizons=sizes.horizons,
            block=rows.shape[1],
            apart=sizes.apart,
        ).whole
        for k in starts
    )
    return replace(side, series=tuple(parts))


def shuffled_side(r: np.ndarray, sizes: Sizes, *, repeats: int, seed: int) -> Side:
    """The same returns at times of chance: tails stay, whatever time did is gone."""
    known = np.isfinite(r)
    out = r.copy()
    out[known] = np.random.default_rng([seed, 42]).permutation(r[known])
    return side_of(out, sizes, repeats=repeats, seed=seed)


Measure = Callable[[Sums, Sizes], np.ndarray]


@dataclass(frozen=True)
class Figure:
    """One statistic of returns.

    Args:
        name: as the report calls it.
        measure: of sums, one number per draw.
        scale: what distance from held-out data is entirely bad where shuffling says nothing; as a
            function of the held-out figure.
        note: what it means.
        better: see `rows.Row`.
        needs: whether these sizes allow it.
        headline: whether the summary may speak of it.
        of_time: whether shuffling in time could destroy it; otherwise it is no floor.
    """

    name: str
    measure: Measure
    scale: Callable[[float], float]
    note: str
    better: Better = "near"
    needs: Callable[[Sizes], bool] = lambda sizes: True
    headline: bool = True
    of_time: bool = True


def _linear(found: Sums, sizes: Sizes) -> np.ndarray:
    """Root mean square of the autocorrelations of r beyond what chance makes."""
    k = sizes.lags
    beyond = found.acf[..., :k] ** 2 - found.acf_error[..., :k] ** 2
    return np.sqrt(np.maximum(beyond.mean(-1), 0.0))


def _slow(found: Sums, sizes: Sizes) -> np.ndarray:
    assert sizes.slow is not None
    return found.acf_absolute[..., sizes.slow[0] - 1 : sizes.slow[1]].mean(-1)


FIGURES = (
    Figure(
        "heavy tails: Hill index of the largest 5 % of |r|",
        lambda found, sizes: found.tail_index,
        lambda held: 0.5 * held,
        "P(|r| > x) falls like x to the minus this; normal returns have 5 or more, markets 2 to 5.",
        of_time=False,
    ),
    Figure(
        "heavy tails: excess kurtosis",
        lambda found, sizes: found.kurtosis,
        lambda held: max(abs(held), 0.5),
        "0 of normal returns. A few extreme returns decide it, so that it wanders with its sample.",
        headline=False,
        of_time=False,
    ),
    Figure(
        "volatility clustering: mean autocorrelation of |r|",
        lambda found, sizes: found.acf_absolute[..., : sizes.lags].mean(-1),
        lambda held: max(abs(held), 0.05),
        "0 where volatility has no memory, as of returns shuffled in time.",
    ),
    Figure(
        "slow memory: mean autocorrelation of |r| at lags 21-50",
        _slow,
        lambda held: max(abs(held), 0.05),
        "How long calm and stormy times last.",
        needs=lambda sizes: sizes.slow is not None,
        headline=False,
    ),
    Figure(
        "leverage effect: mean correlation of r with later r^2, lags 1-10",
        lambda found, sizes: found.leverage_effect[..., : min(10, sizes.lags)].mean(-1),
        lambda held: max(abs(held), 0.05),
        "Below 0 where falls raise the volatility after them.",
    ),
    Figure(
        "aggregational normality: excess kurtosis of sums over 20 steps",
        lambda found, sizes: found.aggregated_kurtosis(20),
        lambda held: max(abs(held), 0.5),
        "Falls towards 0 with the horizon; other horizons stand below.",
        needs=lambda sizes: 20 in sizes.horizons,
        headline=False,
    ),
    Figure(
        "linear autocorrelation of r beyond chance, root mean square",
        _linear,
        lambda held: 0.1,
        "0 in markets: a return says nothing about the sign of the next. Chance is that of a "
        "volatility that clusters.",
        better="lower",
    ),
)


def figure_row(
    figure: Figure,
    sides: dict[str, Side],
    reference: Side,
    sizes: Sizes,
    *,
    suffix: str,
    seed: int,
) -> Row | None:
    """A row of it; None where it is not finite in the synthetic or the real data.

    Args:
        figure: which.
        sides: the data sets, by the names in `SIDES`.
        reference: held-out real returns, or where there are few paths all real ones.
        sizes: what they share.
        suffix: of the figure's name: of which asset it is.
        seed: of the bootstrap.
    """
    values = {name: float(figure.measure(side.whole, sizes)) for name, side in sides.items()}
    made, real = values["synthetic"], float(figure.measure(reference.whole, sizes))
    if not np.isfinite([made, real]).all():
        return None
    low, high = _around(figure, sides, reference, sizes, made, real)
    if figure.better == "lower":
        low = max(low, 0.0)
    shuffled, seen = (values[name] if np.isfinite(values[name]) else None for name in SIDES[2:])
    return RowMaker(seed, sides["synthetic"].n)(
        "fidelity",
        figure.name + suffix,
        Points(made, real, shuffled if figure.of_time else None, seen),
        figure.better,
        interval=(low, high),
        note=f"{figure.note} {ALL_REAL}" if sizes.apart else figure.note,
        headline=figure.headline,
        scale=figure.scale(real),
    )


def _around(
    figure: Figure,
    sides: dict[str, Side],
    reference: Side,
    sizes: Sizes,
    made: float,
    real: float,
) -> tuple[float, float]:
    """Interval of the synthetic figure that allows for the chance of the real one.

    Where the real returns are one series, and synthetic series of that length are many, it is
    what these show: the real one need not differ from the model if one of them could be it.
    """
    series = np.array([float(figure.measure(one, sizes)) for one in sides["synthetic"].series])
    series = series[np.isfinite(series)]
    if len(series) >= SERIES:
        low, high = np.quantile(series, [0.025, 0.975])
        return min(float(low), made), max(float(high), made)
    own = _interval(figure, sides["synthetic"], sizes, made)
    return beside(made, own, real, _of_real(figure, sides, reference, sizes, real))


def _of_real(
    figure: Figure, sides: dict[str, Side], reference: Side, sizes: Sizes, value: float
) -> tuple[float, float]:
    """Of the bootstrap, and what other real samples show: heavy tails make the first too short."""
    low, high = _interval(figure, reference, sizes, value)
    if sizes.apart:  # the training returns are in the reference
        return low, high
    seen = float(figure.measure(sides["training"].whole, sizes))
    return (min(low, seen), max(high, seen)) if np.isfinite(seen) else (low, high)


def _interval(figure: Figure, side: Side, sizes: Sizes, value: float) -> tuple[float, float]:
    """Of the bootstrap, and around the value at least; of few paths WIDER times as long."""
    drawn = figure.measure(side.draws, sizes)
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return value, value
    low, high = np.quantile(drawn, [0.025, 0.975])
    wider = WIDER if sizes.apart and figure.of_time else 1.0
    return value - wider * max(value - low, 0.0), value + wider * max(high - value, 0.0)
