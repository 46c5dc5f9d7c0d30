"""Levels and mixtures of logistics: probabilities sum to one, draws follow them, also when cut."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from genmodels.arrangement import Arrangement
from genmodels.likelihoods.mixed import MixedLikelihood
from genmodels.scores import SPREAD
from tests.algorithms.mixed import LAYOUT, encoded, likelihood

KEPT = Arrangement(LAYOUT).variables
PLACE = {variable.name: i for i, variable in enumerate(KEPT)}


def vectors(count=1, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(KEPT), count, 16, generator=generator)


def log_probs(made, h, values, codes):
    with torch.no_grad():
        return made.log_prob(h, torch.zeros(2, h.shape[1]), values, codes.long())


def test_the_levels_of_a_variable_sum_to_one():
    made, h = likelihood(), vectors()
    rows = encoded(7)
    for name, levels in (("a", 3), ("n", 4), ("b", 7)):
        j = PLACE[name]
        codes = rows["codes"][:1].repeat(levels, 1)
        codes[:, KEPT[j].code] = torch.arange(levels)
        values = rows["values"][:1].repeat(levels, 1)
        found = log_probs(made, h.expand(-1, levels, -1), values, codes)[j]
        assert found.exp().sum().item() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("name", ["x", "y"])
def test_states_and_density_of_a_number_integrate_to_one(name):
    made, h, j = likelihood(), vectors(), PLACE[name]
    y = torch.linspace(-40.0, 40.0, 16001)
    values = torch.zeros(len(y), 2)
    values[:, KEPT[j].value] = y / SPREAD
    codes = torch.zeros(len(y), 4)
    density = log_probs(made, h.expand(-1, len(y), -1), values, codes)[j].exp()
    total = torch.trapezoid(density, y).item()
    if name == "x":
        for state in (1, 2):
            codes[:1, KEPT[j].code] = state
            total += log_probs(made, h, values[:1], codes[:1])[j].exp().item()
    assert total == pytest.approx(1.0, abs=1e-4)


def test_one_component_is_a_logistic_distribution():
    made, h, j = likelihood(components=1), vectors(), PLACE["y"]
    outputs = (h[j] @ made.mixture[-1] + made.mixture_bias[-1]).detach().flatten()
    reference = stats.logistic(outputs[1].item(), math.exp(outputs[2].item()))
    for score in (-0.9, 0.0, 0.4):
        rows = torch.zeros(1, 2)
        rows[0, KEPT[j].value] = score
        found = log_probs(made, h, rows, torch.zeros(1, 4))[j].item()
        assert found == pytest.approx(reference.logpdf(SPREAD * score), abs=1e-4)


def uniforms(count, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((count, 3), np.float32))


def test_levels_are_drawn_with_their_probabilities():
    made, j, count = likelihood(), PLACE["b"], 40_000
    h = vectors()[j].expand(count, -1)
    with torch.no_grad():
        codes = made.draw(j, h, None, uniforms(count)).code
        wanted = made.level_logits(j, h[:1]).softmax(1)[0]
    shares = torch.bincount(codes, minlength=7) / count
    assert (shares - wanted).abs().max().item() < 0.01


def drawn_scores(made, count=20_000, **wishes):
    h = vectors()[PLACE["y"]].expand(count, -1)
    with torch.no_grad():
        return made.draw(PLACE["y"], h, torch.zeros(count), uniforms(count), **wishes)


def cumulative(made, y):
    """Of the mixture of variable y, numpy and float64."""
    h = vectors()[PLACE["y"]].double()
    outputs = h @ made.mixture[-1].double() + made.mixture_bias[-1].double()
    logits, means, scales = (part.detach().numpy()[0] for part in outputs.split(3, 1))
    weights = np.exp(logits) / np.exp(logits).sum()
    return (weights * stats.logistic(means, np.exp(scales)).cdf(np.asarray(y)[:, None])).sum(1)


def test_scores_are_drawn_from_the_mixture():
    made = likelihood()
    y = drawn_scores(made).value.numpy() * SPREAD
    inside = y[np.abs(y) < SPREAD]
    low, high = cumulative(made, [-SPREAD, SPREAD])
    law = lambda x: (cumulative(made, x) - low) / (high - low)  # noqa: E731
    assert stats.kstest(inside, law).pvalue > 0.001


def test_cut_scores_stay_inside_and_have_the_right_mass():
    made = likelihood()
    spans = torch.tensor([[-0.5, -0.25], [0.25, 0.5]])
    draw = drawn_scores(made, spans=spans)
    y = draw.value
    assert (((y >= -0.5) & (y <= -0.25)) | ((y >= 0.25) & (y <= 0.5))).all()
    a, b, c, d = cumulative(made, [-2.0, -1.0, 1.0, 2.0])
    assert draw.log_mass[0].item() == pytest.approx(math.log(b - a + d - c), abs=1e-4)
    share = (y < 0).float().mean().item()
    assert share == pytest.approx((b - a) / (b - a + d - c), abs=0.015)


def test_a_span_to_the_end_of_the_scores_holds_all_that_lies_beyond():
    made = likelihood()
    draw = drawn_scores(made, spans=torch.tensor([[0.25, 1.0]]))
    assert draw.log_mass[0].item() == pytest.approx(
        math.log(1 - cumulative(made, [1.0])[0]), abs=1e-4
    )


def test_forbidden_levels_are_never_drawn_and_their_mass_is_told():
    made, j, count = likelihood(), PLACE["x"], 5_000
    h = vectors()[j].expand(count, -1)
    allowed = torch.tensor([True, False, True])
    spans = torch.tensor([[-0.1, 0.3]])
    with torch.no_grad():
        draw = made.draw(j, h, torch.zeros(count), uniforms(count), allowed=allowed, spans=spans)
        p = made.level_logits(j, h[:1]).softmax(1)[0]
        free = made.draw(j, h, torch.zeros(count), uniforms(count, 1))
    assert set(draw.code.tolist()) == {0, 2}
    inside = draw.value[draw.code == 0]
    assert ((inside >= -0.1) & (inside <= 0.3)).all()
    assert (draw.value[draw.code == 2] == 0).all()
    hits = free.value[free.code == 0]
    share = ((hits >= -0.1) & (hits <= 0.3)).float().mean().item()
    assert draw.log_mass[0].exp().item() == pytest.approx((p[0] * share + p[2]).item(), abs=0.02)


def test_a_low_temper_draws_likelier_levels():
    made, j, count = likelihood(), PLACE["b"], 4_000
    h = vectors()[j].expand(count, -1)
    with torch.no_grad():
        best = made.level_logits(j, h[:1]).argmax().item()
        shares = [
            (made.draw(j, h, None, uniforms(count), temper=t).code == best).float().mean().item()
            for t in (0.3, 1.0, 3.0)
        ]
    assert shares[0] > shares[1] + 0.02 > shares[2] + 0.02


def test_starting_from_frequencies_gives_them_without_a_network():
    made = MixedLikelihood(layout=LAYOUT, hidden=16, components=2)
    codes = torch.zeros(1000, 4, dtype=torch.int32)
    codes[:250, KEPT[PLACE["b"]].code] = 5
    made.start_from(codes)
    p = made.level_logits(PLACE["b"], torch.zeros(1, 16)).softmax(1)[0]
    assert p[5].item() == pytest.approx(0.25, abs=1e-3)
    assert p[0].item() == pytest.approx(0.75, abs=1e-3)
