"""Two processes with half of a batch each learn what one process learns from the whole.

What is drawn within an update is drawn for the whole batch here, and each takes its half: then
nothing but the order of sums is left to differ, in double precision, as the first steps of Adam
are signs. The recipe is the one without statistics over a batch: the batch normalisation of dcgan
and the groups of stylegan2 know only the half of their process.
"""

import pytest
import torch
from omegaconf import DictConfig

from genmodels.algorithms.gan import GAN
from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.tasks.build import build_model
from genmodels.tasks.compose import compose
from genmodels.types import Batch

LAYOUT, ROWS, UPDATES = ImageLayout(1, 12, 10), 8, 6
LABELLED = Condition((ConditionGroup("label", (0.5, 0.3, 0.2)),))
SMALL = ("model.latent_dim=4", "model.generator.widths=[8]", "model.discriminator.features=8")
VARIANTS = {
    "as it is": (),
    "warming up, other losses": ("warm_up=ramp", "loss=non_saturating", "penalties=r1_r2_lazy"),
}


def config(variant) -> DictConfig:
    return compose("train", ["model=r3gan", "data=_images", *SMALL, *VARIANTS[variant]])


def learned(variant, rank, world):
    """Weights after some updates by every `world`-th row from `rank` on."""
    torch.manual_seed(0)
    model = build_model(config(variant), LAYOUT, LABELLED, None).double()
    assert isinstance(model, GAN)
    draws = torch.Generator().manual_seed(1)
    size = (ROWS, model.latent_dim)
    model.latents = lambda _: torch.randn(size, generator=draws).double()[rank::world]
    model.total_samples = float(ROWS * UPDATES)
    rows = torch.Generator().manual_seed(2)
    optimizers = model.configure_optimizers()
    for number in range(UPDATES):
        x = torch.rand(ROWS, *LAYOUT.shape, generator=rows) * 2 - 1
        c = torch.eye(3)[(torch.arange(ROWS) + number) % 3]
        half = Batch(x[rank::world].double(), c[rank::world].double())
        model.update(half, optimizers, measure=True)
        model.num_samples += ROWS
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def learn_in_process(rank, variant, folder):
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    torch.save(learned(variant, rank, 2), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("variant", VARIANTS)
def test_two_processes_learn_what_one_learns(variant, tmp_path):
    torch.multiprocessing.spawn(learn_in_process, (variant, str(tmp_path)), nprocs=2)
    first, second = (torch.load(tmp_path / f"{r}.pt", weights_only=True) for r in range(2))
    whole, alone = learned(variant, 0, 1), learned(variant, 0, 2)
    moved = [n for n, value in whole.items() if value.is_floating_point() and value.numel() > 1]
    assert len(moved) > 10
    for name in moved:
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], whole[name], rtol=1e-6, atol=1e-9, msg=name)
    # And that is no accident: half of the batch alone leads elsewhere.
    assert max(float((alone[n] - whole[n]).abs().max()) for n in moved) > 1e-3
