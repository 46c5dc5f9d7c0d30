"""Several processes without a wrapper around the model."""

from __future__ import annotations

from lightning.pytorch.strategies import DDPStrategy
from torch.nn import Module

__all__ = ["UnwrappedStrategy"]


class UnwrappedStrategy(DDPStrategy):
    """Distributed data parallel training whose algorithm averages its gradients itself.

    `DistributedDataParallel` expects one backward pass over all parameters per forward pass;
    alternating updates of two networks are not that. All processes start from equal weights
    because they share the seed.
    """

    def _setup_model(self, model: Module) -> Module:  # type: ignore[override]
        return model
