"""Fully connected networks for tables: the generator, discriminator, encoder and decoder of
CTGAN and TVAE. Heads and likelihoods are elsewhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from genmodels.layout import Condition, Layout
from genmodels.networks.layers import JoinedLinear, join, leaky_slopes, packed, require_table
from genmodels.precision import full_precision

__all__ = ["Decoder", "Discriminator", "Encoder", "Generator"]


class Generator(nn.Module):
    """h <- [relu(batch_norm(W h)), h] for each hidden width, then one linear layer.

    Args:
        layout: outputs have its width D.
        condition: c has its width K.
        latent_dim: z has this width.
        hidden: width of each hidden layer.

    References:
        Xu et al., "Modeling Tabular Data using Conditional GAN", 2019, section 4.4.
    """

    scalars: Tensor

    def __init__(
        self, *, layout: Layout, condition: Condition, latent_dim: int, hidden: Sequence[int]
    ) -> None:
        super().__init__()
        table = require_table(layout, "mlp.Generator")
        sizes, widths = [*hidden, table.width], [latent_dim]
        self.layers = nn.ModuleList()
        for size in sizes:
            layer = JoinedLinear(widths=widths, condition=condition.width, out=size)
            self.layers.append(layer)
            widths = [size, *widths]
        self.norms = nn.ModuleList(nn.BatchNorm1d(size) for size in hidden)
        self.register_buffer("scalars", torch.tensor(table.continuous, dtype=torch.long), False)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """Latents (B, Z) and c (B, K) -> outputs (B, D)."""
        if not self.training:
            return self._evaluate(z, c)
        *layers, last = self.layers
        inputs = [z]
        for layer, norm in zip(layers, self.norms, strict=True):
            inputs = [norm(layer(*inputs, c=c)).relu_(), *inputs]
        return last(*inputs, c=c)

    def _evaluate(self, z: Tensor, c: Tensor) -> Tensor:
        """`forward` with running statistics, each norm folded into its layer.

        Under autocast the scalars among the outputs are computed in full: 8 bits do for
        logits, but would leave a grid in numbers.
        """
        layers: list[Any] = list(self.layers)
        last, norms = layers.pop(), cast(list[nn.BatchNorm1d], list(self.norms))
        rows = last.rows(c).flatten() if c.shape[1] else None
        inputs = [z]
        for layer, norm in zip(layers, norms, strict=True):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
            bias = norm.bias + (layer.bias - norm.running_mean) * scale
            weights = [weight * scale[:, None] for weight in layer.weights]
            table = layer.table * scale if rows is not None else None
            inputs = [join(inputs, weights, bias, table, rows).relu_(), *inputs]
        table = last.table if rows is not None else None
        outputs = join(inputs, last.weights, last.bias, table, rows)
        if outputs.dtype == z.dtype:
            return outputs
        with full_precision(z):
            weights = [weight[self.scalars] for weight in last.weights]
            table = table[:, self.scalars] if table is not None else None
            inputs = [x.to(z.dtype) for x in inputs]
            exact = join(inputs, weights, last.bias[self.scalars], table, rows)
        return outputs.to(z.dtype).index_copy(1, self.scalars, exact)


class Discriminator(nn.Module):
    """Linear, leaky ReLU and dropout for each hidden width, one logit per pack of rows.

    Args:
        layout: x has its width D.
        condition: c has its width K.
        hidden: width of each hidden layer.
        pack: rows that are judged together; batches must be a multiple of it.
        slope: of the leaky ReLU below zero.
        dropout: share of hidden units dropped while training.

    References:
        Xu et al., "Modeling Tabular Data using Conditional GAN", 2019, section 4.4.
        Lin et al., "PacGAN: The power of two samples in generative adversarial networks", 2018.
    """

    def __init__(
        self,
        *,
        layout: Layout,
        condition: Condition,
        hidden: Sequence[int],
        pack: int,
        slope: float = 0.2,
        dropout: float,
    ) -> None:
        super().__init__()
        self.pack, self.slope, self.dropout = pack, slope, dropout
        width = require_table(layout, "mlp.Discriminator").width * pack
        self.first = JoinedLinear(
            widths=[width], condition=condition.width, out=hidden[0], pack=pack
        )
        pairs = itertools.pairwise(hidden)
        self.layers = nn.ModuleList(nn.Linear(width, size) for width, size in pairs)
        self.out = nn.Linear(hidden[-1], 1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """Rows (B, D) and c (B, K) -> logits (B / pack,)."""
        a = self.first(packed(x, self.pack), c=c)
        for layer in [*self.layers, self.out]:
            a = layer(a * self.slopes(a))
        return a.squeeze(1)

    def slopes(self, a: Tensor) -> Tensor:
        return leaky_slopes(a, self.slope, self.dropout if self.training else 0.0)

    def input_gradient(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (without a graph) and d(sum of logits)/dx (B, D), differentiable in the weights.

        The network is piecewise linear, so the gradient is a product of weights and of slopes
        that are locally constant: J = w3 diag(s2) W2 diag(s1) W1.
        """
        layers, factors = [*self.layers, self.out], []
        with torch.no_grad():
            a = self.first(packed(x, self.pack), c=c)
            for layer in layers:
                factors.append(self.slopes(a))
                a = layer(a * factors[-1])
        gradient = self.out.weight
        for layer, factor in zip(reversed(self.layers), reversed(factors[1:]), strict=True):
            gradient = (gradient * factor) @ layer.get_parameter("weight")
        gradient = (gradient * factors[0]) @ self.first.weights[0]
        return a.squeeze(1), gradient.reshape(x.shape)


class Encoder(nn.Module):
    """ReLU layers, then mean and log-variance by one linear layer.

    Args:
        layout: x has its width D.
        condition: c has its width K.
        latent_dim: width Z of mean and log-variance.
        hidden: width of each hidden layer.
    """

    def __init__(
        self, *, layout: Layout, condition: Condition, latent_dim: int, hidden: Sequence[int]
    ) -> None:
        super().__init__()
        width = require_table(layout, "mlp.Encoder").width + condition.width
        self.layers = nn.ModuleList()
        for size in hidden:
            self.layers.append(nn.Linear(width, size))
            width = size
        self.out = nn.Linear(width, 2 * latent_dim)

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Rows (B, D) and c (B, K) -> mean (B, Z), log-variance (B, Z)."""
        h = torch.cat([x, c], 1) if c.shape[1] else x
        for layer in self.layers:
            h = layer(h).relu_()
        mean, log_variance = self.out(h).chunk(2, 1)
        return mean, log_variance


class Decoder(nn.Module):
    """ReLU layers, then one linear layer.

    Args:
        layout: outputs have its width D.
        condition: c has its width K.
        latent_dim: z has this width.
        hidden: width of each hidden layer.
    """

    def __init__(
        self, *, layout: Layout, condition: Condition, latent_dim: int, hidden: Sequence[int]
    ) -> None:
        super().__init__()
        width = latent_dim + condition.width
        self.layers = nn.ModuleList()
        for size in hidden:
            self.layers.append(nn.Linear(width, size))
            width = size
        self.out = nn.Linear(width, require_table(layout, "mlp.Decoder").width)

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        """Latents (B, Z) and c (B, K) -> outputs (B, D)."""
        h = torch.cat([z, c], 1) if c.shape[1] else z
        for layer in self.layers:
            h = layer(h).relu_()
        return self.out(h)
