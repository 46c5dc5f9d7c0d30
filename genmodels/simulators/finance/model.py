"""What a model of prices is; the models are its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from genmodels.simulators.draws import BlockDraws

__all__ = ["Inside", "PriceModel"]


@dataclass
class Inside:
    """What happens inside the steps of one block; a model fills it where it is asked to.

    Args:
        spread: standard deviation of each log-return given its volatility and without jumps,
            shape (T, R, A), or one that expands to it.
        jumps: sum of the jumps of each step, shape (T, R, A); None: there are none.
        jump_share: of the variance of a step that is of jumps, shape (A,).
    """

    spread: Tensor | None = None
    jumps: Tensor | None = None
    jump_share: Tensor | None = None


@runtime_checkable
class PriceModel(Protocol):
    """Draws log-returns x of A assets; prices are S_t = S_0 exp(x_1 + ... + x_t).

    Constructors are keyword-only; `state` is what they take.
    """

    @property
    def name(self) -> str: ...

    @property
    def assets(self) -> int: ...

    @property
    def lacks(self) -> tuple[str, ...]:
        """Stylised facts of real prices that this model cannot make, one line each."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user of these parameters should know, one line each."""

    def state(self) -> dict[str, Any]:
        """The parameters, plain JSON."""

    def log_returns(self, draws: BlockDraws, steps: int, inside: Inside | None = None) -> Tensor:
        """Log-returns of one block, shape (T, R, A), float64; `inside` is filled where given."""
