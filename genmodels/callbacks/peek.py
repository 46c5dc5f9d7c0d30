"""A look at what the model would produce now: the same seeded rows each time, decoded."""

from __future__ import annotations

from genmodels.algorithms.base import GenerativeModel
from genmodels.sampling.conditions import Conditions
from genmodels.sampling.sampler import Decoder, Sampler
from genmodels.types import Raw

__all__ = ["Peek"]


class Peek:
    """Raw rows of the model in training, drawn from fixed latents.

    Args:
        model: in training.
        codec: of the run.
        seed: of the latents and conditions.
    """

    def __init__(self, *, model: GenerativeModel, codec: Decoder, seed: int) -> None:
        self.model, self.codec, self.seed = model, codec, seed
        self._last: tuple[int, int, Raw] | None = None

    def __call__(self, n: int) -> Raw:
        """`n` rows; asked twice between two updates, the work is done once."""
        if self._last is not None and self._last[:2] == (self.model.num_samples, n):
            return self._last[2]
        sampler = Sampler(
            model=self.model,
            codec=self.codec,
            conditions=Conditions(condition=self.model.condition, rule="empirical"),
            seed=self.seed,
            device=self.model.device,
        )
        raw = sampler.sample(n)
        self._last = (self.model.num_samples, n, raw)
        return raw
