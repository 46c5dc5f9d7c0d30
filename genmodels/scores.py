"""What a score means, how networks see it, and how a mixture draws it.

A score in [-1, 1] is a normal score y, divided by `SPREAD`; its distribution function is that of
the training rows, as well as the codec knows it.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["DRAWS", "FURTHEST", "LOG_SCALES", "SPREAD", "middles", "piecewise_linear"]

SPREAD = 4.0  # scores in [-1, 1] are so many standard deviations to either side
FURTHEST = 6.0  # standardised values are cut here
LOG_SCALES = (-7.0, 3.0)  # of the components of a mixture over y
DRAWS = 3  # uniforms per variable: for the level, the component, the place in it


def piecewise_linear(u: Tensor, steps: Tensor) -> Tensor:
    """clip(cells u - k, 0, 1) for k = 0 ... cells - 1.

    Args:
        u: in [0, 1], shape (...,).
        steps: the k, shape (cells,).

    Returns:
        Shape (..., cells).

    References:
        Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning", 2022,
        section 3.1.
    """
    return (u.unsqueeze(-1) * len(steps) - steps).clamp_(0.0, 1.0)


def middles(count: int) -> Tensor:
    """The middles of `count` equal parts of [0, 1], float64."""
    return (torch.arange(count, dtype=torch.float64) + 0.5) / count
