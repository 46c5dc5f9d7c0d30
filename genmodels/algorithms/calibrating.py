"""Finding what makes each variable of drawn rows distributed as in training.

Variable after variable, in the order in which they are drawn, on pilot rows: what is found for one
holds before the next is looked at, so that one pass over the variables is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softmax

from genmodels.algorithms.drawing import Drawing
from genmodels.calibration import Adjustment, Calibration, ScoreMap
from genmodels.margins import Margin

__all__ = ["END", "Each", "calibrated", "in_turn", "level_offset", "score_map"]

END = 0.01  # share of the scores at each end that `ends_only` maps; fades out until twice that
_PASSES = 10  # of proportional fitting, at most
_MOST = 3.0  # of an offset: odds change by a factor of 20 at most, so a sure rule stays sure
_NEVER = -1e4  # offset of a level that training did not have
_FEWEST = 200  # pilot scores, below which the scores of a variable are left alone
_TAIL = 32  # pilot scores that tell an exponential tail


Each = Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]
"""A way to call a function on each of several things: in turn, or side by side."""


def in_turn(call: Callable[[Any], Any], things: Sequence[Any]) -> list[Any]:
    """What the function gives for each thing, one after the other."""
    return [call(thing) for thing in things]


def calibrated(
    drawing: Drawing,
    network: Any,
    likelihood: Any,
    pilot: Sequence[Tensor],
    margins: Sequence[Margin],
    *,
    ends_only: bool,
    each: Each = in_turn,
) -> Calibration:
    """Draw pilot rows, and make each variable agree with its margin as they are drawn.

    Args:
        drawing, network, likelihood: that draw rows.
        pilot: uniforms in pieces, each (B, U).
        margins: of the V variables, in the order of the layout.
        ends_only: map the ends of the scores alone, and leave the levels alone.
        each: (function, pieces) -> what it gives for each of them, in order.

    Returns:
        One adjustment per variable, as arranged.
    """
    found = [Adjustment()] * len(margins)
    pieces = [_Piece(network.start(len(u)), u) for u in pilot]
    for number, j in enumerate(network.order):
        margin = margins[drawing.plain[j]]
        inputs = each(_read(network, j, number), pieces)
        offset = None
        if len(margin.counts) and not ends_only:
            logits = torch.cat([likelihood.level_logits(j, h) for h, _ in inputs])
            offset = level_offset(logits, margin.counts)
        how = Adjustment(offset, _uncut)
        draws = each(_drawn(drawing, likelihood, j, how), list(zip(pieces, inputs, strict=True)))
        raw = [d.value if d.code is None else d.value[d.code == 0] for d in draws
               if d.value is not None]  # fmt: skip
        curve = score_map(torch.cat(raw), margin, ends_only=ends_only) if raw else None
        found[j] = Adjustment(offset, curve)
        if number + 1 < len(network.order):
            each(_noted(network, j, curve), list(zip(pieces, draws, strict=True)))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Piece:
    """Some pilot rows: what has been drawn of them, and their uniforms (B, U)."""

    state: Any
    u: Tensor


def _read(network: Any, j: int, upto: int) -> Callable[[Any], Any]:
    """Reads a piece for variable j."""

    def read(piece: _Piece) -> Any:
        return network.read(piece.state, j, upto)

    return read


def _drawn(drawing: Drawing, likelihood: Any, j: int, how: Adjustment) -> Callable[[Any], Any]:
    """Draws variable j of a piece, from what was read for it."""

    def draw(pair: tuple[_Piece, tuple[Tensor, Tensor | None]]) -> Any:
        piece, (h, shift) = pair
        return likelihood.draw(j, h, shift, drawing.uniform(piece.u, j), adjust=how)

    return draw


def _noted(network: Any, j: int, curve: ScoreMap | None) -> Callable[[Any], None]:
    """Notes what was drawn of variable j in a piece."""

    def note(pair: tuple[_Piece, Any]) -> None:
        piece, draw = pair
        placed = _placed(draw.value, draw.code, curve)
        network.observe(piece.state, j, placed, draw.code, None)

    return note


def level_offset(logits: Tensor, counts: np.ndarray) -> Tensor:
    """What to add to logits (M, levels) so that mean probabilities are in proportion to counts.

    Proportional fitting, until all are within a tenth of the sampling error of M rows:

        o_k <- clip(o_k + log(t_k / mean_i softmax(l_i + o)_k), -3, 3).

    References:
        Deming and Stephan, Annals of Mathematical Statistics 11, 1940 (proportional fitting).
    """
    total = float(counts.sum())
    seen = torch.from_numpy(counts > 0).to(logits.device)
    if total <= 0.0:
        return torch.zeros(logits.shape[1], device=logits.device)
    target = torch.from_numpy(counts / total).to(logits.device)
    offset = torch.where(seen, 0.0, _NEVER).float()
    slack = 0.1 * (target / len(logits)).sqrt()
    for _ in range(_PASSES):
        mean = softmax(logits + offset, 1).mean(0, dtype=torch.float64)
        if bool(((mean - target).abs() <= slack)[seen].all()):
            break
        step = (target / mean.clamp(min=1e-12)).log()
        step = (offset.double() + step).clamp(-_MOST, _MOST)
        offset = torch.where(seen, step, _NEVER).float()
    return offset


def score_map(pilot: Tensor, margin: Margin, *, ends_only: bool) -> ScoreMap | None:
    """The map of pilot scores (M,), which are not cut to [-1, 1], to those of training.

    The pilot's quantile at each share of the margin goes to the margin's. With `ends_only` it
    does so in the outermost hundredth at each end alone; over the next hundredth this fades
    into staying where it is. Whatever lies beyond the first or last share gets the smallest or
    largest score of training: both occur as often as there, and nothing lies beyond them.

    Returns:
        None where training had no two scores, or the pilot too few to tell.
    """
    if not len(margin.shares) or len(pilot) < _FEWEST:
        return None
    shares = torch.from_numpy(margin.shares)
    to = torch.from_numpy(margin.scores)
    at = _quantiles(pilot.double().cpu().sort().values, shares)
    if ends_only:
        outside = torch.minimum(shares, 1.0 - shares)
        weight = ((2.0 * END - outside) / END).clamp(0.0, 1.0)
        inner = torch.lerp(at, to, weight).clamp(float(to[0]), float(to[-1]))
        to = torch.cat([to[:1], inner[1:-1], to[-1:]]).cummax(0).values
    return ScoreMap(at=at.to(pilot.device), to=to.to(pilot.device))


def _quantiles(ordered: Tensor, shares: Tensor) -> Tensor:
    """Quantiles (K,) of ascending scores (M,); beyond the last 32 of them by exponential tails.

    One pilot score alone would tell the place of the last row in so many badly: the mean distance
    of the 32 outermost ones from the next tells it to a fifth or so.
    """
    rows = len(ordered)
    place = (shares * rows - 0.5).clamp(0, rows - 1)
    low = place.floor().long()
    high = (low + 1).clamp(max=rows - 1)
    at = torch.lerp(ordered[low], ordered[high], place - low)
    edge, tail = _TAIL / rows, _TAIL
    first, last = ordered[tail], ordered[-tail - 1]
    below, above = first - ordered[:tail].mean(), ordered[-tail:].mean() - last
    left = (edge / shares).log().clamp(min=0.0)
    right = (edge / (1.0 - shares)).log().clamp(min=0.0)
    at = torch.where(shares < edge, first - below * left, at)
    at = torch.where(1.0 - shares < edge, last + above * right, at)
    return at.cummax(0).values


def _uncut(scores: Tensor) -> Tensor:
    return scores


def _placed(value: Tensor | None, code: Tensor | None, curve: ScoreMap | None) -> Tensor | None:
    """Scores (B,) as they will be drawn; 0 where they do not count."""
    if value is None:
        return None
    value = value.clamp(-1.0, 1.0) if curve is None else curve(value)
    return value if code is None else torch.where(code == 0, value, 0.0)
