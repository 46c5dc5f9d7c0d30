"""R0, reporting rate and start of an epidemic from daily counts of reported cases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genmodels.simulators.health.course import course_of
from genmodels.simulators.health.epidemic import Epidemic
from genmodels.simulators.health.fit.counts import (
    LARGEST,
    WORDS,
    Counts,
    dispersion,
    log_likelihood,
)
from genmodels.simulators.health.fit.result import CaseFit, Estimate
from genmodels.simulators.health.mean_field import expected_onsets
from genmodels.simulators.health.parameters import whole
from genmodels.simulators.health.reporting import Reporting

__all__ = ["fit_cases"]

LEAST_DAYS, LEAST_CASES, LEAST_RUNS = 14, 50, 20
SATURATED, TOOK_OFF = 0.1, 0.2
POISSON = LARGEST / 100


def fit_cases(
    counts: np.ndarray,
    *,
    model: Epidemic,
    reporting: Reporting,
    finds: Sequence[str],
    bootstrap: int,
) -> CaseFit:
    """Maximum likelihood about the course of a large epidemic, errors by simulated epidemics.

    y_t ~ NB(mean mu_t, variance mu_t + mu_t^2 / k), mu_t the expected count of the day: that of
    the chain of steps without chance, times the reporting rate, delayed as reports are. The first
    count is that of day 0.

    The chance of an epidemic itself moves whole curves, which the curvature of this likelihood
    does not know: by it, intervals of R0 would be half as wide as they must be. Errors are
    therefore the deviations of the estimates from epidemics simulated with them, refitted.

    Args:
        counts: y, shape (T,).
        model: population, contacts, periods and policy, which are taken as they are.
        reporting: delay and weekends, likewise.
        finds: what is estimated, of `model.disease.r0`, `reporting.rate` and `model.initial`; the
            rest is as it is told. k always is.
        bootstrap: simulated epidemics.

    Raises:
        ValueError: when these cannot be fitted.

    References:
        Bretó, He, Ionides and King, Time series analysis via mechanistic models, 2009: counts
        vary more than those of Poisson. Efron and Tibshirani, An introduction to the bootstrap,
        1993, section 6.5: the parametric bootstrap.
    """
    wrong = [name for name in finds if name not in WORDS]
    if wrong or not finds:
        raise ValueError(
            f"simulator.fit.finds must be some of {', '.join(WORDS)}, got {list(finds)}"
        )
    runs = whole("simulator.fit.bootstrap", bootstrap, least=LEAST_RUNS)
    y = _checked(counts)
    found = tuple(name for name in WORDS if name in finds)
    problem = Counts(model=model, reporting=reporting, finds=found, days=len(y))
    free, k = _best(problem, y)
    r0, rate, start = problem.natural(free)[0].tolist()
    fitted = model.with_values(r0=r0, initial=max(1, round(start)))
    errors = _errors(problem, y, free, k, fitted, reporting.with_rate(rate), runs)
    values = dict(zip(WORDS, (r0, rate, start), strict=True))
    estimates = [Estimate(WORDS[name], values[name], errors[name]) for name in found]
    return CaseFit(
        model=fitted,
        reporting=reporting.with_rate(rate),
        estimates=(*estimates, Estimate("dispersion", k, None)),
        method="maximum likelihood about a large epidemic, errors from simulated ones",
        observations=len(y),
        log_likelihood=float(log_likelihood(y[:, None], problem.means(free), k)[0]),
        notes=_notes(problem, free, k, errors),
    )


def _checked(counts: np.ndarray) -> np.ndarray:
    y = np.asarray(counts, dtype=np.float64)
    wrong = np.flatnonzero(~(np.isfinite(y) & (y >= 0) & (y == np.round(y))))
    if len(wrong):
        raise ValueError(
            f"counts of cases must be whole numbers from 0, one for each day; row {wrong[0] + 1} "
            f"holds {y[wrong[0]]:g}"
        )
    if len(y) < LEAST_DAYS:
        raise ValueError(f"a fit needs the counts of at least {LEAST_DAYS} days, got {len(y)}")
    if y.sum() < LEAST_CASES:
        raise ValueError(f"a fit needs at least {LEAST_CASES} cases, got {y.sum():g}")
    return y


def _best(problem: Counts, y: np.ndarray) -> tuple[np.ndarray, float]:
    """The free parameters (1, F) and the dispersion of the largest likelihood that was found."""
    points = problem.starts(y, most=4)
    k = float(max(1.0, y.mean() / 10))
    for _ in range(3):
        series = np.tile(y[:, None], len(points))
        points = problem.scored(series, points, k)
        heights = log_likelihood(series, problem.means(points), k)
        points = points[[int(np.argmax(heights))]]
        k = dispersion(y, problem.means(points)[:, 0])
    return problem.scored(y[:, None], points, k), k


def _errors(
    problem: Counts,
    y: np.ndarray,
    free: np.ndarray,
    k: float,
    fitted: Epidemic,
    reporting: Reporting,
    runs: int,
) -> dict[str, float | None]:
    """Deviations of the estimates from simulated epidemics that took off, by name."""
    course = course_of(fitted.lasting(len(y)), reporting, seed=0, block=0, runs=runs)
    drawn = course.reported.sum(2)[: len(y)].astype(np.float64)
    drawn = drawn[:, drawn.sum(0) > TOOK_OFF * y.sum()]
    if drawn.shape[1] < LEAST_RUNS:
        return dict.fromkeys(WORDS)
    if k < POISSON:
        # The epidemic is simulated with its own chance; k is that of counting, and of the rest.
        rng = np.random.default_rng(0)
        drawn = rng.poisson(drawn * rng.gamma(k, 1.0 / k, drawn.shape)).astype(np.float64)
    points = problem.scored(drawn, np.tile(free, (drawn.shape[1], 1)), k)
    deviation = problem.natural(points).std(0, ddof=1)
    return dict(zip(WORDS, map(float, deviation), strict=True))


def _notes(
    problem: Counts, free: np.ndarray, k: float, errors: dict[str, float | None]
) -> tuple[str, ...]:
    """What counts of cases do not tell."""
    r0, rate, start = problem.natural(free).T
    onsets = expected_onsets(problem.model, r0=r0, initial=start, days=problem.days)
    infected, size = float(onsets.sum()), problem.model.population.size
    notes = [
        f"the population of {size:,}, contacts, periods, delays and policy are taken as told. "
        "Counts tell reporting rate times population: of a population twice as large the rate "
        "would be half"
    ]
    if infected / size < SATURATED:
        notes.append(
            f"only {infected / size:.1%} of the population were infected in these days: as long as "
            "growth is exponential, a higher reporting rate with a smaller start fits as well"
        )
    if float(rate[0]) > 0.99 and "reporting.rate" in problem.finds:
        notes.append(
            "the reporting rate is at its bound: there are more cases than so many people have, or "
            "periods and contacts are others"
        )
    if k >= POISSON:
        notes.append("the dispersion is at its bound: counts vary as those of Poisson do")
    if None in errors.values():
        notes.append("no standard errors: most epidemics simulated with these estimates die out")
    return tuple(notes)
