"""Trainings of a second on 1,797 digits of 8x8, and datasets drawn from them."""

from genmodels.tasks.compose import compose
from genmodels.tasks.sample import sample
from genmodels.tasks.train import train

TINY = {
    "conv_vae": "model.encoder.width=4 model.encoder.features=16 model.decoder.width=4 "
    "model.decoder.features=16",
    "dcgan": "model.generator.width=4 model.discriminator.width=4",
    "vqvae": "model.encoder.width=4 model.encoder.blocks=1 model.encoder.features=8 "
    "model.prior.hidden=16 model.prior.layers=1 model.prior.heads=2 model.prior_after=160",
}


def train_digits(run, *more, model="conv_vae", updates=100):
    words = [
        f"model={model}", "data=digits", f"run={run}", "trainer.accelerator=cpu", "logger=none",
        "trainer.max_epochs=1", "callbacks.preview=null", f"batching.updates_per_epoch={updates}",
        *TINY[model].split(),
    ]  # fmt: skip
    return train(compose("train", [*words, *more])).path


def draw(run, out, *words):
    return sample(compose("sample", [f"run={run}", f"out={out}", *words]))
