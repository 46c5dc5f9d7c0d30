"""The density of latents that is fitted after training."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from genmodels.combinations import Combinations, Facet
from genmodels.layout import Condition, ConditionGroup
from genmodels.networks.ex_post import ExPostMixture

LABELLED = Condition((ConditionGroup("label", (0.6, 0.3, 0.1)),))


def make(condition=LABELLED, **changes):
    options = {
        "components": 4, "covariance": "full", "least": 20, "floor": 1e-3, "rows": 5000, "seed": 0,
    } | changes  # fmt: skip
    return ExPostMixture(condition=condition, latent_dim=2, **options)


def posteriors(rows=3000, seed=0):
    """Means of three classes: a ring of two far places, a thin diagonal, a few near a point."""
    rng = torch.Generator().manual_seed(seed)
    level = torch.arange(rows) % 10 // 4  # 40 %, 40 %, 20 %
    noise = torch.randn(rows, 2, generator=rng)
    side = torch.randint(0, 2, (rows, 1), generator=rng) * 6.0 - 3.0
    apart = torch.cat([side, 0 * side], 1) + 0.2 * noise
    diagonal = noise[:, :1] * torch.tensor([1.0, 1.0]) + 0.1 * noise[:, 1:]
    mean = torch.where(level[:, None] == 0, apart, diagonal)
    mean = torch.where(level[:, None] == 2, 5.0 + 0.3 * noise, mean)
    return mean, torch.full_like(mean, math.log(0.01)), torch.eye(3)[level]


def drawn(density, level, count=4000, seed=1):
    rng = torch.Generator().manual_seed(seed)
    noise, u = torch.randn(count, 2, generator=rng), torch.rand(count, 1, generator=rng)
    return density.sample(noise, u, torch.eye(3)[level].expand(count, -1))


@pytest.mark.parametrize("covariance", ["full", "diag"])
def test_draws_are_nearer_to_latents_that_are_not_normal_than_the_prior(covariance):
    density, other = make(covariance=covariance), posteriors(seed=7)
    density.fit(*posteriors())
    normal = torch.randn(4000, 2, generator=torch.Generator().manual_seed(2))
    for level in range(3):
        truth = other[0][other[2].argmax(1) == level]
        for axis in range(2):
            fitted = ks_2samp(truth[:, axis], drawn(density, level)[:, axis]).statistic
            before = ks_2samp(truth[:, axis], normal[:, axis]).statistic
            assert fitted < max(0.1, 0.5 * before)
    two_places = drawn(density, 0)[:, 0]
    assert 0.4 < (two_places > 0).float().mean() < 0.6
    assert (two_places.abs() > 2).all()


def test_held_out_latents_are_likelier_than_under_the_prior():
    density, (mean, _, c) = make(), posteriors(seed=7)
    before = density.log_prob(mean, c)
    torch.testing.assert_close(
        before, -0.5 * mean.square().sum(1) - math.log(2 * math.pi), rtol=1e-5, atol=1e-5
    )
    density.fit(*posteriors())
    after = density.log_prob(mean, c)
    assert (after.mean() - before.mean()) > 1.0


def test_the_density_integrates_to_one_and_draws_have_its_moments():
    density = make()
    density.fit(*posteriors())
    axis = torch.linspace(-9, 9, 361)
    grid = torch.cartesian_prod(axis, axis)
    c = torch.eye(3)[0].expand(len(grid), -1)
    masses = density.log_prob(grid, c).exp() * (18 / 360) ** 2
    assert float(masses.sum()) == pytest.approx(1.0, abs=1e-3)
    found = drawn(density, 0, 20_000)
    torch.testing.assert_close((masses[:, None] * grid).sum(0), found.mean(0), atol=0.06, rtol=0)


def test_no_component_has_few_rows_or_less_than_the_floor_of_variance():
    mean, log_variance, c = posteriors(400)
    mean[0] = torch.tensor([40.0, 40.0])  # an outlier that a component of its own would keep
    density = make(components=16, least=50, floor=0.04)
    density.fit(mean, torch.full_like(log_variance, -20.0), c)
    rows = c.sum(0)
    for level in range(3):
        used = density.weights[level] > 0
        assert (density.weights[level][used] * rows[level] >= 49.9).all() or used.sum() == 1
        assert used.sum() <= rows[level] // 50
        factors = density.factors[level][used]
        spectrum = torch.linalg.eigvalsh(factors @ factors.mT)
        assert spectrum.min() > 0.0399


def test_a_level_with_too_few_rows_keeps_the_standard_normal():
    mean, log_variance, c = posteriors()
    kept = torch.cat([torch.nonzero(c.argmax(1) < 2)[:, 0], torch.nonzero(c.argmax(1) == 2)[:5, 0]])
    density = make()
    density.fit(mean[kept], log_variance[kept], c[kept])
    noise = torch.randn(6, 2)
    assert torch.equal(density.sample(noise, torch.rand(6, 1), torch.eye(3)[[2] * 6]), noise)


def test_without_a_condition_there_is_one_mixture_and_fits_repeat():
    mean, log_variance, _ = posteriors()
    c = torch.zeros(len(mean), 0)
    one, other = make(Condition()), make(Condition())
    for density in (one, other):
        density.fit(mean, log_variance, c)
    assert one.weights.shape == (1, 4)
    assert all(torch.equal(one.state_dict()[k], v) for k, v in other.state_dict().items())
    z = one.sample(torch.randn(9, 2), torch.rand(9, 1), torch.zeros(9, 0))
    assert z.shape == (9, 2)


def test_a_row_does_not_depend_on_those_beside_it():
    density = make()
    density.fit(*posteriors())
    noise, u, c = torch.randn(50, 2), torch.rand(50, 1), torch.eye(3)[torch.arange(50) % 3]
    whole = density.sample(noise, u, c)
    assert torch.equal(density.sample(noise[7:9], u[7:9], c[7:9]), whole[7:9])


def test_each_component_comes_as_often_as_its_weight_says():
    density = make(Condition())
    density.weights.copy_(torch.tensor([[0.1, 0.2, 0.7, 0.0]]))
    density.means.copy_(torch.arange(4.0)[None, :, None].expand(1, 4, 2))
    u = (torch.arange(1000, dtype=torch.float64)[:, None] + 0.5) / 1000
    z = density.sample(torch.zeros(1000, 2), u, torch.zeros(1000, 0))
    assert np.bincount(z[:, 0].int().numpy()).tolist() == [100, 200, 700]


@pytest.mark.parametrize("wrong", [{"components": 0}, {"floor": 0.0}, {"covariance": "tied"}])
def test_settings_that_make_no_density_are_refused(wrong):
    with pytest.raises(ValueError, match=r"model\.ex_post"):
        make(**wrong)


def test_combinations_of_attributes_share_one_mixture():
    facets = (Facet("a", "boolean", ("no", "yes")), Facet("b", "continuous", knots=(0.0, 1.0)))
    told = Combinations(facets, np.array([[0.0, 0.5], [1.0, 0.25], [1.0, 1.0]]))
    group = ConditionGroup("attributes", (0.5, 0.25, 0.25), combinations=told)
    density = make(condition=Condition((group,)))
    mean, log_variance, _ = posteriors()
    c = torch.from_numpy(told.features)[torch.arange(len(mean)) % 3]
    density.fit(mean, log_variance, c)
    assert density.weights.shape == (1, 4)
    assert torch.equal(density.log_prob(mean, c), density.log_prob(mean, c.flip(0)))
