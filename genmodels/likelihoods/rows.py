"""The log-probability of a whole compact row, given the hidden vectors of its variables."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genmodels.arrangement import Compact
from genmodels.inversion import invert, invert_rows
from genmodels.layout import Layout
from genmodels.likelihoods.mixed import MixedLikelihood
from genmodels.precision import full_precision
from genmodels.scores import DRAWS, LOG_SCALES, SPREAD
from genmodels.types import Encoded

__all__ = ["RowLikelihood"]


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
        self.noise_dim = DRAWS * len(arrangement)
        self.scores = len(arrangement) - arrangement.scores
        self.codes = arrangement.levels

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
                codes[:, kept[j].code] = _drawn(logits.float(), draws[DRAWS * j])
        for k, j in enumerate(range(self.mixed.arrangement.scores, len(kept))):
            score = self._score(k, outputs[j], draws[DRAWS * j + 1], draws[DRAWS * j + 2])
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
        y = mean + log_scale.clamp(*LOG_SCALES).exp() * torch.logit(place.double(), tiny).float()
        return (y / SPREAD).clamp(-1.0, 1.0)


def _drawn(logits: Tensor, u: Tensor) -> Tensor:
    """Levels int32 (B,) by logits (L, B), which may be overwritten, and uniforms (B,)."""
    if _on_processor(logits):
        return torch.from_numpy(invert_rows(logits.numpy(), u.numpy()))
    return invert(logits.t().contiguous(), u).int()


def _on_processor(x: Tensor) -> bool:
    return x.device.type == "cpu"
