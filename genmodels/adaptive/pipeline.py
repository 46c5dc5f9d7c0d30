"""Adaptive discriminator augmentation: transformations of images and what moves their strength."""

from __future__ import annotations

from torch import Tensor, nn

from genmodels.adaptive.colour import Colour
from genmodels.adaptive.geometry import Geometry
from genmodels.adaptive.strength import Strength

__all__ = ["Pipeline"]


class Pipeline(nn.Module):
    """Geometry, then colours, each transformation of each image with probability p.

    Both networks are trained through it, with one p. As long as p is not near 1, what is drawn
    can be undone in distribution, which is why the generator does not learn to augment.

    A penalty on the gradient of the discriminator looks through it, to the samples themselves.
    The derivatives of any order that this needs are those of gathers and products.

    Args:
        geometry: or None.
        colour: or None.
        strength: of both.

    References:
        Karras, Aittala, Hellsten, Laine, Lehtinen, Aila, "Training Generative Adversarial
        Networks with Limited Data", 2020 (sections 2 and 3, appendix B).
    """

    def __init__(
        self, *, geometry: Geometry | None, colour: Colour | None, strength: Strength
    ) -> None:
        super().__init__()
        self.geometry, self.colour, self.strength = geometry, colour, strength

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) in [-1, 1] -> (B, C, H, W), possibly beyond."""
        for step in (self.geometry, self.colour):
            if step is not None:
                x = step(x, self.strength.p)
        return x

    def follow(
        self, sign: Tensor, *, update: int, batch: int, samples: int, total: float
    ) -> dict[str, Tensor]:
        """Move the strength; see `Strength.follow`. Returns what is worth a line in a log."""
        before = self.strength.p.clone()
        self.strength.follow(sign, update=update, batch=batch, samples=samples, total=total)
        return {"strength": before, "sign": sign}
