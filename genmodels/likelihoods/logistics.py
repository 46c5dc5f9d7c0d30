"""Images as discretised mixtures of logistics: locations, scales and weights at each position.

Unlike the likelihoods in `images.py` it reads any number of feature maps, and it knows that the
channels of one position depend on each other.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from genmodels.layout import Layout
from genmodels.likelihoods.images import Sampling, checked, log_mass, to_pixels
from genmodels.precision import full_precision
from genmodels.types import Encoded

__all__ = ["MixtureOfLogistics"]

LOG_SCALES = (-7.0, 3.0)
"""Range of the log of a scale: below it one level has all mass, above it all have the same."""


class MixtureOfLogistics(nn.Module):
    """log sum_k w_k prod_c P(x_c | m_kc + sum_{d < c} a_kcd x_d, s_kc), P as in `log_mass`.

    Weights, locations m, scales s and, tanh of them, couplings a of a position are a linear
    function of the feature maps there. The 256^C masses of a position sum to 1.

    Args:
        layout: shape of the images.
        sampling: "mean" gives the expected image (each location by the expected channels before
            it), smooth and without noise; "draw" gives a draw from the distribution itself.
        maps: feature maps M that the decoder gives, `model.decoder.maps`.
        components: K logistics per position.
        scale: of every component before training, in units of the [-1, 1] range.

    References:
        Salimans et al., "PixelCNN++", 2017 (equations 1 to 3).
    """

    improper = ""

    def __init__(
        self, *, layout: Layout, sampling: Sampling, maps: int, components: int, scale: float
    ) -> None:
        super().__init__()
        self.layout = checked(layout, sampling)
        if min(maps, components) < 1:
            raise ValueError(
                "model.likelihood.maps and model.likelihood.components must be at least 1, got "
                f"{maps} and {components}"
            )
        channels = self.layout.channels
        self.sampling, self.components = sampling, components
        self.pairs = [(c, d) for c in range(channels) for d in range(c)]
        positions = self.layout.height * self.layout.width
        self.noise_dim = (1 + channels) * positions if sampling == "draw" else 0
        self.parts = (1, channels, channels, len(self.pairs))
        self.project = nn.Conv2d(maps, components * sum(self.parts), 1)
        nn.init.normal_(self.project.weight, std=maps**-0.5)
        with torch.no_grad():
            self._start(scale)

    def _start(self, scale: float) -> None:
        """Locations spread evenly over [-1, 1], all scales alike, no channel knows another."""
        bias = self.project.bias
        assert bias is not None
        _, location, log_scale, coupling = bias.view(self.components, -1).split(self.parts, 1)
        places = (torch.arange(self.components) + 0.5) / self.components
        location.copy_((2.0 * places - 1.0)[:, None].expand_as(location))
        log_scale.fill_(scale).log_()
        coupling.zero_()
        weight = self.project.weight.flatten(1).unflatten(0, (self.components, -1))
        weight[:, 1:].mul_(0.1)

    def mixture(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Feature maps (B, M, H, W) -> log weights, locations, log scales, couplings.

        Their shapes are (B, K, H, W), (B, K, C, H, W) twice and (B, K, C (C - 1) / 2, H, W).
        """
        with full_precision(outputs):
            found = self.project(outputs.to(self.project.weight.dtype))
        split = found.unflatten(1, (self.components, -1)).split(self.parts, 2)
        logits, locations, log_scales, couplings = split
        weights = log_softmax(logits.squeeze(2), 1)
        return weights, locations, log_scales.clamp(*LOG_SCALES), couplings.tanh()

    def shifted(self, locations: Tensor, couplings: Tensor, x: Tensor, c: int) -> Tensor:
        """Locations (B, K, H, W) of channel c, given the channels of x (B, C, H, W) before it."""
        found = locations[:, :, c]
        for pair, (later, earlier) in enumerate(self.pairs):
            if later == c:
                found = found + couplings[:, :, pair] * x[:, None, earlier]
        return found

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        """Feature maps (B, M, H, W) and images (B, C, H, W) -> nats (B,)."""
        total, locations, log_scales, couplings = self.mixture(outputs)
        for c in range(self.layout.channels):
            location = self.shifted(locations, couplings, x, c)
            total = total + log_mass(x[:, None, c], location, log_scales[:, :, c])
        return torch.logsumexp(total, 1).flatten(1).sum(1)

    def sample(self, outputs: Tensor, u: Tensor) -> Encoded:
        """Images from feature maps (B, M, H, W) and uniform noise u (B, noise_dim)."""
        weights, locations, log_scales, couplings = self.mixture(outputs)
        drawn = self.sampling == "draw"
        if drawn:
            first, *later = u.view(len(u), -1, self.layout.height, self.layout.width).unbind(1)
            upto = weights.exp().double().cumsum(1)
            component = (upto[:, :-1] <= first[:, None] * upto[:, -1:]).sum(1, keepdim=True)
            pick = torch.zeros_like(weights).scatter_(1, component, 1.0)
        else:
            pick = weights.exp()
        x = outputs.new_zeros(len(outputs), *self.layout.shape)
        for c in range(self.layout.channels):
            location = self.shifted(locations, couplings, x, c)
            if drawn:
                location = location + log_scales[:, :, c].exp() * torch.logit(later[c])[:, None]
            # A draw is rounded before others depend on it, as in `log_prob`.
            value = (pick * location.clamp(-1.0, 1.0)).sum(1)
            x[:, c] = value.add(1.0).mul(127.5).round().div(127.5).sub(1.0) if drawn else value
        return {"pixels": to_pixels(x)}
