"""A model whose distribution is a small joint table, drawn by the chain rule; and its codec."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import torch
import yaml

from genmodels.codecs.restrict import Restrictor
from genmodels.codecs.table import TableCodec
from genmodels.layout import Condition
from genmodels.sampling.conditions import Conditions
from genmodels.sampling.control.completion import Completion
from genmodels.sampling.control.constraints import parse_constraints
from genmodels.sampling.control.control import Control
from genmodels.sampling.control.controlled import Controlled
from genmodels.sampling.control.strata import Stratum
from genmodels.sampling.control.wishes import parse_wishes
from genmodels.sampling.sampler import Sampler
from genmodels.schema import Column, TableSchema
from genmodels.tasks.choices import CONFIGS
from genmodels.variables import variables

SCHEMA = TableSchema(
    (
        Column("id", "identifier", format="integer", minimum=1),
        Column("a", "categorical", levels=("x", "y", "z")),
        Column("b", "categorical", levels=("p", "q", "r", "s"), nullable=True),
        Column("n", "integer"),
    )
)
JOINT = np.array(
    [
        [0.20, 0.02, 0.05, 0.05, 0.03],
        [0.01, 0.25, 0.04, 0.05, 0.02],
        [0.05, 0.03, 0.10, 0.08, 0.02],
    ]
)  # a by b; the last level of b is missing
RECIPE = yaml.safe_load((CONFIGS / "codec" / "quantile.yaml").read_text(encoding="utf-8"))
RECIPE = {key: value for key, value in RECIPE.items() if key[0] != "_"}
RECIPE |= {"knots": 64, "discrete_below": 0, "seed": 0}


def data(rows=2000, seed=0):
    rng = np.random.default_rng(seed)
    cell = rng.choice(JOINT.size, rows, p=JOINT.ravel() / JOINT.sum())
    a, b = np.divmod(cell, JOINT.shape[1])
    columns = {
        "id": np.arange(rows),
        "a": pa.DictionaryArray.from_arrays(a.astype(np.int32), pa.array(["x", "y", "z"])),
        "b": pa.DictionaryArray.from_arrays(
            pa.array(b.astype(np.int32), mask=b == 4), pa.array(["p", "q", "r", "s"])
        ),
        "n": rng.integers(0, 100, rows),
    }
    return pa.table(columns)


def codec():
    return TableCodec.fit(data(), SCHEMA, **RECIPE)


class Chain:
    """p(a, b) = JOINT, the score of n uniform in [-1, 1]; drawn as restricted variables allow."""

    condition = Condition()
    latent_dim = 0
    noise_dim = 3

    def __init__(self, layout):
        self.variables = variables(layout)
        self.joint = torch.from_numpy(JOINT / JOINT.sum())

    def sample(self, z, c, u, *, temper=1.0):
        nothing = torch.zeros(len(u), 3, dtype=torch.bool)
        blank = {"values": torch.zeros(len(u), 1), "codes": torch.zeros(len(u), 2).int()}
        return self.draw(u, nothing, blank, {}, {}, temper)[0]

    def sample_weighted(self, u, evidence, *, temper=1.0):
        told = {"values": evidence.values, "codes": evidence.codes}
        return self.draw(u, evidence.known, told, evidence.allowed, evidence.spans, temper)

    def draw(self, u, known, told, allowed, spans, temper):
        p = self.joint.pow(1.0 / temper).expand(len(u), *self.joint.shape).clone()
        codes, weight = told["codes"].clone(), torch.zeros(len(u), dtype=torch.float64)
        for v in range(2):  # what is known is known before anything is drawn
            mine = torch.nn.functional.one_hot(codes[:, v].long(), p.shape[1 + v]).bool()
            keep = mine | ~known[:, v : v + 1]
            p = p * (keep[:, :, None] if v == 0 else keep[:, None, :])
        for v in sorted(range(2), key=lambda v: v not in allowed):
            marginal = p.sum(2 if v == 0 else 1)
            marginal = marginal / marginal.sum(1, keepdim=True)
            if v in allowed:
                marginal = marginal * allowed[v]
                mass = marginal.sum(1)
                weight += torch.where(known[:, v], 0.0, mass.log())
                marginal = marginal / mass[:, None]
            drawn = (marginal.cumsum(1) <= u[:, v : v + 1]).sum(1).clamp(max=p.shape[1 + v] - 1)
            codes[:, v] = torch.where(known[:, v], codes[:, v], drawn.int())
            mine = torch.nn.functional.one_hot(codes[:, v].long(), p.shape[1 + v])
            p = p * (mine[:, :, None] if v == 0 else mine[:, None, :])
        free = 2.0 * u[:, 2] - 1.0
        if 2 in spans:
            low, high = spans[2].T
            edges = (high - low).cumsum(0)
            place = u[:, 2] * edges[-1]
            which = torch.searchsorted(edges, place, right=True).clamp(max=len(edges) - 1)
            free = high[which] - (edges[which] - place)
            weight += torch.where(known[:, 2], 0.0, (edges[-1] / 2).log())
        values = torch.where(known[:, 2], told["values"][:, 0], free.float())[:, None]
        return {"values": values, "codes": codes}, weight


def controlled(
    *, given=None, strata=None, partial=None, fill="missing", constraints=(), shares=None, **options
):
    """A `Controlled` for `SCHEMA`; `shares` makes the shares of a `Restrictor`."""
    restricts = Restrictor(codec())
    common = parse_wishes(given or {}, SCHEMA, key="given")
    strata = strata or [Stratum("all", 1.0)]
    completion = None
    if partial is not None:
        completion = Completion(raw=partial, restricts=restricts, fill=fill)
    control = Control(
        restricts=restricts,
        strata=[replace(s, wishes=(*common, *s.wishes)) for s in strata],
        shares=shares and shares(restricts),
        completion=completion,
        constraints=parse_constraints(constraints, SCHEMA),
    )
    return Controlled(**{"control": control, "redraws": 20, "shortfall": "error",
                         "candidates": 8, **options})  # fmt: skip


def sampler(seed=0, block_rows=512, workers=1, model=Chain, **asked):
    made = codec()
    return Sampler(
        model=model(made.layout),
        codec=made,
        conditions=Conditions(condition=model.condition, rule="empirical"),
        seed=seed,
        block_rows=block_rows,
        workers=workers,
        controlled=controlled(**asked),
    )


def draw(n, **options):
    return sampler(**options).sample(n).combine_chunks()


def cells(table):
    """Shares of the combinations of a and b, shape (3, 5)."""
    a = np.array([("x", "y", "z").index(v) for v in table["a"].to_pylist()])
    b = np.array([("p", "q", "r", "s", None).index(v) for v in table["b"].to_pylist()])
    return np.bincount(a * 5 + b, minlength=15).reshape(3, 5) / len(table)
