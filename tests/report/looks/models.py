"""A model of images that paints what it is given, so that a test can read it off."""

import torch

from genmodels.algorithms.base import GenerativeModel
from genmodels.layout import Condition, ConditionGroup, ImageLayout

LABELLED = Condition((ConditionGroup("label", (0.5, 0.25, 0.25), ("a", "bb", "c")),))


class Paint(GenerativeModel):
    """Paints the position of the class, 0 to 200, and a little of the first latent."""

    noise_dim = 2

    def sample(self, z, c, u):
        self.calls = [*getattr(self, "calls", []), (z, c, u)]
        level = c @ torch.arange(c.shape[1], dtype=torch.float32) * 100 if c.shape[1] else 0
        first = z[:, 0] if z.shape[1] else torch.zeros(len(c))
        value = (level + 20 + 5 * first).clamp(0, 255).byte()
        return {"pixels": value[:, None, None, None].expand(-1, *self.layout.shape)}

    def update(self, batch, optimizers, *, measure):
        return torch.zeros(())

    def sampler_modules(self):
        return {}


class PaintEncoded(Paint):
    def posterior_mean(self, batch):
        return batch.x.flatten(1)[:, :3]


def model(kind=Paint, *, shape=(1, 4, 6), condition=LABELLED, latent_dim=3):
    return kind(layout=ImageLayout(*shape), condition=condition, latent_dim=latent_dim)
