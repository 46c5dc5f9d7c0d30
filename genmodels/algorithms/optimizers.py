"""Building optimizers and stepping them: the parts of a training step that know no model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

__all__ = ["OptimizerFactory", "average_gradients", "averaged", "build_optimizer", "gradient_norm"]

FUSED_DEVICES = ("cuda", "cpu")


class OptimizerFactory(Protocol):
    """An optimizer that still misses its parameters, `functools.partial(Adam, lr=...)`."""

    def __call__(self, params: Iterable[nn.Parameter]) -> torch.optim.Optimizer: ...


def build_optimizer(
    factory: OptimizerFactory, params: Sequence[nn.Parameter]
) -> torch.optim.Optimizer:
    """Call the factory; betas become floats and Adam runs fused where the device can.

    Adam refuses a pair such as (0, 0.99), which is what YAML makes of `[0, 0.99]`.
    """
    if not isinstance(factory, partial):
        return factory(params)
    options = dict(factory.keywords)
    if "betas" in options:
        options["betas"] = tuple(float(beta) for beta in options["betas"])
    adam = factory.func in (torch.optim.Adam, torch.optim.AdamW)
    if adam and all(p.device.type in FUSED_DEVICES for p in params):
        options.setdefault("fused", True)
    return factory.func(params, **options)


def average_gradients(params: Sequence[nn.Parameter]) -> None:
    """Average the gradients over all processes in one message; nothing to do in one process.

    Parameters without a gradient here count as zero, so that all processes send one shape.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return
    for p in params:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    gradients = [p.grad for p in params if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    pieces = flat.split([g.numel() for g in gradients])
    torch._foreach_copy_(gradients, [p.view_as(g) for p, g in zip(pieces, gradients, strict=True)])


def averaged(value: Tensor) -> Tensor:
    """The mean over all processes of a number without a graph; itself in one process."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return value
    mean = value.clone()
    torch.distributed.all_reduce(mean)
    return mean / torch.distributed.get_world_size()


def gradient_norm(params: Sequence[nn.Parameter]) -> Tensor:
    """Euclidean norm of all gradients together, a scalar tensor on their device."""
    gradients = [p.grad for p in params if p.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)
