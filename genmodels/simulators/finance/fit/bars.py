"""What bars have beyond their closes, fitted to real ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from genmodels.simulators.finance.bars import Bars
from genmodels.simulators.finance.fit.result import LEAST, Estimate, facts_of, lines_of

__all__ = ["FittedBars", "fit_bars"]

MOST_MEMORY = 0.99
"""Of the volume: with more its level is no longer told by the data."""


@dataclass(frozen=True)
class FittedBars:
    """Fitted bars.

    Args:
        bars: with the estimates as their parameters.
        estimates: one each.
        notes: caveats.
    """

    bars: Bars
    estimates: tuple[Estimate, ...]
    notes: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"estimates": facts_of(self.estimates), "notes": list(self.notes)}

    def lines(self) -> list[str]:
        """The same for people."""
        notes = [f"  note: {note}" for note in self.notes]
        return [
            "bars: gaps by their moments, volume by least squares",
            *lines_of(self.estimates),
            *notes,
        ]


def fit_bars(observed: Mapping[str, np.ndarray], told: Bars) -> FittedBars:
    """Share of the variance overnight by its moments, volume by least squares.

    w = sum g^2 / sum (g^2 + d^2) of gaps g and days d without their means;
    ln V_t = c + memory ln V_{t-1} + coupling ln((1 + |x_t| / move) / 2) + noise e_t.

    Args:
        observed: `series` of closes, `open`, and `volume` where there is one, shape (N,) each.
        told: what is not fitted is as it is there.

    Raises:
        ValueError: when there are no opens, or too few whole bars.
    """
    if "open" not in observed:
        raise ValueError(
            "values=bar is fitted to bars: the file needs open beside its closes (and may have "
            "volume), of one asset"
        )
    state, estimates, notes = dict(told.state()), [], []
    share = _overnight(observed["open"], observed["series"])
    state["overnight"] = share.value
    estimates.append(share)
    if "volume" in observed:
        found, dropped = _volume(observed["volume"], observed["series"])
        state |= {e.name: e.value for e in found}
        estimates += found
        if state["memory"] in (0.0, MOST_MEMORY):
            notes.append(
                f"the memory of the volume is at its bound, {state['memory']:g}: volumes remember "
                "nothing, or trend, which bars do not"
            )
        if dropped:
            notes.append(f"{dropped} bars have no volume; they are left out of its fit")
    else:
        notes.append("the file has no volume: its parameters are those of simulator.bars")
    named = tuple(Estimate(f"bars.{e.name}", e.value, e.standard_error) for e in estimates)
    return FittedBars(Bars(**state), named, tuple(notes))


def _overnight(opens: np.ndarray, closes: np.ndarray) -> Estimate:
    """The standard error is that of a ratio of means, of any law of the moves."""
    whole = np.isfinite(opens[1:]) & (opens[1:] > 0)
    if whole.sum() < LEAST:
        raise ValueError(f"a fit of bars needs {LEAST} opens above 0, got {int(whole.sum())}")
    gap = np.log(opens[1:][whole] / closes[:-1][whole])
    day = np.log(closes[1:][whole] / opens[1:][whole])
    night, both = (gap - gap.mean()) ** 2, (day - day.mean()) ** 2
    both = night + both
    share = float(night.sum() / both.sum())
    error = float((night - share * both).std()) / (len(both) ** 0.5 * float(both.mean()))
    return Estimate("overnight", min(share, 0.999), error)


def _volume(volumes: np.ndarray, closes: np.ndarray) -> tuple[list[Estimate], int]:
    """Estimates, and how many bars had no volume."""
    x = np.abs(np.diff(np.log(closes)))
    move = float(x.mean())
    known = np.isfinite(volumes) & (volumes > 0)
    pairs = known[1:] & known[:-1]
    if pairs.sum() < LEAST:
        raise ValueError(f"a fit of volumes needs {LEAST} above 0, got {int(pairs.sum())}")
    logs = np.log(np.where(known, volumes, 1.0))
    push = np.log((1 + x / move) / 2)[pairs]
    level, memory, coupling, noise = _regressed(logs[1:][pairs], logs[:-1][pairs], push)
    volume = float(np.exp(level.value))
    return [
        Estimate("volume", volume, volume * (level.standard_error or 0.0)),
        Estimate("move", move, float(x.std()) / len(x) ** 0.5),
        memory,
        coupling,
        noise,
    ], int((~known).sum())


def _regressed(after: np.ndarray, before: np.ndarray, push: np.ndarray) -> list[Estimate]:
    """Level, memory, coupling and noise of logarithms of volumes (N,), by least squares.

    Volumes that remember nothing or that trend lead to a memory outside [0, MOST]; it is taken at
    the bound then, and the others given it.
    """
    design = np.stack([np.ones(len(push)), push, before], 1)
    beta, *_ = np.linalg.lstsq(design, after, rcond=None)
    memory = float(np.clip(beta[2], 0.0, MOST_MEMORY))
    free = 3 if memory == beta[2] else 2
    if free == 2:
        found, *_ = np.linalg.lstsq(design[:, :2], after - memory * before, rcond=None)
        beta = np.append(found, memory)
    left = after - design @ beta
    noise = float(np.sqrt((left**2).sum() / (len(left) - free)))
    covariance = np.zeros((3, 3))
    used = design[:, :free]
    covariance[:free, :free] = noise**2 * np.linalg.pinv(used.T @ used)
    errors = np.sqrt(np.diag(covariance))
    level = float(beta[0]) / (1 - memory)
    # of c / (1 - memory): its slopes are 1 / (1 - memory) and level / (1 - memory)
    slope = np.array([1.0, 0.0, level]) / (1 - memory)
    return [
        Estimate("level", level, float(np.sqrt(slope @ covariance @ slope))),
        Estimate("memory", memory, float(errors[2]) if free == 3 else None),
        Estimate("coupling", float(beta[1]), float(errors[1])),
        Estimate("noise", noise, noise / (2 * len(left)) ** 0.5),
    ]
