"""The log-probability of a whole compact row, given the hidden vectors of its variables."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor, nn

from genmodels.arrangement import Compact
from genmodels.layout import Layout
from genmodels.likelihoods.mixed import SPREAD, MixedLikelihood
from genmodels.precision import full_precision
from genmodels.types import Encoded

__all__ = ["RowLikelihood"]

_SCALES = (-7.0, 3.0)  # of the logarithm of a component's scale, as in `MixedLikelihood`
_DRAWS = 3  # uniforms per variable: for the level, the component, the place in it


class RowLikelihood(nn.Module):
    """Variables are independent given the hidden vectors; each is as in `MixedLikelihood`.

    Args:
        layout: of a table with V variables.
        hidden: width H of the hidden vectors.
        components: number of logistics per score.
    """

    def __init__(self, *, layout: Layout, hidden: int, components: int) -> None:
        super().__init__()
        self.mixed = MixedLikelihood(layout=layout, hidden=hidden, components=components)
        self.parts = Compact(layout)
        arrangement = self.mixed.arrangement
        self.noise_dim = _DRAWS * len(arrangement)
        self.scores = len(arrangement) - arrangement.scores
        self.codes = arrangement.levels

    def start_from(self, codes: Tensor) -> None:
        """Let the biases of the levels be their log-frequencies in rows (N, Q)."""
        self.mixed.start_from(codes)

    def log_prob(self, outputs: Tensor, x: Tensor) -> Tensor:
        """Hidden vectors (V, B, H) and compact rows (B, F + Q) -> nats (B,)."""
        values, codes = self.parts.parts(x)
        shift = values.new_zeros(self.scores, len(x))
        return self.mixed.log_prob(outputs, shift, values, codes).sum(0)

    def sample(self, outputs: Tensor, u: Tensor) -> Encoded:
        """Hidden vectors (V, B, H) and uniforms (B, 3 V) -> values (B, F) and codes (B, Q)."""
        values = u.new_zeros(len(u), self.scores)
        codes = torch.zeros(len(u), self.codes, dtype=torch.int32, device=u.device)
        kept, draws = self.mixed.arrangement.variables, u.t().contiguous()
        for bucket, weights, biases in zip(
            self.mixed.arrangement.buckets, self.mixed.weights, self.mixed.biases, strict=True
        ):
            for row, j in enumerate(range(bucket.start, bucket.stop)):
                stop, own = kept[j].levels, outputs[j].to(weights.dtype)
                logits = weights[row, :, :stop].t() @ own.t() + biases[row, 0, :stop, None]
                codes[:, kept[j].code] = _drawn(logits.float(), draws[_DRAWS * j])
        for k, j in enumerate(range(self.mixed.arrangement.scores, len(kept))):
            score = self._score(k, outputs[j], draws[_DRAWS * j + 1], draws[_DRAWS * j + 2])
            if kept[j].code is not None:
                score = torch.where(codes[:, kept[j].code] == 0, score, 0.0)
            values[:, kept[j].value] = score
        return {"values": values, "codes": codes}

    def _score(self, k: int, h: Tensor, u: Tensor, place: Tensor) -> Tensor:
        """Scores (B,) of the k-th mixture by hidden vectors (B, H) and uniforms (B,) each."""
        weight, bias = self.mixed.mixture[k], self.mixed.mixture_bias[k, 0]
        with full_precision(h):
            outputs = weight.t() @ h.to(weight.dtype).t() + bias[:, None]
        logits, means, log_scales = outputs.chunk(3)
        component = _drawn(logits, u).long().unsqueeze(0)
        mean, log_scale = (x.gather(0, component).squeeze(0) for x in (means, log_scales))
        tiny = torch.finfo(torch.float32).eps / 2
        y = mean + log_scale.clamp(*_SCALES).exp() * torch.logit(place.double(), tiny).float()
        return (y / SPREAD).clamp(-1.0, 1.0)


def _drawn(logits: Tensor, u: Tensor) -> Tensor:
    """The first level whose cumulative probability exceeds u; (L, B) and (B,) -> int32 (B,)."""
    if not _on_processor(logits):
        upto = logits.softmax(0).cumsum(0)
        return (upto[:-1] <= upto[-1] * u).sum(0).int()
    # numpy's cheap calls on whole levels are several times as fast on a processor.
    level = logits.numpy()
    level -= level.max(0)
    rows = list(np.exp(level, out=level))
    for below, row in itertools.pairwise(rows):
        row += below
    passed = level[:-1] <= rows[-1] * u.numpy()
    return torch.from_numpy(passed.view(np.uint8).sum(0, dtype=np.int32))


def _on_processor(x: Tensor) -> bool:
    return x.device.type == "cpu"
