"""Which weights to sample with: of each variable, those that did best on the validation rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genmodels.algorithms.base import frozen_copy

__all__ = ["Chosen"]


class Chosen(nn.Module):
    """The best weights so far: first of all variables together, then of each one alone.

    Variables overfit at different times. As long as their sum improves, the weights are taken
    as they are. When it does not for the first time, training goes back to the best ones, what
    the variables share is held fast, and from then on each keeps the weights of its own best
    measurement. Parts without `variable_axes` stay with the sum.

    Args:
        average: the modules whose weights are chosen from, by name.
        count: number V of variables.
    """

    best: Tensor
    apart: Tensor

    def __init__(self, average: nn.ModuleDict, *, count: int) -> None:
        super().__init__()
        self.modules_by_name = frozen_copy(average)
        self.register_buffer("best", torch.full((count,), torch.inf))
        self.register_buffer("apart", torch.zeros((), dtype=torch.bool))
        axes = {name: _axes(module) for name, module in average.items()}
        self.separable = all(found is not None for found in axes.values())
        self.axes = {
            f"{name}.{key}": place
            for name, found in axes.items()
            for key, place in (found or {}).items()
        }

    @property
    def empty(self) -> bool:
        """Whether nothing was measured yet."""
        return bool(torch.isinf(self.best).any())

    @torch.no_grad()
    def consider(self, average: nn.ModuleDict, losses: Tensor) -> bool:
        """Take what is better.

        Args:
            average: weights to choose from.
            losses: of each variable on the validation rows, shape (V,).

        Returns:
            Whether training should go back to the chosen weights.
        """
        if not bool(torch.isfinite(losses).all()):
            return False
        if bool(self.apart):
            self._take(average, losses < self.best)
            self.best.copy_(torch.minimum(self.best, losses))
            return False
        if self.empty or bool(losses.sum() < self.best.sum()):
            self.modules_by_name.load_state_dict(average.state_dict())
            self.best.copy_(losses)
            return False
        if self.separable:
            self.apart.fill_(True)
        return self.separable

    def shared(self, module: nn.ModuleDict) -> list[nn.Parameter]:
        """The parameters that no variable has for itself."""
        return [p for name, p in module.named_parameters() if name not in self.axes]

    def _take(self, average: nn.ModuleDict, better: Tensor) -> None:
        source = dict(average.named_parameters())
        for name, held in self.modules_by_name.named_parameters():
            if name not in self.axes:
                continue
            axis, part = self.axes[name]
            shape = [1] * held.ndim
            shape[axis] = -1
            held.copy_(torch.where(better[part].view(shape), source[name], held))


def _axes(module: Any) -> dict[str, tuple[int, slice]] | None:
    """Axis of the variables in each parameter, and which variables; None: they share weights."""
    find = getattr(module, "variable_axes", None)
    return None if find is None else find()
