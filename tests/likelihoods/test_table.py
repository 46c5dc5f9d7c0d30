"""The likelihood of a table against torch.distributions, and its samples."""

import pytest
import torch
from torch.distributions import Categorical, Normal

from genmodels.layout import Block, ImageLayout, TableLayout
from genmodels.likelihoods.table import TableLikelihood
from tests.algorithms.tables import LAYOUT, rows


def test_log_prob_is_that_of_its_distributions():
    torch.manual_seed(0)
    likelihood = TableLikelihood(layout=LAYOUT, lower=0.05, upper=0.5).double()
    with torch.no_grad():
        likelihood.sigma.copy_(torch.tensor([0.01, 0.1, 0.3, 0.5, 2.0]))
    outputs = torch.randn(9, LAYOUT.width, dtype=torch.float64, requires_grad=True)
    x = rows(9).double()
    expected, sigma = 0.0, likelihood.sigma.clamp(0.05, 0.5)
    for i in range(5):
        scalar, block = LAYOUT.slices[f"x{i}"].start, LAYOUT.slices[f"k{i}"]
        normal = Normal(outputs[:, scalar].tanh(), sigma[i])
        expected = expected + normal.log_prob(x[:, scalar])
        levels = Categorical(logits=outputs[:, block])
        expected = expected + levels.log_prob(x[:, block].argmax(1))
    found = likelihood.log_prob(outputs, x)
    torch.testing.assert_close(found, expected)
    inputs, probe = [outputs, likelihood.sigma], torch.randn_like(found)
    for a, b in zip(
        torch.autograd.grad(found @ probe, inputs, retain_graph=True),
        torch.autograd.grad(expected @ probe, inputs),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("kind", ["continuous", "categorical"])
def test_tables_of_one_kind_only_have_a_likelihood(kind):
    layout = TableLayout((Block("a", kind, 3), Block("b", kind, 2)))
    likelihood = TableLikelihood(layout=layout)
    outputs = torch.randn(4, 5, requires_grad=True)
    if kind == "continuous":
        x = torch.rand(4, 5)
        expected = Normal(outputs.tanh(), 0.1).log_prob(x).sum(1)
    else:
        x = torch.tensor([[0.0, 1.0, 0.0, 1.0, 0.0]]).expand(4, 5)
        expected = outputs[:, :3].log_softmax(1)[:, 1] + outputs[:, 3:].log_softmax(1)[:, 0]
    found = likelihood.log_prob(outputs, x)
    torch.testing.assert_close(found, expected)
    for law in (found, expected):
        (gradient,) = torch.autograd.grad(law.sum(), outputs)
        assert gradient.isfinite().all()


def test_the_log_prob_is_not_rounded_under_autocast():
    likelihood, x = TableLikelihood(layout=LAYOUT), rows(9)
    outputs = torch.randn(9, LAYOUT.width)
    expected = likelihood.log_prob(outputs, x)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(likelihood.log_prob(outputs, x), expected)


def test_samples_have_the_probabilities_and_the_spread():
    likelihood = TableLikelihood(layout=LAYOUT)
    torch.manual_seed(0)
    outputs = torch.randn(1, LAYOUT.width)
    u = torch.rand(20_000, likelihood.noise_dim)
    sample = likelihood.sample(outputs.expand(20_000, -1), u)
    assert sample["values"].std(0).tolist() == pytest.approx([0.1] * 5, rel=0.05)
    centre = outputs[0, list(LAYOUT.continuous)].tanh()
    torch.testing.assert_close(sample["values"].mean(0), centre, atol=0.005, rtol=0)
    for q, block in enumerate(LAYOUT.categorical):
        share = sample["codes"][:, q].long().bincount(minlength=block.width) / 20_000
        expected = outputs[0, LAYOUT.slices[block.name]].softmax(0)
        torch.testing.assert_close(share, expected, atol=0.015, rtol=0)


def test_extreme_uniforms_stay_finite_and_in_range():
    likelihood = TableLikelihood(layout=LAYOUT)
    for value in (0.0, 1 - 2.0**-24):
        u = torch.full((1, likelihood.noise_dim), value)
        sample = likelihood.sample(torch.zeros(1, LAYOUT.width), u)
        assert sample["values"].isfinite().all()
        widths = torch.tensor([block.width for block in LAYOUT.categorical])
        assert (sample["codes"] < widths).all()


def test_argmax_takes_the_likeliest_level():
    likelihood = TableLikelihood(layout=LAYOUT, categories="argmax")
    outputs = torch.randn(7, LAYOUT.width)
    codes = likelihood.sample(outputs, torch.rand(7, likelihood.noise_dim))["codes"]
    for q, block in enumerate(LAYOUT.categorical):
        assert torch.equal(codes[:, q].long(), outputs[:, LAYOUT.slices[block.name]].argmax(1))


def test_wrong_choices_are_refused_with_advice():
    with pytest.raises(ValueError, match="categories"):
        TableLikelihood(layout=LAYOUT, categories="best")
    with pytest.raises(ValueError, match="model=conv_vae"):
        TableLikelihood(layout=ImageLayout(1, 4, 4))
