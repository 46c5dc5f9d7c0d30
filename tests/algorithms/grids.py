"""A small model of discrete latents on small pictures."""

from functools import partial

import torch

from genmodels.algorithms.vqvae import VQVAE
from genmodels.ema import EMA
from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.likelihoods.images import DiscretizedLogistic
from genmodels.networks.masked_transformer import MaskedTransformer
from genmodels.networks.quantizers import FSQ, Codebook
from genmodels.networks.token_transformer import TokenTransformer
from genmodels.networks.vqvae import Decoder, Encoder
from genmodels.types import Batch

LABELLED = Condition((ConditionGroup("label", (0.5, 0.3, 0.2)),))
QUANTIZERS = {
    "fsq": partial(FSQ, levels=[4, 3]),
    "codebook": partial(
        Codebook, codes=12, width=3, decay=0.9, commitment=0.25, dead=0.03, epsilon=1e-5
    ),
}


DECODINGS = {"raster": TokenTransformer, "parallel": partial(MaskedTransformer, steps=3)}


def vqvae(
    quantizer="fsq", shape=(1, 8, 8), condition=LABELLED, sampling="mean", decoding="raster", **more
):
    layout = ImageLayout(*shape)
    sizes = {"layout": layout, "cells": 16, "width": 4, "blocks": 1, "features": 6}
    prior = partial(
        DECODINGS[decoding], hidden=16, layers=1, heads=2, expansion=2.0, dropout=0.1,
        label_dropout=0.1,
    )  # fmt: skip
    options = {
        "prior_after": 0, "clip": 5.0, "ema": EMA(half_life=1000, ramp=0.05), "guidance": 1.0,
        "temper": 1.0, "top_p": 1.0, "rounding": "float32",
    } | more  # fmt: skip
    return VQVAE(
        layout=layout,
        condition=condition,
        encoder=Encoder(**sizes),
        quantizer=QUANTIZERS[quantizer](features=6),
        decoder=Decoder(**sizes),
        likelihood=DiscretizedLogistic(layout=layout, sampling=sampling, scale=0.3),
        prior=prior,
        optimizer=partial(torch.optim.Adam, lr=2e-3),
        prior_optimizer=partial(torch.optim.AdamW, lr=2e-3),
        **options,
    )


def batch(model, rows=12, device="cpu"):
    x = torch.rand(rows, *model.layout.shape) * 2 - 1
    c = torch.zeros(rows, model.condition.width)
    if model.condition.width:
        c[torch.arange(rows), torch.arange(rows) % model.condition.width] = 1.0
    return Batch(x, c).to(device)


def train(model, updates, rows=12):
    optimizers = model.configure_optimizers()
    for _ in range(updates):
        model.update(batch(model, rows), optimizers, measure=True)
        model.num_samples += rows
    return model
