"""A small prior over mixed variables for the tests of this folder and of its parts."""

from functools import partial

import torch

from genmodels.algorithms.prior import Prior
from genmodels.arrangement import Compact
from genmodels.ema import EMA
from genmodels.layout import Block, Condition, TableLayout
from genmodels.likelihoods.mixed import MixedLikelihood
from genmodels.networks.columnwise import Columnwise
from genmodels.types import Batch

CURVE = tuple(4.0 * (k / 128 - 1.0) for k in range(257))
LAYOUT = TableLayout(
    (
        Block("a", "categorical", 3),
        Block("x.value", "continuous", 1, gated=True, places=CURVE),
        Block("x.state", "categorical", 3),
        Block("n", "categorical", 4, places=(-1.5, 0.0, 1.5)),
        Block("y", "continuous", 1, places=CURVE),
        Block("b", "categorical", 7),
    )
)
NAMES = ("a", "x", "n", "y", "b")
SIZES = {
    "hidden": 16,
    "layers": 1,
    "dropout": 0.0,
    "cells": 4,
    "most_cells": 99,
    "embedding": 5,
    "summed": 8,
}


def network(layout=LAYOUT, **changes):
    torch.manual_seed(0)
    return Columnwise(layout=layout, **({"target": None, "context": "full"} | SIZES | changes))


def likelihood(layout=LAYOUT, components=3, hidden=SIZES["hidden"]):
    torch.manual_seed(1)
    made = MixedLikelihood(layout=layout, hidden=hidden, components=components)
    with torch.no_grad():  # hidden vectors must matter
        for weight in [*made.weights, made.mixture]:
            weight.normal_(0.0, 0.3)
    return made


def prior(layout=LAYOUT, **changes):
    sizes = {key: changes.pop(key) for key in list(changes) if key in (*SIZES, "context", "target")}
    options = {
        "network": network(layout, **sizes),
        "likelihood": likelihood,
        "optimizer": partial(torch.optim.AdamW, lr=1e-2),
        "any_order": 0.25,
        "clip": 20.0,
        "ema": EMA(half_life=100.0),
        "rounding": "float32",
    }
    return Prior(layout=layout, condition=Condition(), **(options | changes))


def encoded(count, layout=LAYOUT, seed=0):
    """Random rows; a score that does not count is 0."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(count, len(layout.continuous), generator=generator) * 1.6 - 0.8
    codes = [torch.randint(b.width, (count,), generator=generator) for b in layout.categorical]
    codes = torch.stack([*codes, torch.zeros(count)], 1)[:, : len(codes)].int()
    if layout is LAYOUT:
        values[:, 0] = torch.where(codes[:, 1] == 0, values[:, 0], 0.0)
    return {"values": values, "codes": codes}


def batch(count=12, layout=LAYOUT, seed=0):
    x = Compact(layout)(encoded(count, layout, seed))
    return Batch(x, torch.zeros(count, 0))
