"""Both networks over the variables of a row in order, and how their tests read them."""

import torch

from genmodels.networks.transformer import Transformer
from tests.algorithms.mixed import LAYOUT, network

SIZES = {
    "hidden": 16, "layers": 2, "heads": 2, "expansion": 2.0, "dropout": 0.0, "cells": 4,
    "most_cells": 99, "embedding": 5,
}  # fmt: skip


def transformer(layout=LAYOUT, **changes):
    torch.manual_seed(0)
    return Transformer(layout=layout, **({"target": None} | SIZES | changes))


def full(layout=LAYOUT, **changes):
    return network(layout, context="full", **changes)


def summed(layout=LAYOUT, **changes):
    return network(layout, context="summed", **changes)


MADE = {"full": full, "summed": summed, "transformer": transformer}


def hidden(made, rows, rank=None):
    """Hidden vectors and shifts of whole rows."""
    values, codes = rows["values"], rows["codes"].long()
    with torch.no_grad():
        return made(values, codes, made.rank if rank is None else rank)


def of(made, rows, j):
    """The score and the level of variable j."""
    variable = made.arrangement.variables[j]
    value = None if variable.value is None else rows["values"][:, variable.value]
    return value, None if variable.code is None else rows["codes"][:, variable.code].long()
