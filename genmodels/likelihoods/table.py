"""The log-probability of a row of a table given the outputs of a decoder."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from genmodels.layout import Groups, Layout, TableLayout
from genmodels.types import Encoded

__all__ = ["TableLikelihood"]


class TableLikelihood(nn.Module):
    """Independent given the outputs o: N(tanh(o_i), sigma_i) per scalar, softmax(o) per block.

    sigma is one learned number per scalar, the same for all rows, kept in [lower, upper].

    Args:
        layout: of a table.
        lower: smallest sigma.
        upper: largest sigma.
        categories: "sample" draws a level from softmax(o); "argmax" takes the likeliest, which
            loses the spread that the model has learned.

    References:
        Xu et al., "Modeling Tabular Data using Conditional GAN", 2019, section 4.5.
    """

    scalars: Tensor
    levels: Tensor

    def __init__(
        self,
        *,
        layout: Layout,
        lower: float = 0.01,
        upper: float = 1.0,
        categories: Literal["sample", "argmax"] = "sample",
    ) -> None:
        super().__init__()
        if not isinstance(layout, TableLayout):
            raise ValueError(
                "TableLikelihood needs a table, but the data are images; choose a model for "
                "images, such as model=conv_vae"
            )
        if categories not in ("sample", "argmax"):
            raise ValueError(
                f"model.likelihood.categories must be 'sample' or 'argmax', got {categories!r}"
            )
        self.lower, self.upper, self.categories = lower, upper, categories
        self.groups = Groups(layout)
        self.num_codes = len(layout.categorical)
        self.noise_dim = self.num_codes + len(layout.continuous)
        self.sigma = nn.Parameter(torch.full((len(layout.continuous),), 0.1))
        self.register_buffer("scalars", torch.tensor(layout.continuous, dtype=torch.long), False)
        levels = torch.ones(layout.width).index_fill(0, self.scalars, 0.0)
        self.register_buffer("levels", levels, False)

    def clamped_sigma(self) -> Tensor:
        return self.sigma.clamp(self.lower, self.upper)

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        """Outputs (B, D) and dense rows (B, D) -> log-density (B,)."""
        return _LogProb.apply(outputs.to(x.dtype), x, self.clamped_sigma(), self)

    def sample(self, outputs: Tensor, u: Tensor) -> Encoded:
        """Outputs (B, D), uniforms (B, Q + F) -> values (B, F) and codes (B, Q)."""
        outputs = outputs.float()
        mean = outputs.index_select(1, self.scalars).tanh()
        tiny = torch.finfo(u.dtype).eps
        noise = torch.special.ndtri(u[:, self.num_codes :].clamp(tiny, 1.0 - tiny))
        values = torch.addcmul(mean, noise, self.clamped_sigma())
        sampled = self.categories == "sample"
        codes = (
            self.groups.draw(outputs, u[:, : self.num_codes])
            if sampled
            else self.groups.argmax(outputs)
        )
        return {"values": values, "codes": codes}


class _LogProb(torch.autograd.Function):
    """Both parts in one node, written out because a small model's update is mostly overhead.

    d/do is g (x - softmax(o)) at levels and g e (1 - m^2) / sigma at scalars, where m = tanh(o)
    and e = (x - m) / sigma; d/dsigma is the sum over rows of g (e^2 - 1) / sigma. No gradient
    flows into x. Logits are held within +-60, where exp and its sums stay normal in float32; that
    spares the maxima, and a level that is 120 nats less likely than another is never seen.
    """

    @staticmethod
    def forward(
        ctx: Any, outputs: Tensor, x: Tensor, sigma: Tensor, likelihood: TableLikelihood
    ) -> Tensor:
        groups, scalars = likelihood.groups, likelihood.scalars
        held = outputs.clamp(-60.0, 60.0).mul_(likelihood.levels)
        chosen = (x * held).sum(1)
        sums = groups.sums(held.exp_())
        slope = x.addcmul(held, groups.spread(sums.reciprocal()), value=-1.0)
        mean = outputs.index_select(1, scalars).tanh_()
        error = x.index_select(1, scalars).sub_(mean).div_(sigma)
        square = error.square()
        slope.index_copy_(1, scalars, error.mul_(1.0 - mean * mean).div_(sigma))
        ctx.save_for_backward(slope, (square - 1.0).div_(sigma))
        unit = sigma.log().sum() + len(sigma) * 0.5 * math.log(2.0 * math.pi)
        return chosen.sub_(sums.log().sum(1)).sub_(square.sum(1), alpha=0.5).sub_(unit)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, Tensor, None]:
        slope, by_sigma = ctx.saved_tensors
        return slope * gradient.unsqueeze(1), None, gradient @ by_sigma, None
