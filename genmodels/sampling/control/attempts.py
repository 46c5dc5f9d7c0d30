"""One attempt at rows that are asked for something: given evidence, weighted, or merely told.

A model that takes evidence draws what is not known given what is. Any other one is told what its
condition vector can say, and whether its rows are as asked is seen afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from genmodels.algorithms.base import Controllable
from genmodels.evidence import Evidence
from genmodels.layout import Condition, TableLayout
from genmodels.sampling.control.control import Part
from genmodels.sampling.control.given import restricted
from genmodels.sampling.draws import Draws
from genmodels.types import Encoded
from genmodels.variables import variables

__all__ = ["Source", "attempted", "takes_evidence"]


class Source(Protocol):
    """What is needed of a sampler."""

    model: Any
    codec: Any
    draws: Draws
    device: torch.device

    def condition(self, number: int, attempt: int = 0) -> tuple[Tensor, np.ndarray | None]:
        """Condition vectors (R, K) of a block."""

    def passes(self, call: Callable[..., Any], *inputs: Tensor) -> list[Any]:
        """`call` on pieces of the inputs (M, ...) that fit a core's cache."""


def takes_evidence(model: Any) -> bool:
    """Whether a model draws the rest of rows whose parts are known."""
    return isinstance(model, Controllable)


def attempted(
    source: Source,
    part: Part,
    known: Evidence,
    number: int,
    attempt: int,
    rows: np.ndarray,
    *,
    candidates: int,
) -> Encoded:
    """Draw some rows of a block.

    Args:
        source: the sampler.
        part: of the block, with all of the rows.
        known: what known cells say about the rows of the block (R,).
        number: of the block.
        attempt: from 0.
        rows: positions in the block (M,).
        candidates: rows drawn for one kept where something is known or restricted.

    Returns:
        The encoded rows (M,), on the host.
    """
    layout = source.codec.layout
    evidence = restricted(known, part.request.limits, variables(layout))
    if not takes_evidence(source.model):
        return _told(source, evidence, number, attempt, rows)
    evidence = _rows_of(evidence, rows)
    first = attempt * candidates
    encoded, weight = _drawn(source, evidence, part.temper, number, first, rows)
    several = _told_something(evidence)
    if candidates == 1 or not several.any():
        return encoded
    some = _Reservoir({name: value[several] for name, value in encoded.items()}, weight[several])
    again, about = rows[several.numpy()], _rows_of(evidence, np.flatnonzero(several.numpy()))
    choice = source.draws.rng(number, "choice", attempt=attempt)
    for candidate in range(first + 1, first + candidates):
        drawn = _drawn(source, about, part.temper, number, candidate, again)
        some.add(*drawn, choice.random(source.draws.block_rows)[again])
    return {name: value.index_put((several,), some.kept[name]) for name, value in encoded.items()}


class _Reservoir:
    """One of several candidates for each row: candidate j is kept in proportion to its weight.

    It replaces what was kept before with probability w_j / sum_{i <= j} w_i.

    Args:
        encoded: the first candidates (M,).
        weight: their log-weights, float64 (M,).
    """

    def __init__(self, encoded: Encoded, weight: Tensor) -> None:
        self.kept = encoded
        self.total = weight

    def add(self, encoded: Encoded, weight: Tensor, uniform: np.ndarray) -> None:
        """Let the next candidates (M,) compete, by uniforms (M,) in [0, 1)."""
        self.total = torch.logaddexp(self.total, weight)
        taken = torch.from_numpy(uniform).log() < weight - self.total
        self.kept = {
            name: torch.where(taken[:, None], encoded[name], old) for name, old in self.kept.items()
        }


def _told_something(evidence: Evidence) -> Tensor:
    """Which rows (M,) are not drawn freely, so that candidates weigh differently."""
    known = evidence.known
    if evidence.restricted:
        return ~known.all(1)
    return known.any(1) & ~known.all(1)


def _told(
    source: Source, evidence: Evidence, number: int, attempt: int, rows: np.ndarray
) -> Encoded:
    """Rows of a model that takes a condition vector at most."""
    model = source.model
    sizes = model.latent_dim, model.noise_dim
    z, u = source.draws.block(number, *sizes, source.device, attempt=attempt)
    c, _ = source.condition(number, attempt)
    c = _one_told(c, evidence, model.condition, source.codec.layout)
    at = torch.from_numpy(rows).to(source.device)
    return _joined(source.passes(model.sample, z[at], c[at], u[at]))


def _drawn(
    source: Source,
    evidence: Evidence,
    temper: float,
    number: int,
    attempt: int,
    rows: np.ndarray,
) -> tuple[Encoded, Tensor]:
    """Rows given evidence, and their log-weights float64 (M,)."""
    model, device = source.model, source.device
    sizes = model.latent_dim, model.noise_dim
    z, u = source.draws.block(number, *sizes, device, attempt=attempt)
    at = torch.from_numpy(rows).to(device)
    if not evidence.restricted and not bool(evidence.known.any()):
        c, _ = source.condition(number, attempt)

        def free(z: Tensor, c: Tensor, u: Tensor) -> Encoded:
            return model.sample(z, c, u, temper=temper)

        encoded = _joined(source.passes(free, z[at], c[at], u[at]))
        return encoded, torch.zeros(len(rows), dtype=torch.float64)

    def given(u: Tensor, places: Tensor) -> tuple[Encoded, Tensor]:
        about = _rows_of(evidence, places.cpu().numpy()).to(device)
        return model.sample_weighted(u, about, temper=temper)

    found = source.passes(given, u[at], torch.arange(len(rows)))
    weight = torch.cat([weight.double().cpu() for _, weight in found])
    return _joined([encoded for encoded, _ in found]), weight


def _rows_of(evidence: Evidence, rows: np.ndarray) -> Evidence:
    """The evidence about some rows (M,)."""
    at = torch.from_numpy(rows)
    return replace(
        evidence, values=evidence.values[at], codes=evidence.codes[at], known=evidence.known[at]
    )


def _one_told(c: Tensor, evidence: Evidence, condition: Condition, layout: TableLayout) -> Tensor:
    """Condition vectors (R, K) that tell each row the first known level that can be told."""
    open_rows = torch.ones(len(c), dtype=torch.bool)
    by_code = {v.code: i for i, v in enumerate(variables(layout)) if v.code is not None}
    for group, offset in zip(condition.groups, condition.offsets, strict=True):
        if group.code is None or group.code not in by_code:
            continue
        told = evidence.known[:, by_code[group.code]] & open_rows
        rows = torch.nonzero(told).flatten().to(c.device)
        level = evidence.codes[told, group.code].long().to(c.device)
        c[rows] = 0.0
        c[rows, offset + level] = 1.0
        open_rows &= ~told
    return c


def _joined(parts: list[Encoded]) -> Encoded:
    """Pieces of encoded rows in one, on the host."""
    names = parts[0]
    whole = {name: torch.cat([part[name] for part in parts]).cpu() for name in names}
    return {name: v.float() if v.is_floating_point() else v for name, v in whole.items()}
