"""Section on prices: do their returns have the stylised facts that real returns have?"""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from genmodels.data.returns import Returns
from genmodels.report.prices.assets import together
from genmodels.report.prices.figures import (
    FIGURES,
    SIDES,
    Figure,
    Side,
    Sizes,
    figure_row,
    in_series,
    shuffled_side,
    side_of,
)
from genmodels.report.prices.pictures import facts_picture
from genmodels.report.rows import Cell, Detail, Picture, Points, Row, RowMaker, Section

__all__ = ["SHORTEST", "price_section"]

SHORTEST = 10
"""Returns of a path, below which time says nothing."""
TEXT = (
    "What returns of real markets have in common (Cont 2001): heavy tails, volatility that "
    "clusters, volatility that rises after falls (leverage), sums that come nearer to normal, and "
    "no linear autocorrelation. Each figure of the synthetic returns stands beside that of "
    "held-out real ones, of training ones (in the place of the copies), and of training returns "
    "shuffled in time, which keep their tails and lose all else. Intervals are of a bootstrap of "
    "whole paths, or of stretches of time where there are few, and allow for the chance of the "
    "real ones. Where there are fewer than 30 paths the real figure is of held-out and training "
    "returns together, as one stretch of time tells too little about the next; where 20 or more "
    "synthetic series are as long, the interval is what 95 % of these show, as the real one could "
    "be one of them. All data are cut "
    "into windows of one length, as a figure depends on it."
)


@np.errstate(divide="ignore", invalid="ignore")  # returns that never move have no figures
def price_section(
    train: Returns, holdout: Returns, synthetic: Returns, *, paths: int, repeats: int, seed: int
) -> Section:
    """Compare the returns of the same assets.

    Args:
        train, holdout, synthetic: their returns.
        paths: at most so many of each are looked at, the first ones.
        repeats: draws of the bootstrap.
        seed: of it, and of the shuffle.

    Raises:
        ValueError: when they have different numbers of assets, or paths are too short.
    """
    given = {"synthetic": synthetic, "held-out real": holdout, "training": train}
    counts = {name: side.values.shape[2] for name, side in given.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ValueError(f"the data have different numbers of assets: {told}")
    steps = min(side.values.shape[1] for side in given.values())
    if steps < SHORTEST:
        raise ValueError(f"stylised facts need paths of {SHORTEST} returns, these have {steps}")
    sizes = Sizes.of(steps, min(len(side.values) for side in given.values()))
    rows, details = _lost_row(given, seed), []
    pictures: list[Picture] = []
    for a, asset in enumerate(holdout.names):
        values = {
            name: _windows(side.values[:, :, a], steps)[:paths] for name, side in given.items()
        }
        sides = {name: side_of(values[name], sizes, repeats=repeats, seed=seed) for name in given}
        sides["shuffled in time"] = shuffled_side(
            values["training"], sizes, repeats=repeats, seed=seed
        )
        sides = {name: sides[name] for name in SIDES}
        suffix = f", {asset}" if len(holdout.names) > 1 else ""
        reference = sides["held-out real"]
        if sizes.apart:
            real = np.concatenate([values["training"], values["held-out real"]])
            reference = side_of(real, sizes, repeats=repeats, seed=seed)
            sides["synthetic"] = in_series(
                sides["synthetic"],
                sizes,
                windows=len(reference.r),
                of_path=synthetic.values.shape[1] // steps,
            )
        found = (
            figure_row(figure, sides, reference, sizes, suffix=suffix, seed=seed)
            for figure in _fit(sizes)
        )
        rows += [row for row in found if row is not None]
        details += [_facts(sides, sizes, suffix), _horizons(sides, sizes, suffix)]
        pictures.append(facts_picture(sides, sizes, suffix))
    more, detail = together(train, holdout, synthetic, paths=paths, seed=seed)
    return Section(
        "Prices: stylised facts of returns",
        TEXT,
        (*rows, *more),
        (*details, *detail),
        tuple(pictures),
    )


def _windows(r: np.ndarray, steps: int) -> np.ndarray:
    """Paths cut into windows of that many returns, all of them whole: as long for all data sets.

    What time does comes out otherwise in a longer series.
    """
    cut = r[:, : r.shape[1] // steps * steps].reshape(-1, steps)
    whole = np.isfinite(cut).all(1)
    return cut[whole] if whole.any() else r


def _fit(sizes: Sizes) -> list[Figure]:
    return [figure for figure in FIGURES if figure.needs(sizes)]


def _lost_row(given: dict[str, Returns], seed: int) -> list[Row]:
    """Paths that no return could be taken of, where there are any."""
    lost = {name: side.lost for name, side in given.items()}
    if not any(lost.values()):
        return []
    return [
        RowMaker(seed, len(given["synthetic"].values))(
            "fidelity",
            "paths with a gap or a price that is not above 0, share",
            Points(lost["synthetic"], lost["held-out real"], None, lost["training"]),
            "lower",
            note="They are left out of the figures below.",
            scale=0.1,
        )
    ]


def _facts(sides: dict[str, Side], sizes: Sizes, suffix: str) -> Detail:
    """Every statistic of every data set, one line each."""
    lines: list[tuple[Cell, ...]] = []

    def add(name: str, values: list[float]) -> None:
        lines.append((name, *(float(x) if np.isfinite(x) else None for x in values)))

    k = sizes.lags
    every = list(sides.values())
    add("returns", [float(side.n) for side in every])
    add("paths", [float(len(side.r)) for side in every])
    add("standard deviation", [float(np.sqrt(side.whole.variance)) for side in every])
    add("skewness", [_skewness(side.r) for side in every])
    for figure in _fit(sizes):
        add(figure.name, [float(figure.measure(side.whole, sizes)) for side in every])
    for name, tests in (
        (f"share of {k} autocorrelations of r inside their 95 % band", _inside),
        (f"Ljung-Box p of r, {k} lags", lambda side, k: _p(side, side.whole.acf, k)),
        (f"Ljung-Box p of r, {k} lags, allowing for changing volatility", _robust),
        (f"Ljung-Box p of r^2, {k} lags", lambda side, k: _p(side, side.whole.acf_squared, k)),
    ):
        add(name, [tests(side, k) for side in every])
    return Detail(f"Stylised facts{suffix}", ("statistic", *sides), tuple(lines))


def _horizons(sides: dict[str, Side], sizes: Sizes, suffix: str) -> Detail:
    lines = tuple(
        (h, *(_number(float(side.whole.aggregated_kurtosis(h))) for side in sides.values()))
        for h in sizes.horizons
    )
    title = f"Excess kurtosis of sums over so many steps{suffix}"
    return Detail(title, ("steps", *sides), lines)


def _skewness(r: np.ndarray) -> float:
    e = r[np.isfinite(r)]
    e = e - e.mean()
    variance = float((e**2).mean())
    return float((e**3).mean()) / variance**1.5 if variance > 0 else float("nan")


def _inside(side: Side, k: int) -> float:
    z = np.abs(side.whole.acf[:k]) / side.whole.acf_error[:k]
    return float((z < 1.96).mean())


def _p(side: Side, acf: np.ndarray, k: int) -> float:
    whole = side.whole
    q = (whole.n + 2) / whole.n * (acf[:k] ** 2 * whole.pairs[:k]).sum()
    return float(chi2.sf(q, k))


def _robust(side: Side, k: int) -> float:
    z = side.whole.acf[:k] / side.whole.acf_error[:k]
    return float(chi2.sf((z**2).sum(), k))


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
