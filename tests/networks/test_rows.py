"""The encoder and the decoder of whole rows: shapes, gradients, what they read."""

import pytest
import torch

from genmodels.arrangement import Compact
from genmodels.layout import Condition, ImageLayout
from genmodels.networks.rows import RowDecoder, RowEncoder
from tests.algorithms import tables
from tests.algorithms.mixed import LAYOUT, encoded

SIZES = {"latent_dim": 8, "hidden": 16, "blocks": 2, "dropout": 0.0}
SEEN = {"cells": 4, "most_cells": 99, "embedding": 5}


def encoder(layout=LAYOUT, condition=tables.NONE):
    torch.manual_seed(0)
    return RowEncoder(layout=layout, condition=condition, **SIZES, **SEEN)


def decoder(layout=LAYOUT, condition=tables.NONE):
    torch.manual_seed(0)
    return RowDecoder(layout=layout, condition=condition, **SIZES, narrow=6)


@pytest.mark.parametrize("condition", [tables.CONDITION, tables.NONE], ids=["told", "untold"])
def test_networks_keep_their_contract(condition):
    c = tables.batch(condition).c
    x = Compact(tables.LAYOUT)(encoded(12, tables.LAYOUT))
    for make, inputs, shapes in (
        (encoder, x, [(12, 8), (12, 8)]),
        (decoder, torch.randn(12, 8), [(10, 12, 6)]),
    ):
        model = make(tables.LAYOUT, condition)
        out = model(inputs, c)
        out = out if isinstance(out, tuple) else (out,)
        assert [tuple(part.shape) for part in out] == shapes
        sum(part.square().sum() for part in out).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
        twin = make(tables.LAYOUT, condition)
        twin.load_state_dict(model.state_dict())
        again = twin(inputs, c)
        again = again if isinstance(again, tuple) else (again,)
        assert all(torch.equal(a, b) for a, b in zip(out, again, strict=True))


def test_the_encoder_reads_every_variable_and_no_score_that_does_not_count():
    model, rows = encoder(), encoded(40)
    compact = Compact(LAYOUT)
    with torch.no_grad():
        before, _ = model(compact(rows), torch.zeros(40, 0))
        for q, block in enumerate(LAYOUT.categorical):
            changed = {name: value.clone() for name, value in rows.items()}
            changed["codes"][:, q] = (changed["codes"][:, q] + 1) % block.width
            after, _ = model(compact(changed), torch.zeros(40, 0))
            assert (before != after).any(1).all()
        changed = {name: value.clone() for name, value in rows.items()}
        changed["values"][:, 0] += 0.1
        after, _ = model(compact(changed), torch.zeros(40, 0))
    moved = (before != after).any(1)
    assert moved.tolist() == (rows["codes"][:, 1] == 0).tolist()


def test_latents_are_not_rounded_by_autocast():
    x, c = Compact(LAYOUT)(encoded(500)), torch.zeros(500, 0)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        mean, log_variance = encoder()(x, c)
    for part in (mean, log_variance):
        assert part.dtype == torch.float32
        assert (part != part.bfloat16().float()).float().mean() > 0.9


def test_networks_of_rows_refuse_images():
    with pytest.raises(ValueError, match="model=conv_vae"):
        encoder(ImageLayout(1, 4, 4), Condition())
