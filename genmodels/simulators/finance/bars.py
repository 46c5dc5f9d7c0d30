"""Daily bars around simulated closes: open, high, low and volume.

A step from close to close is cut in two: a gap to the open, then the day. Inside the day the path
is a Brownian bridge from open to close with the volatility of that step.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from genmodels.simulators.draws import BlockDraws
from genmodels.simulators.finance.model import Inside
from genmodels.simulators.finance.parameters import above, at_least, within

__all__ = ["FIELDS", "Bars"]

FIELDS = ("open", "high", "low", "close", "volume")
MOST_VOLUME = 2.0**53


class Bars:
    """What a bar has beyond its close; s is the standard deviation of its log-return x.

    Gap: g = w (x - J) + sqrt(w (1 - w)) s z + J, J the jumps of the step, so that without jumps a
    Gaussian x is parted into two independent Gaussian moves of variance w s^2 and (1 - w) s^2.
    Day: a bridge at `pieces` points, then in each piece of variance q with ends a and b

        M = (a + b + sqrt((b - a)^2 - 2 q ln U)) / 2, m = (a + b - sqrt((b - a)^2 - 2 q ln U')) / 2,

    the exact laws of its maximum and its minimum. High and low are exact each for any `pieces`; of
    both together only their dependence within one piece is lost: E[(ln H / L)^2], 4 ln 2 s^2 in
    theory (Parkinson), comes out 2.3 % too large with 1 piece and within 0.3 % from 2 on.
    Volume: u = ln(V / volume), whole numbers,
    u_t = memory u_{t-1} + coupling ln((1 + |x_t| / move) / 2) + noise z.

    Args:
        overnight: share of the variance between close and open, in [0, 1), jumps included.
        pieces: of a day, at least 1.
        volume: to which it returns while moves are of the size `move`, above 0.
        move: typical |x|, above 0.
        memory: of the logarithm of the volume, in [0, 1).
        coupling: of volume and size of the move; 0: none.
        noise: standard deviation, 0 or larger.

    References:
        Karatzas and Shreve, Brownian motion and stochastic calculus, 1991, section 4.3.C (the
        maximum of a bridge).
        Parkinson, The extreme value method for estimating the variance of the rate of return, 1980.
        Tauchen and Pitts, The price variability-volume relationship on speculative markets, 1983.
    """

    def __init__(
        self,
        *,
        overnight: float,
        pieces: int,
        volume: float,
        move: float,
        memory: float,
        coupling: float,
        noise: float,
    ) -> None:
        state = {
            "overnight": overnight, "pieces": pieces, "volume": volume, "move": move,
            "memory": memory, "coupling": coupling, "noise": noise,
        }  # fmt: skip
        for key, value in state.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"bars.{key} must be a number, got {value!r}")
            if not math.isfinite(value):
                raise ValueError(f"bars.{key} must be finite, got {value:g}")
        if pieces != int(pieces) or pieces < 1:
            raise ValueError(f"bars.pieces must be a whole number from 1, got {pieces:g}")
        told = {f"bars.{key}": torch.tensor(float(value)) for key, value in state.items()}
        within("bars.overnight", told["bars.overnight"], 0.0, 0.999)
        within("bars.memory", told["bars.memory"], 0.0, 0.9999)
        for key in ("bars.volume", "bars.move"):
            above(key, told[key], 0.0)
        at_least("bars.noise", told["bars.noise"], 0.0)
        self.overnight, self.pieces, self.volume, self.move = overnight, int(pieces), volume, move
        self.memory, self.coupling, self.noise = memory, coupling, noise
        self._state = state

    def state(self) -> dict[str, Any]:
        return self._state

    def around(self, x: Tensor, inside: Inside, start: float, draws: BlockDraws) -> Tensor:
        """Bars of log-returns x.

        Args:
            x: shape (T, R, A).
            inside: what the model told of its steps.
            start: price before the first.
            draws: of the block.

        Returns:
            Shape (5, T, R, A), in the order of `FIELDS`.
        """
        assert inside.spread is not None, "models fill it"
        after = x.cumsum(0)
        before = torch.cat([torch.zeros_like(x[:1]), after[:-1]])
        gap, spread = self._gap(x, inside, draws)
        high, low = self._extremes(x - gap, spread, draws)
        opened = before + gap
        prices = torch.stack([opened, opened + high, opened + low, after]).exp_().mul_(start)
        both = prices[0], prices[3]
        prices[1] = torch.maximum(prices[1], torch.maximum(*both))  # rounding, nothing else
        prices[2] = torch.minimum(prices[2], torch.minimum(*both))
        return torch.cat([prices, self._volumes(x, draws).unsqueeze(0)])

    def _gap(self, x: Tensor, inside: Inside, draws: BlockDraws) -> tuple[Tensor, Tensor]:
        """Log of open over the last close, and the standard deviation of the day; as x."""
        assert inside.spread is not None
        share = torch.full((x.shape[2],), self.overnight, dtype=x.dtype, device=x.device)
        if inside.jump_share is not None:
            of_jumps = inside.jump_share.to(x.device)
            share = ((share - of_jumps) / (1 - of_jumps).clamp(min=1e-9)).clamp(min=0.0)
        smooth = x if inside.jumps is None else x - inside.jumps
        noise = draws.normal("gap", len(x), x.shape[2])
        gap = smooth * share + noise.mul_(inside.spread).mul_((share * (1 - share)).sqrt())
        gap = gap if inside.jumps is None else gap + inside.jumps
        return gap, (inside.spread * (1 - share).sqrt()).expand_as(x)

    def _extremes(self, move: Tensor, spread: Tensor, draws: BlockDraws) -> tuple[Tensor, Tensor]:
        """Maximum and minimum of bridges from 0 to `move`, each of the shape of `move`."""
        steps, k, assets = len(move), self.pieces, move.shape[2]
        noise = draws.normal("bridge", steps * k, assets).view(steps, k, *move.shape[1:])
        scale = (spread / math.sqrt(k)).unsqueeze(1)
        rises = noise.sub_(noise.mean(1, keepdim=True)).mul_(scale).add_(move.unsqueeze(1) / k)
        end = rises.cumsum(1)
        middle = end.mul_(2.0).sub_(rises)  # a + b
        found = []
        for stream, sign in (("high", 1.0), ("low", -1.0)):
            u = draws.uniform(stream, steps * k, assets).view_as(rises)  # type: ignore[arg-type]
            reach = torch.log1p(-u).mul_(-2.0).mul_(scale.square()).add_(rises.square()).sqrt_()
            both = reach.mul_(sign).add_(middle).div_(2.0)
            found.append(both.amax(1) if sign > 0 else both.amin(1))
        return found[0], found[1]

    def _volumes(self, x: Tensor, draws: BlockDraws) -> Tensor:
        """Whole numbers, as x."""
        noise = draws.normal("volume", len(x) + 1, x.shape[2])
        push = ((1 + x.abs() / self.move) / 2).log_().mul_(self.coupling)
        u = noise[0] * (self.noise / math.sqrt(1 - self.memory**2))
        pushed = push.add_(noise[1:].mul_(self.noise))
        for t in range(len(x)):
            u = pushed[t].add_(u, alpha=self.memory)
        return pushed.exp_().mul_(self.volume).clamp_(max=MOST_VOLUME).round_()
