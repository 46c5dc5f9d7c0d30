import numpy as np
import pytest
import torch

from genmodels.sampling.draws import Draws, normal_quantiles

CPU = torch.device("cpu")


def test_latents_have_the_moments_and_the_distribution_of_a_standard_normal():
    z, _ = Draws(seed=0, block_rows=4096).block(0, 64, 0, CPU)
    z = z.double().flatten()
    n = len(z)
    assert abs(z.mean()) < 4 / n**0.5
    assert abs(z.var() - 1) < 4 * (2 / n) ** 0.5
    assert abs((z**3).mean()) < 4 * (15 / n) ** 0.5
    assert abs((z**4).mean() - 3) < 4 * (96 / n) ** 0.5
    steps = (torch.arange(n) + 0.5) / n
    distance = (torch.special.ndtr(z.sort().values) - steps).abs().max()
    assert distance < 1.95 / n**0.5


def test_quantiles_differ_from_the_normal_distribution_by_less_than_half_a_step():
    quantiles = normal_quantiles().double()
    assert quantiles.square().mean() == pytest.approx(1, abs=1e-6)
    middle = (torch.arange(1 << 16, dtype=torch.float64) + 0.5) / (1 << 16)
    assert (torch.special.ndtr(quantiles) - middle).abs().max() < 2.0**-17
    assert torch.equal(quantiles, -quantiles.flip(0))


def test_uniforms_fill_the_half_open_unit_interval():
    _, u = Draws(seed=1, block_rows=4096).block(3, 0, 64, CPU)
    u = u.double().flatten()
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) < 4 * (1 / 12 / len(u)) ** 0.5
    assert abs(u.var() - 1 / 12) < 4 * (1 / 180 / len(u)) ** 0.5


def test_a_block_repeats_and_other_blocks_seeds_and_streams_are_independent():
    draws = Draws(seed=5, block_rows=1024)
    z, u = draws.block(2, 16, 16, CPU)
    again = Draws(seed=5, block_rows=1024).block(2, 16, 16, CPU)
    assert torch.equal(z, again[0])
    assert torch.equal(u, again[1])
    others = [
        draws.block(3, 16, 0, CPU)[0],
        Draws(seed=6, block_rows=1024).block(2, 16, 0, CPU)[0],
        torch.special.ndtri(u.clamp(1e-6, 1 - 1e-6)),
    ]
    for other in others:
        correlation = torch.corrcoef(torch.stack([z.flatten(), other.flatten()]))[0, 1]
        assert abs(correlation) < 4 / z.numel() ** 0.5
    rngs = [draws.rng(0, stream).random() for stream in ("latent", "noise", "condition", "decode")]
    assert len(set(rngs)) == 4


def test_odd_widths_and_empty_widths_have_the_asked_shape():
    z, u = Draws(seed=0, block_rows=3).block(0, 5, 0, CPU)
    assert z.shape == (3, 5)
    assert u.shape == (3, 0)
    assert z.dtype == u.dtype == torch.float32


@pytest.mark.parametrize(("seed", "rows"), [(-1, 8), (0, 0)])
def test_a_negative_seed_or_an_empty_block_is_refused(seed, rows):
    with pytest.raises(ValueError, match="must be"):
        Draws(seed=seed, block_rows=rows)


def test_large_seeds_are_accepted():
    first = Draws(seed=2**70, block_rows=8).rng(0).random()
    assert first != Draws(seed=2**70 + 1, block_rows=8).rng(0).random()
    assert isinstance(first, float | np.floating)


def test_another_attempt_has_other_numbers_and_the_first_is_as_without():
    draws = Draws(seed=3, block_rows=64)
    cpu = torch.device("cpu")
    first = draws.block(2, 3, 4, cpu)
    same, other = draws.block(2, 3, 4, cpu, attempt=0), draws.block(2, 3, 4, cpu, attempt=1)
    for a, b, c in zip(first, same, other, strict=True):
        assert torch.equal(a, b)
        assert (a != c).float().mean() > 0.9
    third = draws.block(2, 3, 4, cpu, attempt=2)
    assert not torch.equal(other[1], third[1])
    assert draws.rng(2, "choice", attempt=1).random() != draws.rng(1, "choice", attempt=2).random()


def test_a_spread_multiplies_latents_alone():
    plain, wide = (Draws(seed=3, block_rows=64, spread=spread) for spread in (1.0, 1.5))
    (z, u), (wide_z, wide_u) = (
        draws.block(2, 5, 3, torch.device("cpu")) for draws in (plain, wide)
    )
    assert torch.allclose(wide_z, 1.5 * z)
    assert torch.equal(wide_u, u)
    with pytest.raises(ValueError, match="spread above 0"):
        Draws(seed=3, block_rows=64, spread=0.0)
