"""The moving average of weights: its half-life, its ramp, its buffers."""

import pytest
import torch
from torch import nn

from genmodels.ema import EMA


def test_after_one_half_life_half_of_the_old_weights_is_left():
    average, module = nn.Linear(3, 2).double(), nn.Linear(3, 2).double()
    start = average.weight.detach().clone()
    ema = EMA(half_life=60.0)
    for step in range(6):
        ema.update(average, module, batch=10, samples=10 * step)
    torch.testing.assert_close(average.weight, (start + module.weight.detach()) / 2)


def test_the_ramp_bounds_the_half_life_and_zero_copies():
    ema = EMA(half_life=1000.0, ramp=0.05)
    assert ema.decay(10, 0) == 0.0
    assert ema.decay(10, 400) == pytest.approx(0.5 ** (10 / 20))
    assert ema.decay(10, 10**6) == pytest.approx(0.5 ** (10 / 1000))
    assert EMA(half_life=0.0).decay(10, 10) == 0.0


def test_a_share_of_the_training_bounds_the_half_life():
    ema = EMA(half_life=1000.0, share=0.05)
    assert ema.decay(10, 7, 2000) == pytest.approx(0.5 ** (10 / 100))
    assert ema.decay(10, 7, 10**6) == pytest.approx(0.5 ** (10 / 1000))
    assert ema.decay(10, 7) == pytest.approx(0.5 ** (10 / 1000))


def test_running_statistics_follow_and_counters_are_copied():
    average, module = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    module(torch.randn(8, 3) + 5)
    EMA(half_life=10.0).update(average, module, batch=10, samples=0)
    torch.testing.assert_close(average.running_mean, module.running_mean / 2)
    assert average.num_batches_tracked == 1
