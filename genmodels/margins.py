"""What a run keeps of the distribution of each variable in training, apart from all others.

Counts of levels, and quantiles of scores with several rows behind each: summaries that name no
row. Who wants a sample to agree with them is written elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from genmodels.layout import TableLayout
from genmodels.types import Encoded
from genmodels.variables import Variable, variables

__all__ = ["Margin", "margins_from_state", "margins_of", "margins_state"]

_ROWS = 8  # rows between two quantiles, at least
_EVEN, _TAILS = 256, 128  # quantiles at even shares, and at even normal scores


@dataclass(frozen=True, eq=False)
class Margin:
    """The distribution of one variable in the N training rows.

    Args:
        counts: rows of each level, int64 (levels,); empty without levels.
        shares: of the rows whose score counts, ascending within (0, 1), float64 (K,). The first is
            the share that has the smallest score, the last what the largest score leaves of 1.
        scores: at these shares, never decreasing, from the smallest to the largest, float64 (K,).
            Empty where there is no score, or one value of it only.
    """

    counts: np.ndarray
    shares: np.ndarray
    scores: np.ndarray


def margins_of(encoded: Encoded, layout: TableLayout) -> tuple[Margin, ...]:
    """Count the levels and take the quantiles of encoded rows, by variable of the layout."""
    return tuple(_margin(encoded, variable) for variable in variables(layout))


def _margin(encoded: Encoded, variable: Variable) -> Margin:
    counts, counted = np.zeros(0, np.int64), None
    if variable.code is not None:
        codes = encoded["codes"][:, variable.code].long()
        counts = torch.bincount(codes, minlength=variable.levels).cpu().numpy()
        counted = codes == 0
    if variable.value is None:
        return Margin(counts, np.zeros(0), np.zeros(0))
    scores = encoded["values"][:, variable.value]
    scores = scores if counted is None else scores[counted]
    return Margin(counts, *_quantiles(np.sort(scores.double().cpu().numpy())))


def _quantiles(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares (K,) and scores (K,) of ascending scores (N,); see `Margin`."""
    rows = len(ordered)
    if rows < 2 or ordered[0] == ordered[-1]:
        return np.zeros(0), np.zeros(0)
    first = int(np.searchsorted(ordered, ordered[0], "right"))
    last = int(np.searchsorted(ordered, ordered[-1], "left"))
    normal = torch.linspace(-4.0, 4.0, _TAILS, dtype=torch.float64)
    wanted = np.union1d(np.linspace(0, 1, _EVEN + 1), torch.special.ndtr(normal).numpy())
    cuts, previous = [], first
    for cut in np.unique(np.rint(wanted * rows).astype(int)).tolist():
        if cut - previous >= _ROWS and last - cut >= _ROWS:
            cuts.append(cut)
            previous = cut
    cut = np.array(cuts, int)
    inner = (ordered[cut - 1] + ordered[cut]) / 2  # the middle of two rows, not one of them
    shares = np.concatenate([[first], cut, [last]]) / rows
    return shares, np.concatenate([ordered[:1], inner, ordered[-1:]])


def margins_state(margins: Sequence[Margin], layout: TableLayout) -> dict[str, Any]:
    """Plain JSON."""
    names = [variable.name for variable in variables(layout)]
    return {
        "variables": [
            {
                "name": name,
                "counts": margin.counts.tolist(),
                "shares": margin.shares.round(9).tolist(),
                "scores": margin.scores.round(9).tolist(),
            }
            for name, margin in zip(names, margins, strict=True)
        ]
    }


def margins_from_state(state: Mapping[str, Any], layout: TableLayout) -> tuple[Margin, ...]:
    """Rebuild.

    Raises:
        ValueError: when they belong to another layout, or are damaged.
    """
    kept = variables(layout)
    try:
        rows = state["variables"]
        found = tuple(
            Margin(_whole(row["counts"]), _numbers(row["shares"]), _numbers(row["scores"]))
            for row in rows
        )
        names = [row["name"] for row in rows]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the margins are damaged: {error!r}") from error
    sizes = [len(margin.counts) for margin in found]
    expected = [v.levels if v.code is not None else 0 for v in kept]
    if names != [v.name for v in kept] or sizes != expected or any(map(_broken, found)):
        raise ValueError("the margins do not go with the codec of this run")
    return found


def _whole(values: Any) -> np.ndarray:
    """A list of whole numbers whose sum fits into 64 bits, as int64 (M,)."""
    if not isinstance(values, list) or any(type(value) is not int for value in values):
        raise ValueError("counts must be whole numbers")
    np.int64(sum(values))  # OverflowError where they could not be added up later
    return np.array(values, np.int64)


def _numbers(values: Any) -> np.ndarray:
    """A list of numbers, as float64 (M,)."""
    if not isinstance(values, list) or any(type(value) not in (int, float) for value in values):
        raise ValueError("shares and scores must be numbers")
    return np.array(values, np.float64)


def _broken(margin: Margin) -> bool:
    shares, scores = margin.shares, margin.scores
    if len(shares) != len(scores) or (margin.counts < 0).any():
        return True
    inside = ((shares > 0) & (shares < 1)).all() and (np.abs(scores) <= 1).all()
    return not inside or bool((np.diff(shares) < 0).any() or (np.diff(scores) < 0).any())
