"""Small table models for the tests of this folder."""

from functools import partial

import torch

from genmodels.algorithms.gan import GAN
from genmodels.algorithms.vae import VAE
from genmodels.ema import EMA
from genmodels.layout import Block, Condition, ConditionGroup, Expand, TableLayout
from genmodels.likelihoods.table import TableLikelihood
from genmodels.losses import Wasserstein
from genmodels.networks import mlp
from genmodels.networks.heads import TableHead
from genmodels.penalties import GradientPenalty
from genmodels.terms import ConditionTerm
from genmodels.types import Batch

WIDTHS = (2, 5, 1, 17, 3)
LAYOUT = TableLayout(
    tuple(
        block
        for i, width in enumerate(WIDTHS)
        for block in (Block(f"x{i}", "continuous", 1), Block(f"k{i}", "categorical", width))
    )
)
CONDITION = Condition(
    tuple(
        ConditionGroup(f"k{i}", (1 / w,) * w, start=LAYOUT.slices[f"k{i}"].start, code=i)
        for i, w in enumerate(WIDTHS)
    )
)
NONE = Condition()


def gan(layout=LAYOUT, condition=CONDITION, *, pack=2, hidden=(16, 16), **changes):
    torch.manual_seed(0)
    parts = {"layout": layout, "condition": condition}
    adam = partial(torch.optim.Adam, lr=2e-4, betas=[0.5, 0.9])
    options = {
        "generator": mlp.Generator(**parts, latent_dim=8, hidden=hidden),
        "discriminator": mlp.Discriminator(**parts, hidden=hidden, pack=pack, dropout=0.5),
        "head": TableHead(layout=layout),
        "loss": Wasserstein(),
        "penalties": {"gradient": GradientPenalty(weight=10.0)},
        "terms": {"condition": ConditionTerm(condition=condition)},
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
        "ema": EMA(half_life=100.0),
    }
    return GAN(**parts, latent_dim=8, **(options | changes))


def vae(layout=LAYOUT, condition=NONE, *, hidden=(16, 16), lr=1e-3, **changes):
    torch.manual_seed(0)
    parts = {"layout": layout, "condition": condition}
    options = {
        "encoder": mlp.Encoder(**parts, latent_dim=8, hidden=hidden),
        "decoder": mlp.Decoder(**parts, latent_dim=8, hidden=hidden),
        "likelihood": TableLikelihood(layout=layout),
        "optimizer": partial(torch.optim.Adam, lr=lr, betas=[0, 0.99]),
        "reconstruction_weight": 2.0,
    }
    return VAE(**parts, latent_dim=8, **(options | changes))


def rows(count, layout=LAYOUT, seed=0):
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(count, len(layout.continuous), generator=generator) * 2 - 1
    codes = [torch.randint(b.width, (count,), generator=generator) for b in layout.categorical]
    return Expand(layout)({"values": values, "codes": torch.stack(codes, 1).int()})


def batch(condition=CONDITION, count=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    c = torch.zeros(count, condition.width)
    if condition.width:
        c[torch.arange(count), torch.randint(condition.width, (count,), generator=generator)] = 1
    return Batch(rows(count, seed=seed), c)


def optimizers(model):
    found = model.configure_optimizers()
    return found if isinstance(found, list) else [found]


def train(model, batches):
    chosen = optimizers(model)
    for each in batches:
        model.update(each, chosen, measure=True)
        model.num_samples += len(each.x)
