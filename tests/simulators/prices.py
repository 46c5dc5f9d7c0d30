"""Models of prices for tests, simulated series, and option prices by formula and by simulation."""

import math

import numpy as np
import torch
from scipy.integrate import quad
from scipy.stats import norm, poisson

from genmodels.simulators.finance.garch import GARCH
from genmodels.simulators.finance.gbm import GBM
from genmodels.simulators.finance.heston import Heston
from genmodels.simulators.finance.merton import Merton
from genmodels.simulators.finance.paths import log_returns
from genmodels.simulators.finance.regime_switching import RegimeSwitching

STRIKES = (80.0, 100.0, 120.0)
RATE, SPOT = 0.03, 100.0
JUMPS = {"sigma": 0.15, "intensity": 2.0, "jump_mean": -0.1, "jump_std": 0.15}
SMILE = {"kappa": 2.0, "theta": 0.04, "xi": 0.5, "rho": -0.7, "v0": 0.05}
WILD = {"kappa": 0.5, "theta": 0.04, "xi": 1.0, "rho": -0.9, "v0": 0.04}
MODELS = {
    "gbm": GBM(mu=0.05, sigma=0.2),
    "merton": Merton(mu=0.05, sigma=0.15, intensity=5.0, jump_mean=-0.02, jump_std=0.03),
    "heston": Heston(mu=0.05, kappa=3.0, theta=0.04, xi=0.4, rho=-0.6),
    "garch": GARCH(mu=4e-4, omega=2e-6, alpha=0.04, beta=0.89, gamma=0.08, nu=6.0),
    "regime_switching": RegimeSwitching(
        means=[8e-4, -1e-3], volatilities=[0.007, 0.02], transitions=[[0.98, 0.02], [0.05, 0.95]]
    ),
}


def simulated(model, paths, *, steps, seed=0, start=0):
    """Log-returns (T, N, A)."""
    found = log_returns(model, start, start + paths, steps=steps, seed=seed)
    return torch.cat(list(found), 1)


def closes(model, *, steps, seed):
    """One path of one asset, shape (T + 1,)."""
    x = simulated(model, 1, steps=steps, seed=seed)[:, 0, 0].numpy()
    return 100.0 * np.exp(np.concatenate([[0.0], x.cumsum()]))


def call_by_simulation(model, strike, *, paths, steps, years, seed=0):
    """Price of a European call and its standard error."""
    last = SPOT * simulated(model, paths, steps=steps, seed=seed)[..., 0].sum(0).exp()
    pay = math.exp(-RATE * years) * (last - strike).clamp(min=0.0)
    return float(pay.mean()), float(pay.std()) / math.sqrt(paths)


def black_scholes(strike, years, sigma, rate=RATE):
    spread = sigma * math.sqrt(years)
    d1 = (math.log(SPOT / strike) + (rate + sigma**2 / 2) * years) / spread
    return SPOT * norm.cdf(d1) - strike * math.exp(-rate * years) * norm.cdf(d1 - spread)


def merton_call(strike, years, *, sigma, intensity, jump_mean, jump_std):
    """Merton 1976, eq. 16: a Poisson mixture of prices of Black and Scholes."""
    growth = math.exp(jump_mean + jump_std**2 / 2) - 1
    total = 0.0
    for n in range(80):
        weight = poisson.pmf(n, intensity * (1 + growth) * years)
        rate = RATE - intensity * growth + n * math.log(1 + growth) / years
        total += weight * black_scholes(
            strike, years, math.sqrt(sigma**2 + n * jump_std**2 / years), rate
        )
    return total


def heston_call(strike, years, *, kappa, theta, xi, rho, v0):
    """S P_1 - K e^(-rT) P_2 of the characteristic function, in the form without branch cuts."""

    def phi(u):
        beta = kappa - rho * xi * 1j * u
        d = np.sqrt(beta**2 + xi**2 * (1j * u + u**2))
        g = (beta - d) / (beta + d)
        e = np.exp(-d * years)
        c = kappa * theta / xi**2 * ((beta - d) * years - 2 * np.log((1 - g * e) / (1 - g)))
        v = v0 / xi**2 * (beta - d) * (1 - e) / (1 - g * e)
        return np.exp(c + v + 1j * u * (math.log(SPOT) + RATE * years))

    def probability(shift):
        scale = phi(-1j) if shift else 1.0

        def integrand(u):
            value = np.exp(-1j * u * math.log(strike)) * phi(u - 1j * shift) / (1j * u * scale)
            return value.real

        return 0.5 + quad(integrand, 1e-10, 300.0, limit=500)[0] / math.pi

    return SPOT * probability(1) - strike * math.exp(-RATE * years) * probability(0)
