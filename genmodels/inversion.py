"""The first level whose cumulative probability exceeds a uniform number, by torch and by numpy.

A number just below 1, or its product with the sum of all, may have been rounded up: both then take
what comes before, so that a level of probability zero is never drawn.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor

__all__ = ["invert", "invert_rows", "search"]


_VECTOR = 16
"""Levels from which torch's softmax of rows fills a processor's vectors."""


def invert(logits: Tensor, u: Tensor) -> Tensor:
    """Logits (B, K) and uniforms (B,) in [0, 1) -> levels int64 (B,)."""
    if logits.shape[1] < _VECTOR and logits.device.type == "cpu":
        rows = logits.t().clone(memory_format=torch.contiguous_format)
        return torch.from_numpy(invert_rows(rows.numpy(), u.numpy())).long()
    upto = logits.softmax(1).cumsum(1)
    total = upto[:, -1:]
    return search(upto, u[:, None], below=torch.zeros_like(total), above=total).squeeze(1)


def search(running: Tensor, u: Tensor, *, below: Tensor, above: Tensor) -> Tensor:
    """The first place of a running sum that exceeds below + u (above - below).

    Args:
        running: sums, ascending, shape (B, K).
        u: in [0, 1), shape (B, Q).
        below, above: sums between which to look, shape (B, Q).

    Returns:
        int64, shape (B, Q).
    """
    target = torch.minimum(below + u * (above - below), torch.nextafter(above, below))
    return torch.searchsorted(running, target, right=True)


def invert_rows(logits: np.ndarray, u: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """As `invert` with levels as rows, by numpy's cheap calls: several times as fast on a CPU.

    Args:
        logits: shape (K, B); overwritten.
        u: uniform in [0, 1), shape (B,).
        out: int32 (B,) to write to.

    Returns:
        Levels, int32 (B,).
    """
    logits -= logits.max(0)
    rows = list(np.exp(logits, out=logits))
    for below, row in itertools.pairwise(rows):
        row += below
    target = rows[-1] * np.minimum(u, 1.0 - np.finfo(logits.dtype).eps)
    passed = logits[:-1] <= target
    found: np.ndarray = passed.view(np.uint8).sum(0, dtype=np.int32, out=out)
    return found
