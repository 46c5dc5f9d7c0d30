"""What a model of prices is; the models are its neighbours."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from genmodels.simulators.draws import BlockDraws

__all__ = ["PriceModel"]


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

    def log_returns(self, draws: BlockDraws, steps: int) -> Tensor:
        """Log-returns of one block, shape (T, R, A), float64."""
