"""The variables of an encoded row: what a learned order draws one after the other.

A column is one variable (a date is one per part), whether it is a level, a score, or a number
that has a state first and a score only where the state says so. Nothing here knows a model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from genmodels.layout import Block, TableLayout

__all__ = ["Variable", "log_frequencies", "variables"]

_VALUE = re.compile(r"\.value_*$")


@dataclass(frozen=True)
class Variable:
    """One thing to draw in a row: levels, a score, or both.

    Args:
        name: of the column (or of the part of it), unique among the variables.
        levels: number of levels; 0 when there is only a score.
        code: index into `codes` (the Q axis), or None when there is only a score.
        value: index into `values` (the F axis), or None when there are only levels.
        gated: whether the score counts only where the level is 0.
        places: standardised raw values, in order (see `Block`): at evenly spaced scores from -1
            to 1 if there is a score, else one per level; empty when there is no order.
    """

    name: str
    levels: int
    code: int | None
    value: int | None
    gated: bool
    places: tuple[float, ...]


def variables(layout: TableLayout) -> tuple[Variable, ...]:
    """The V variables of a layout, in the order of its blocks.

    A gated continuous block and the categorical block after it are one variable; each other
    categorical block and each scalar of another continuous block is one of its own.

    Raises:
        ValueError: when a gated block is not followed by a categorical one.
    """
    out: list[Variable] = []
    names: set[str] = set()
    gate: Block | None = None
    f = q = 0
    for block in layout.blocks:
        if gate is not None and block.kind != "categorical":
            break
        if block.kind == "categorical":
            out.append(_with_levels(block, gate, q, f - 1, names))
            gate, q = None, q + 1
        elif block.gated:
            gate, f = block, f + 1
        else:
            out += [_score(block, i, f + i, names) for i in range(block.width)]
            f += block.width
    if gate is not None:
        raise ValueError(
            f"block {gate.name!r} is gated, so a categorical block with its states must follow it"
        )
    return tuple(out)


def _with_levels(block: Block, gate: Block | None, q: int, f: int, names: set[str]) -> Variable:
    """A categorical block, or the states of the gated block before it."""
    if gate is None:
        return Variable(_fresh(block.name, names), block.width, q, None, False, block.places)
    name = _fresh(_VALUE.sub("", gate.name), names)
    return Variable(name, block.width, q, f, True, gate.places)


def _score(block: Block, i: int, f: int, names: set[str]) -> Variable:
    name = block.name if block.width == 1 else f"{block.name}.{i}"
    return Variable(_fresh(name, names), 0, None, f, False, block.places)


def _fresh(name: str, names: set[str]) -> str:
    """The name, with underscores if it is taken: a column may be called like a part."""
    while name in names:
        name += "_"
    names.add(name)
    return name


def log_frequencies(codes: Tensor, levels: int) -> Tensor:
    """Logarithms (levels,) of how often each level occurs among N, each counted 0.1 times more."""
    counts = torch.bincount(codes.long(), minlength=levels)
    return ((counts + 0.1) / (len(codes) + 0.1 * levels)).log()
