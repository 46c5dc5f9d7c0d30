"""What optimizers were built with follows schedules of the samples seen."""

from types import SimpleNamespace

import pytest
import torch

from genmodels.callbacks.follow import Follow
from genmodels.schedules import Cosine, Ramp
from tests.algorithms.test_image_updates import gan


def trained_with(*rates):
    """A trainer as far as the callback looks at it."""
    weight = torch.nn.Parameter(torch.zeros(1))
    adams = [torch.optim.Adam([weight], lr=rate, betas=(0.0, 0.9)) for rate in rates]
    return SimpleNamespace(optimizers=adams)


def groups(trainer):
    return [group for optimizer in trainer.optimizers for group in optimizer.param_groups]


def at(made, trainer, samples, total):
    model = gan()
    model.num_samples, model.total_samples = samples, total
    made.on_train_batch_start(trainer, model, None, 0)
    return [(group["lr"], *group["betas"]) for group in groups(trainer)]


def test_rates_keep_their_ratio_and_the_second_beta_moves():
    made = Follow(
        rate=Cosine(start=1.0, stop=0.2, share=0.5), beta2=Ramp(start=0.9, stop=0.99, share=1.0)
    )
    trainer = trained_with(1e-3, 4e-3)
    made.on_train_start(trainer, None)
    for samples, rate, beta in [(0, 1.0, 0.9), (250, 0.6, 0.9225), (1000, 0.2, 0.99)]:
        first, second = at(made, trainer, samples, 1000)
        assert first == pytest.approx((1e-3 * rate, 0.0, beta))
        assert second == pytest.approx((4e-3 * rate, 0.0, beta))


def test_what_has_no_schedule_stays():
    made, trainer = Follow(), trained_with(1e-3)
    made.on_train_start(trainer, None)
    assert at(made, trainer, 500, 1000) == [(1e-3, 0.0, 0.9)]


def test_a_resumed_training_goes_on_from_the_full_rate():
    rate = Cosine(start=1.0, stop=0.2, share=1.0)
    first, trainer = Follow(rate=rate), trained_with(1e-3)
    first.on_train_start(trainer, None)
    before = at(first, trainer, 500, 1000)
    later = Follow(rate=rate)
    later.load_state_dict(first.state_dict())
    later.on_train_start(trainer, None)  # the optimizer comes back with the rate it had
    assert at(later, trainer, 500, 1000) == before
