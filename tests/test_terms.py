"""The term that compares pairs of variables: its formula, what counts, what it teaches."""

import itertools

import pytest
import torch

from genmodels.layout import Block, ImageLayout, TableLayout
from genmodels.networks.heads import TableHead
from genmodels.terms import PairTerm
from genmodels.types import Batch
from tests.algorithms.mixed import LAYOUT
from tests.algorithms.siblings import row_gan, rows

OPTIONS = {"weight": 2.0, "cells": 3, "floor": 0.01, "inertia": 0.0, "most": 99}
NUMBER = {"x.state": "x.value"}  # a number and its states are one variable


def term(layout=LAYOUT, **changes):
    return PairTerm(layout=layout, **(OPTIONS | changes))


def outputs(count=12, seed=0):
    return torch.randn(count, LAYOUT.width, generator=torch.Generator().manual_seed(seed))


def soft(found):
    """Dense rows with the probabilities of levels."""
    parts = [
        found[:, LAYOUT.slices[b.name]].softmax(1) if b.kind == "categorical"
        else found[:, LAYOUT.slices[b.name]].tanh()
        for b in LAYOUT.blocks
    ]  # fmt: skip
    return torch.cat(parts, 1)


def test_its_mean_is_the_weighted_distance_of_second_moments():
    made, data, found = term().double(), rows(row_gan(), 40), outputs(40).double()
    x = data.x.double()
    fake, real = made.features(soft(found)), made.features(x)
    names = ["", *(NUMBER.get(b.name, b.name) for b in LAYOUT.blocks for _ in range(b.width))]
    names += ["x.value"] * 3 + ["y"] * 3
    expected = 0.0
    for i, j in itertools.product(range(len(names)), repeat=2):
        if names[i] == names[j]:
            continue
        apart = (fake[:, i] * fake[:, j]).mean() - (real[:, i] * real[:, j]).mean()
        scale = [(real[:, k].square().mean() + 0.01) ** -0.25 for k in (i, j)]
        expected += 2.0 * (apart * scale[0] * scale[1]) ** 2
    value = made(found, Batch(x, data.c.double()))
    assert value.shape == (40,)
    torch.testing.assert_close(value.mean(), expected)


def test_it_is_nothing_where_generated_rows_are_the_real_ones():
    data = rows(row_gan(), 40)
    found = data.x * 200.0
    scalars = list(LAYOUT.continuous)
    found[:, scalars] = torch.atanh(data.x[:, scalars])
    value = term()(found, data).mean()
    assert value.item() == pytest.approx(0.0, abs=1e-5)


def test_probabilities_have_the_moments_of_drawn_levels():
    made, found = term(), outputs(1).expand(40_000, -1)
    torch.manual_seed(0)
    drawn = made.features(TableHead(layout=LAYOUT, hard=True)(found))
    exact = made.features(soft(found[:1]))
    apart = made.owners[:, None] != made.owners
    moments = drawn.t() @ drawn / len(drawn), exact.t() @ exact
    torch.testing.assert_close(moments[0] * apart, moments[1] * apart, rtol=0, atol=0.03)


def test_descending_it_teaches_which_levels_go_together():
    layout = TableLayout((Block("a", "categorical", 2), Block("b", "categorical", 3)))
    made = term(layout, inertia=0.5)
    a = torch.arange(60).fmod(2).long()
    x = torch.zeros(60, 5)
    x[torch.arange(60), a] = 1.0
    x[torch.arange(60), 2 + 2 * a] = 1.0
    data = Batch(x, torch.zeros(60, 0))
    torch.manual_seed(0)
    logits = torch.randn(60, 5, requires_grad=True)
    adam = torch.optim.Adam([logits], lr=0.1)
    for _ in range(200):
        adam.zero_grad()
        made(logits, data).mean().backward()
        adam.step()
    p, q = logits.detach()[:, :2].softmax(1), logits.detach()[:, 2:].softmax(1)
    expected = torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.0, 0.5]])
    torch.testing.assert_close(p.t() @ q / 60, expected, rtol=0, atol=0.03)


def test_averages_keep_their_share_of_former_batches():
    made, data = term(inertia=0.9), [rows(row_gan(), 40, seed=s) for s in range(2)]
    for each in data:
        made(outputs(40), each)
    first, second = (made.features(each.x) for each in data)
    expected = 0.9 * first.t() @ first / 40 + 0.1 * second.t() @ second / 40
    torch.testing.assert_close(made.real, expected)
    twin = term(inertia=0.9)
    twin.load_state_dict(made.state_dict())
    assert torch.equal(twin(outputs(40), data[0]), made(outputs(40), data[0]))


def test_no_more_features_are_paired_than_asked_for():
    made, data, found = term(most=5), rows(row_gan()), outputs().requires_grad_()
    value = made(found, data)
    value.sum().backward()
    assert value.isfinite().all()
    assert found.grad.isfinite().all()
    moved = (found.grad != 0).any(0)
    assert moved.any()
    assert not moved.all()
    assert made.real.numel() == 0


def test_it_runs_without_a_device_and_in_the_updates_of_a_model():
    model = row_gan(terms={"pairs": term()})
    data = rows(model)
    chosen = model.configure_optimizers()
    assert model.update(data, chosen, measure=True).isfinite()
    assert "train/term/pairs" in model.meter.flush()
    made = term().to("meta")
    assert made(outputs().to("meta"), data.to("meta")).shape == (12,)


def test_rows_without_scores_and_of_one_variable_have_terms():
    layout = TableLayout((Block("a", "categorical", 3),))
    x = torch.eye(3)
    value = term(layout)(torch.zeros(3, 3), Batch(x, torch.zeros(3, 0)))
    torch.testing.assert_close(value.mean(), torch.tensor(0.0), atol=1e-6, rtol=0)


def test_it_refuses_images():
    with pytest.raises(ValueError, match=r"model\.terms\.pairs"):
        term(ImageLayout(1, 4, 4))
