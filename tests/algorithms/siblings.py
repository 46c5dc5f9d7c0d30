"""Small models of whole compact rows and of hard one-hots, for the tests of this folder."""

from functools import partial

import torch

from genmodels.algorithms.gan import GAN
from genmodels.algorithms.vae import VAE
from genmodels.ema import EMA
from genmodels.layout import Condition, Expand
from genmodels.likelihoods.rows import RowLikelihood
from genmodels.losses import RelativisticPairing
from genmodels.networks import residual
from genmodels.networks.heads import TableHead
from genmodels.networks.priors import CouplingFlow, MixtureOfGaussians
from genmodels.networks.rows import RowDecoder, RowEncoder
from genmodels.penalties import R1, R2
from genmodels.types import Batch
from tests.algorithms.mixed import LAYOUT, encoded

PARTS = {"layout": LAYOUT, "condition": Condition()}
SIZES = {"latent_dim": 8, "hidden": 16, "blocks": 1}


def mixture():
    return MixtureOfGaussians(latent_dim=8, components=4)


def flow():
    return CouplingFlow(latent_dim=8, couplings=2, hidden=8)


def row_vae(**changes):
    torch.manual_seed(0)
    options = {
        "encoder": RowEncoder(**PARTS, **SIZES, dropout=0.1, cells=4, most_cells=99, embedding=5),
        "decoder": RowDecoder(**PARTS, **SIZES, dropout=0.1, narrow=6),
        "likelihood": RowLikelihood(layout=LAYOUT, hidden=6, components=3),
        "prior": mixture(),
        "optimizer": partial(torch.optim.AdamW, lr=3e-3),
        "ema": EMA(half_life=100.0, ramp=0.1),
        "clip": 20.0,
    }
    return VAE(**PARTS, latent_dim=8, **(options | changes))


def row_gan(*, pack=1, **changes):
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=[0, 0.99])
    sizes = {"hidden": 16, "blocks": 1}
    options = {
        "generator": residual.Generator(**PARTS, **SIZES),
        "discriminator": residual.Discriminator(**PARTS, **sizes, pack=pack, cells=4),
        "head": TableHead(layout=LAYOUT, temperature=0.5, hard=True),
        "loss": RelativisticPairing(),
        "penalties": {"r1": R1(weight=1.0), "r2": R2(weight=1.0)},
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
        "ema": EMA(half_life=100.0),
    }
    return GAN(**PARTS, latent_dim=8, **(options | changes))


def rows(model, count=12, seed=0):
    """A batch as the model reads it."""
    reads = getattr(model, "reads", Expand)
    return Batch(reads(LAYOUT)(encoded(count, seed=seed)), torch.zeros(count, 0))
