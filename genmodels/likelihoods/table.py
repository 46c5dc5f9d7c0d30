"""The log-probability of a row of a table given the outputs of a decoder."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

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

    def clamped_sigma(self) -> Tensor:
        return self.sigma.clamp(self.lower, self.upper)

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        """Outputs (B, D) and dense rows (B, D) -> log-density (B,)."""
        outputs, sigma = outputs.to(x.dtype), self.clamped_sigma()
        mean = outputs.index_select(1, self.scalars).tanh()
        error = (x.index_select(1, self.scalars) - mean) / sigma
        gaussian = -0.5 * (error.square() + math.log(2.0 * math.pi)) - sigma.log()
        return gaussian.sum(1) + self.groups.log_prob(outputs, x)

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
