"""Updates with a gradient that is too large or not finite move nothing by themselves."""

import math

import pytest
import torch
from torch import nn

from genmodels.algorithms.skipping import Skip
from genmodels.types import Batch
from tests.algorithms.test_image_updates import batch, optimizers, run_on_meta, vae


def spoiled(model, value):
    data = batch(model)
    return Batch(torch.full_like(data.x, value), data.c)


def weights(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
def test_a_first_update_that_is_left_out_changes_no_weight(value):
    torch.manual_seed(0)
    model = vae("gaussian", skip=1e6)
    before = weights(model)
    loss = model.update(spoiled(model, value), optimizers(model), measure=True)
    assert float(loss) == 0.0
    assert all(torch.equal(before[name], p) for name, p in model.named_parameters())
    assert model.meter.flush()["train/skipped"] == 1.0


def test_training_goes_on_after_it():
    torch.manual_seed(0)
    model = vae("gaussian", skip=1e6)
    steps = optimizers(model)
    for value in (0.0, math.nan, 0.5):
        model.update(spoiled(model, value), steps, measure=False)
    assert all(torch.isfinite(p).all() for p in model.parameters())
    assert int(model.skip.in_a_row) == 0
    assert model.meter.flush()["train/skipped"] == pytest.approx(1 / 3)


def test_below_the_limit_nothing_changes():
    models = []
    for skip in (None, 1e9):
        torch.manual_seed(0)
        model = vae(skip=skip)
        torch.manual_seed(1)
        model.update(batch(model), optimizers(model), measure=False)
        models.append(weights(model))
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])


def test_too_many_in_a_row_end_the_training():
    skip, parameter = Skip(limit=1.0, most=3), nn.Parameter(torch.ones(2))
    for number in range(1, 6):
        parameter.grad = torch.full((2,), math.nan)
        kept = skip([parameter], parameter.grad.norm())
        handed = skip.handed_on(torch.tensor(math.nan), kept)
        assert bool(torch.isnan(handed)) == (number > 3)
        assert torch.equal(parameter.grad, torch.zeros(2))


def test_leaving_out_asks_the_device_nothing():
    run_on_meta(vae(skip=10.0))
    run_on_meta(vae(skip=10.0, clip=1.0, draws=3))


def test_a_limit_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match=r"model\.skip"):
        vae(skip=0.0)


def test_the_limit_grows_with_the_number_of_dimensions():
    assert vae(skip=2.0).skip.limit == 2.0 * 64
    assert vae(shape=(3, 5, 7), skip=2.0).skip.limit == 2.0 * 105
