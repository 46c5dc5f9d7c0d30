"""Log-probabilities of images given a decoder's outputs, one value per image, in nats.

x is dense in [-1, 1], 256 levels that are 2/255 apart. `DiscretizedLogistic` gives the log of
probabilities of these levels, which sum to 1, so -log_prob / (C H W log 2) is a number of bits per
dimension; the others do not, and say why in `improper`. A scale is one learned number per channel:
a location may lie far outside [-1, 1], which makes a black or white position as certain as it has
to be. Mixtures of logistics are in `logistics.py`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genmodels.layout import ImageLayout, Layout
from genmodels.types import Encoded

__all__ = ["LEVEL", "Bernoulli", "DiscretizedLogistic", "Gaussian", "ImageLikelihood"]
__all__ += ["Sampling", "checked", "log_mass", "to_pixels"]

Sampling = Literal["mean", "draw"]
LEVEL = 2.0 / 255.0
"""Distance between two of the 256 levels in [-1, 1]."""


def to_pixels(x: Tensor) -> Tensor:
    """Dense values -> the nearest of the 256 levels, uint8."""
    return x.add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def checked(layout: Layout, sampling: Sampling) -> ImageLayout:
    """The layout, when it is one of images and `sampling` is known.

    Raises:
        ValueError: otherwise.
    """
    if not isinstance(layout, ImageLayout):
        raise ValueError(
            "this likelihood is for images, the data is a table; choose model=tabvae, or image "
            "data such as data=imagefolder"
        )
    if sampling not in ("mean", "draw"):
        raise ValueError(f"model.likelihood.sampling must be mean or draw, got {sampling!r}")
    return layout


def log_mass(x: Tensor, location: Tensor, log_scale: Tensor) -> Tensor:
    """The log of the mass that a logistic distribution gives to the level x, elementwise.

    F((x + 1/255 - m) / s) - F((x - 1/255 - m) / s) with F the logistic function; the darkest level
    takes all mass below it and the lightest all above, so the 256 masses sum to 1. With
    a = (x + 1/255 - m) / s and b = a - 2 / (255 s) the difference is computed as
    log F(a) + log F(-b) + log(1 - exp(b - a)), which never cancels.

    Args:
        x: one of the 256 levels, in [-1, 1].
        location: m; any shape that broadcasts with x.
        log_scale: the log of s.
    """
    precision = torch.exp(-log_scale)
    centred, half = (x - location) * precision, LEVEL / 2.0 * precision
    above, below = F.logsigmoid(centred + half), F.logsigmoid(half - centred)
    inside = torch.log(-torch.expm1(-2.0 * half))
    darkest, lightest = x < LEVEL / 2.0 - 1.0, x > 1.0 - LEVEL / 2.0
    middle = above + below + inside
    return torch.where(darkest, above, torch.where(lightest, below, middle))


class ImageLikelihood(nn.Module, ABC):
    """p(x | outputs), all positions independent given the outputs.

    `improper` says why `log_prob` is not the log of a probability of the 8-bit image, so that it
    gives no bits per dimension; it is empty where it is one.

    Args:
        layout: shape of the images.
        sampling: "mean" gives the expected image, smooth and without noise; "draw" gives a draw
            from the distribution itself, with the noise that the likelihood believes in.
    """

    improper = ""

    def __init__(self, *, layout: Layout, sampling: Sampling) -> None:
        super().__init__()
        self.layout = layout = checked(layout, sampling)
        self.sampling = sampling
        self.noise_dim = math.prod(layout.shape) if sampling == "draw" else 0

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        """The log of p(x | outputs): (B, C, H, W) twice -> (B,)."""
        return self.elementwise(outputs, x).flatten(1).sum(1)

    def sample(self, outputs: Tensor, u: Tensor) -> Encoded:
        """Images from outputs (B, C, H, W) and uniform noise u (B, noise_dim)."""
        if self.sampling == "mean":
            return {"pixels": to_pixels(self.mean(outputs))}
        return {"pixels": to_pixels(self.draw(outputs, u.view_as(outputs)))}

    @abstractmethod
    def elementwise(self, outputs: Tensor, x: Tensor) -> Tensor:
        """The log of p at each position, shape (B, C, H, W)."""

    @abstractmethod
    def mean(self, outputs: Tensor) -> Tensor:
        """The expected dense value of each position."""

    @abstractmethod
    def draw(self, outputs: Tensor, u: Tensor) -> Tensor:
        """A draw at each position by inversion of its distribution at u in [0, 1)."""


class Bernoulli(ImageLikelihood):
    """t log p + (1 - t) log(1 - p) with t = (x + 1) / 2 and p = sigmoid(outputs).

    For x in {-1, 1} this is the log-likelihood of a binary image. For grey levels it is the
    expected log-likelihood of the image after each position has been set to white with
    probability t: nats of a *binarised* image, to be compared with binarised results alone and
    never with the bits per dimension of 8-bit images. "draw" gives black and white.
    """

    improper = "a Bernoulli likelihood counts the nats of black-and-white images"

    def elementwise(self, outputs: Tensor, x: Tensor) -> Tensor:
        return -F.binary_cross_entropy_with_logits(outputs, (x + 1.0) / 2.0, reduction="none")

    def mean(self, outputs: Tensor) -> Tensor:
        return torch.tanh(outputs / 2.0)

    def draw(self, outputs: Tensor, u: Tensor) -> Tensor:
        return (u < torch.sigmoid(outputs)).to(outputs.dtype) * 2.0 - 1.0


class Gaussian(ImageLikelihood):
    """log N(x; outputs, sigma^2) + log(2/255), sigma learned, one per channel (sigma-VAE).

    A density times the width of a level: the midpoint rule for the mass of the level x. sigma is
    at least one level (2/255), where these sum to at most 1 + 1e-8 over the 256 levels, and to
    less where the outputs leave [-1, 1], as nothing takes the mass beyond the darkest and the
    lightest level. Where training has settled, sigma^2 is the mean squared error of its channel:
    the closed form of the optimal decoder variance.

    Args:
        layout: shape of the images.
        sampling: "mean" or "draw".
        scale: sigma before training, in units of the [-1, 1] range.

    References:
        Rybkin, Daniilidis, Levine, "Simple and Effective VAE Training with Calibrated Decoders",
        2021 (section 3.1).
    """

    improper = "a Gaussian likelihood is a density, not a probability of 8-bit values"

    def __init__(self, *, layout: Layout, sampling: Sampling, scale: float) -> None:
        super().__init__(layout=layout, sampling=sampling)
        self.log_scale = nn.Parameter(torch.full((self.layout.channels, 1, 1), math.log(scale)))

    def log_sigma(self) -> Tensor:
        """The log of sqrt(exp(log_scale)^2 + level^2), shape (C, 1, 1)."""
        floor = math.log(LEVEL)
        return floor + F.softplus(2.0 * (self.log_scale - floor)) / 2.0

    def elementwise(self, outputs: Tensor, x: Tensor) -> Tensor:
        log_sigma = self.log_sigma()
        constant = math.log(LEVEL) - math.log(2.0 * math.pi) / 2.0
        return constant - log_sigma - ((x - outputs) * torch.exp(-log_sigma)).square() / 2.0

    def mean(self, outputs: Tensor) -> Tensor:
        return outputs.clamp(-1.0, 1.0)

    def draw(self, outputs: Tensor, u: Tensor) -> Tensor:
        return (outputs + self.log_sigma().exp() * torch.special.ndtri(u)).clamp(-1.0, 1.0)


class DiscretizedLogistic(ImageLikelihood):
    """`log_mass` of the levels with the outputs as locations and one learned scale per channel.

    Args:
        layout: shape of the images.
        sampling: "mean" or "draw".
        scale: s before training, in units of the [-1, 1] range.

    References:
        Salimans et al., "PixelCNN++", 2017 (equation 2); Kingma et al., "Improving Variational
        Inference with Inverse Autoregressive Flow", 2016 (appendix C).
    """

    def __init__(self, *, layout: Layout, sampling: Sampling, scale: float) -> None:
        super().__init__(layout=layout, sampling=sampling)
        self.log_scale = nn.Parameter(torch.full((self.layout.channels, 1, 1), math.log(scale)))

    def elementwise(self, outputs: Tensor, x: Tensor) -> Tensor:
        return log_mass(x, outputs, self.log_scale)

    def mean(self, outputs: Tensor) -> Tensor:
        return outputs.clamp(-1.0, 1.0)

    def draw(self, outputs: Tensor, u: Tensor) -> Tensor:
        return (outputs + self.log_scale.exp() * torch.logit(u)).clamp(-1.0, 1.0)
