"""Simulated prices beside closed forms, other people's programs and their own parameters.

Each check returns plain numbers; `z` is a distance in standard errors of the simulation.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from common import HERE

sys.path.insert(0, str(HERE.parents[1]))
from genmodels.simulators.finance.fit.garch import fit_garch
from genmodels.simulators.finance.fit.gbm import fit_gbm
from genmodels.simulators.finance.fit.merton import fit_merton
from genmodels.simulators.finance.fit.regime_switching import fit_regime_switching
from genmodels.simulators.finance.garch import GARCH
from genmodels.simulators.finance.gbm import GBM
from genmodels.simulators.finance.heston import Heston
from genmodels.simulators.finance.merton import Merton
from tests.simulators.prices import (
    JUMPS,
    MODELS,
    RATE,
    SMILE,
    SPOT,
    STRIKES,
    WILD,
    call_by_simulation,
    heston_call,
    merton_call,
    simulated,
)

PLAIN = GARCH(mu=5e-4, omega=4e-6, alpha=0.08, beta=0.88)
FITTED: dict[str, tuple[Any, Callable[[np.ndarray], Any]]] = {
    "gbm": (MODELS["gbm"], fit_gbm),
    "merton": (MODELS["merton"], fit_merton),
    "garch, normal": (PLAIN, lambda x: fit_garch(x, leverage=False, student=False)),
    "garch, GJR and t": (MODELS["garch"], fit_garch),
    "regime_switching": (MODELS["regime_switching"], fit_regime_switching),
}


def moments(paths: int) -> list[dict[str, Any]]:
    """Mean and variance of GBM; variance and fourth moment of GARCH and of GJR."""
    mu, sigma, years = 0.08, 0.3, 2.0
    model = GBM(mu=mu, sigma=sigma, steps_per_year=8 / years)
    last = simulated(model, paths, steps=8, seed=1).sum(0).exp()[:, 0].numpy()
    mean = math.exp(mu * years)
    variance = mean**2 * (math.exp(sigma**2 * years) - 1)
    found = [
        _beside("gbm, mean of S_T / S_0", last, mean),
        _beside("gbm, variance of S_T / S_0", (last - mean) ** 2, variance),
    ]
    omega, alpha, beta = 1e-5, 0.08, 0.8
    for gamma, name in ((0.0, "garch"), (0.1, "garch, GJR")):
        model = GARCH(mu=0.0, omega=omega, alpha=alpha, beta=beta, gamma=gamma)
        x = simulated(model, paths // 25, steps=400, seed=5)[200:, :, 0].numpy()
        level = omega / (1 - alpha - beta - gamma / 2)
        second = 3 * (alpha**2 + alpha * gamma + gamma**2 / 2) + beta**2
        second += 2 * beta * (alpha + gamma / 2)
        square = (omega**2 + 2 * omega * level * (alpha + beta + gamma / 2)) / (1 - second)
        found.append(_beside(f"{name}, variance", (x**2).mean(0), level))
        found.append(_beside(f"{name}, fourth moment", (x**4).mean(0), 3 * square))
    return found


def _beside(name: str, values: np.ndarray, expected: float) -> dict[str, Any]:
    error = float(values.std()) / math.sqrt(len(values))
    value = float(values.mean())
    return {"name": name, "value": value, "expected": expected, "z": (value - expected) / error}


def options(paths: int) -> list[dict[str, Any]]:
    """Calls of a year by simulation, by formula, and by QuantLib where it is installed."""
    found = []
    for name, kind, values, formula, steps in (
        ("merton", Merton, JUMPS, merton_call, 12),
        ("heston", Heston, SMILE, heston_call, 64),
        ("heston, touches 0", Heston, WILD, heston_call, 64),
    ):
        model = kind(mu=RATE, **values, steps_per_year=steps)
        for strike in STRIKES:
            price, error = call_by_simulation(
                model, strike, paths=paths, steps=steps, years=1.0, seed=2
            )
            expected = formula(strike, 1.0, **values)
            found.append(
                {
                    "name": f"{name}, strike {strike:g}",
                    "value": price,
                    "error": error,
                    "expected": expected,
                    "quantlib": quantlib(name, strike, values),
                    "z": (price - expected) / error,
                }
            )
    return found


def quantlib(name: str, strike: float, values: dict[str, float]) -> float | None:
    """The price by QuantLib's analytic engine; None where QuantLib is not installed."""
    try:
        import QuantLib as ql
    except ImportError:
        return None
    today = ql.Date(1, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    day = ql.Actual365Fixed()
    rate, none = (ql.YieldTermStructureHandle(ql.FlatForward(today, r, day)) for r in (RATE, 0.0))
    spot = ql.QuoteHandle(ql.SimpleQuote(SPOT))
    if name == "merton":
        # Heston's variance at rest with jumps of Bates: Merton's model, whose engine Python lacks.
        rest = [values["sigma"] ** 2, 1.0, values["sigma"] ** 2, 1e-4, 0.0]
        jumps = [values[key] for key in ("intensity", "jump_mean", "jump_std")]
        process = ql.BatesProcess(rate, none, spot, *rest, *jumps)
        engine = ql.BatesEngine(ql.BatesModel(process), 1e-9, 100_000)
    else:
        order = [values[key] for key in ("v0", "kappa", "theta", "xi", "rho")]
        process = ql.HestonProcess(rate, none, spot, *order)
        engine = ql.AnalyticHestonEngine(ql.HestonModel(process), 1e-9, 100_000)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call, strike)
    option = ql.EuropeanOption(payoff, ql.EuropeanExercise(today + 365))
    option.setPricingEngine(engine)
    return float(option.NPV())


def coverage(fits: int, steps: int) -> dict[str, dict[str, float]]:
    """Share of 95 % intervals that hold the truth, by model and parameter."""
    return {name: _coverage(*one, fits=fits, steps=steps) for name, one in FITTED.items()}


def _coverage(
    model: Any, fit: Callable[[np.ndarray], Any], *, fits: int, steps: int
) -> dict[str, float]:
    x = simulated(model, fits, steps=steps, seed=11)[..., 0].numpy()
    truth, hits = _flat(model.state()), {}
    for path in range(fits):
        prices = np.exp(np.concatenate([[0.0], x[:, path].cumsum()]))
        for e in fit(prices).estimates:
            error = math.nan if e.standard_error is None else e.standard_error
            hits.setdefault(e.name, []).append(abs(e.value - truth[e.name]) < 1.96 * error)
    return {name: float(np.mean(found)) for name, found in hits.items()}


def _flat(state: dict[str, Any]) -> dict[str, Any]:
    """Parameters by the names of estimates: lists are numbered."""
    out: dict[str, Any] = {}
    for key, value in state.items():
        for i, part in enumerate(value if isinstance(value, list) else []):
            for j, entry in enumerate(part if isinstance(part, list) else []):
                out[f"{key}[{i}][{j}]"] = entry
            out[f"{key}[{i}]"] = part
        out[key] = value
    return out
