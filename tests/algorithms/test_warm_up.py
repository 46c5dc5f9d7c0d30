"""A condition that is blended in: untold at the start, told in full after its share of training."""

import pytest
import torch

from genmodels.algorithms.warm_up import WarmUp
from genmodels.schedules import Ramp
from tests.algorithms.test_image_updates import batch, gan, optimizers, residual, run_on_meta
from tests.algorithms.test_styled_updates import styled


def warm_up():
    return WarmUp(schedule=Ramp(start=0.0, stop=1.0, share=0.5))


@pytest.mark.parametrize("make", [gan, residual])
def test_what_is_told_counts_nothing_at_first_and_everything_later(make):
    torch.manual_seed(0)
    model = make(warm_up=warm_up())
    model.total_samples = 96.0
    z, c = torch.randn(3, 6), torch.eye(3)
    images = []
    steps = optimizers(model)
    for samples, factor in [(0, 0.0), (24, 0.5), (48, 1.0), (84, 1.0)]:
        model.num_samples = samples
        model.update(batch(model), steps, measure=False)
        assert float(model.warm_up.factor) == factor
        images.append(
            [model.sample(z, told, torch.empty(3, 0))["pixels"] for told in (c, c.flip(0))]
        )
    assert torch.equal(*images[0])
    assert not torch.equal(*images[-1])


def test_samples_are_told_what_their_weights_were_trained_with():
    one, other = gan(warm_up=warm_up()), gan(warm_up=warm_up())
    one.warm_up.factor.fill_(0.25)
    other.load_sampler_state({k: v.clone() for k, v in one.sampler_state().items()})
    assert float(other.warm_up.factor) == 0.25
    assert not [name for name in gan().sampler_state() if "warm" in name]


def test_a_generator_that_normalises_its_condition_refuses_to_have_it_blended_in():
    with pytest.raises(ValueError, match=r"model\.warm_up must be null with this generator"):
        styled(warm_up=warm_up())


def test_updates_without_the_host():
    run_on_meta(gan(warm_up=warm_up()))
