"""A short training of a GAN on bars: where a bar is, and its polarity, are as they were asked."""

import numpy as np

from genmodels.data.open import open_source
from genmodels.tasks.compose import compose
from genmodels.tasks.sample import sample
from genmodels.tasks.train import train
from genmodels.writers.npz import NPZWriter
from tests.attributes import barred, measured
from tests.writers.whole import write_whole

WORDS = [
    "model=dcgan", "data=npz", "data.attributes=all", "trainer.accelerator=cpu", "logger=none",
    "callbacks.preview=null", "model.generator.width=16", "model.discriminator.width=16",
    "model.discriminator.features=32", "model.latent_dim=8", "batching.batch_size=64",
    "batching.updates_per_epoch=300", "trainer.max_epochs=4", "validation.select=last",
]  # fmt: skip


def test_the_place_and_the_polarity_of_a_bar_are_as_asked(tmp_path):
    images = barred(1000, labelled=False, upright=True)
    truth = measured(images.pixels, images.attributes["dark"])
    assert np.corrcoef(truth, images.attributes["position"])[0, 1] > 0.98
    (file,) = write_whole(NPZWriter(), iter([images]), tmp_path)
    words = [*WORDS, f"data.path={file}", f"run={tmp_path / 'run'}"]
    run = train(compose("train", words)).path
    out = sample(
        compose("sample", [f"run={run}", f"out={tmp_path / 'out'}", "n=300", "format=npz"])
    )
    made = open_source(out).load()
    dark = made.attributes["dark"]
    assert np.mean((made.pixels.mean((1, 2, 3)) > 127) == dark) > 0.9
    found = measured(made.pixels, dark)
    assert np.corrcoef(found, made.attributes["position"])[0, 1] > 0.9
