"""Levels by softmax, scores by a mixture of logistics: exact, and exactly truncated.

The heads of all variables of a row (see `Arrangement`), their log-probability given the hidden
vectors of a network, and draws from them, one variable at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, softplus

from genmodels.arrangement import Arrangement
from genmodels.calibration import Adjustment
from genmodels.inversion import invert
from genmodels.layout import Layout
from genmodels.precision import full_precision
from genmodels.scores import LOG_SCALES, SPREAD, middles
from genmodels.variables import log_frequencies

__all__ = ["Draw", "MixedLikelihood"]

_HALVINGS = 20  # of an interval that holds a quantile: to 1e-6 of the scores
_NEVER = -1e4  # logit of a level that does not exist
_AS_LEARNED = Adjustment()


@dataclass(frozen=True, eq=False)
class Draw:
    """One variable of B rows.

    Args:
        value: score (B,) in [-1, 1], 0 where it does not count; None without a score.
        code: level (B,), int64; None without levels.
        log_mass: log-probability (B,) of what was allowed; None when everything was.
    """

    value: Tensor | None
    code: Tensor | None
    log_mass: Tensor | None


class MixedLikelihood(nn.Module):
    """p(level, y) = p(level) for levels, p(0) sum_k w_k logistic(y; m_k, s_k) where y counts.

    y = 4 score. All parameters are linear in a variable's hidden vector; the means are shifted
    by the network's straight path.

    Args:
        layout: of a table.
        hidden: width H of the hidden vectors.
        components: number C of logistics per score.

    References:
        Salimans et al., "PixelCNN++", 2017, section 2.1 (mixture of logistics).
    """

    def __init__(self, *, layout: Layout, hidden: int, components: int) -> None:
        super().__init__()
        arrangement = Arrangement(layout)
        self.arrangement, self.components = arrangement, components
        kept = arrangement.variables
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for bucket in arrangement.buckets:
            members = kept[bucket.start : bucket.stop]
            bias = torch.full((len(members), 1, bucket.width), _NEVER)
            for row, variable in zip(bias, members, strict=True):
                row[0, : variable.levels] = -math.log(variable.levels)
            self.weights.append(
                nn.Parameter(torch.randn(len(members), hidden, bucket.width) * 0.01)
            )
            self.biases.append(nn.Parameter(bias))
        scores = len(arrangement) - arrangement.scores
        self.mixture = nn.Parameter(torch.randn(scores, hidden, 3 * components) * 0.01)
        start = torch.zeros(scores, 1, 3 * components)
        means = torch.special.ndtri(middles(components)).float()
        start[:, :, components : 2 * components] = means
        start[:, :, 2 * components :] = -1.0
        self.mixture_bias = nn.Parameter(start)
        codes = [v.code for v in kept[: arrangement.levels]]
        values = [v.value for v in kept[arrangement.scores :]]
        gates = [v.code if v.code is not None else -1 for v in kept[arrangement.scores :]]
        for name, index in (("codes", codes), ("values", values), ("gates", gates)):
            self.register_buffer(name, torch.tensor(index, dtype=torch.long), False)

    @torch.no_grad()
    def start_from(self, codes: Tensor) -> None:
        """Let the biases of the levels be their log-frequencies in rows (N, Q)."""
        for bucket, biases in zip(self.arrangement.buckets, self.biases, strict=True):
            members = self.arrangement.variables[bucket.start : bucket.stop]
            for row, variable in zip(biases, members, strict=True):
                own = log_frequencies(codes[:, variable.code], variable.levels)
                row[0, : variable.levels] = own

    def variable_axes(self) -> dict[str, tuple[int, slice]]:
        """Axis of the variables in each parameter, and which variables."""
        scores = slice(self.arrangement.scores, len(self.arrangement))
        found = {"mixture": (0, scores), "mixture_bias": (0, scores)}
        for k, bucket in enumerate(self.arrangement.buckets):
            place = (0, slice(bucket.start, bucket.stop))
            found |= {f"weights.{k}": place, f"biases.{k}": place}
        return found

    def log_prob(self, h: Tensor, shift: Tensor, values: Tensor, codes: Tensor) -> Tensor:
        """Hidden vectors (V, B, H), shifts (F, B), scores (B, F), levels (B, Q) -> (V, B) nats."""
        levels = self.level_log_probs(h, codes)
        first = self.arrangement.scores
        if first == len(self.arrangement):
            return levels
        found = self.score_log_probs(h[first:], shift, values)
        both = self.arrangement.levels - first
        counts = codes.index_select(1, self.get_buffer("gates")[:both]).t() == 0
        gated = torch.where(counts, found[:both], 0.0) + levels[first:]
        return torch.cat([levels[:first], gated, found[both:]])

    def level_log_probs(self, h: Tensor, codes: Tensor) -> Tensor:
        """Log-probability of each level, (L, B)."""
        truth = codes.index_select(1, self.get_buffer("codes")).t().unsqueeze(2)
        sizes = [bucket.stop - bucket.start for bucket in self.arrangement.buckets]
        # Not a slice: its gradient would be written into zeros of the size of h.
        parts = h.split([*sizes, len(h) - self.arrangement.levels])
        found = [
            log_softmax(torch.baddbmm(bias, part, weight).float(), -1).gather(2, level).squeeze(2)
            for part, weight, bias, level in zip(
                parts[:-1], self.weights, self.biases, truth.split(sizes), strict=True
            )
        ]
        return torch.cat(found) if found else h.new_zeros(0, h.shape[1])

    def score_log_probs(self, h: Tensor, shift: Tensor, values: Tensor) -> Tensor:
        """Log-density of each y, (F, B): log sum_k w_k e^-t / (s_k (1 + e^-t)^2)."""
        outputs = torch.baddbmm(self.mixture_bias, h, self.mixture).float()
        logits, means, scales = outputs.split(self.components, 2)
        y = values.index_select(1, self.get_buffer("values")).t().unsqueeze(2) * SPREAD
        scales = scales.clamp(*LOG_SCALES)
        t = (y - means - shift.float().unsqueeze(2)) * (-scales).exp()
        return torch.logsumexp(log_softmax(logits, 2) - t - 2.0 * softplus(-t) - scales, 2)

    def level_logits(self, j: int, h: Tensor) -> Tensor:
        """Logits (B, levels) of variable j from its hidden vectors (B, H)."""
        for bucket, weights, biases in zip(
            self.arrangement.buckets, self.weights, self.biases, strict=True
        ):
            if bucket.start <= j < bucket.stop:
                stop = self.arrangement.variables[j].levels
                row = j - bucket.start
                return torch.addmm(biases[row, :, :stop], h, weights[row, :, :stop]).float()
        raise AssertionError(f"variable {j} has no levels")

    def draw(
        self,
        j: int,
        h: Tensor,
        shift: Tensor | None,
        u: Tensor,
        *,
        allowed: Tensor | None = None,
        spans: Tensor | None = None,
        temper: float = 1.0,
        adjust: Adjustment = _AS_LEARNED,
    ) -> Draw:
        """Draw variable j of B rows.

        Args:
            j: the variable, as arranged.
            h: its hidden vectors, shape (B, H).
            shift: of its means, shape (B,), if it has a score.
            u: uniform in [0, 1), shape (B, 3): for the level, the component, the place in it.
            allowed: levels that may be drawn, bool (levels,).
            spans: intervals of scores that may be drawn, ascending, shape (S, 2).
            temper: levels and components are drawn from p^(1 / temper), scales are multiplied
                by it; below 1 nearer to the likeliest rows.
            adjust: how the draw is changed, after `temper`; not together with a restriction.
        """
        kept, score = self.arrangement.variables[j], None
        if kept.value is not None:
            assert shift is not None
            score = _Score(self._mixture(j, h, shift, temper), spans)
        if kept.code is None:
            assert score is not None
            return Draw(score.draw(u[:, 1], u[:, 2], adjust.curve), None, score.log_mass)
        logits = self.level_logits(j, h)
        if temper != 1.0:
            logits = logits / temper
        if adjust.offset is not None:
            logits = logits + adjust.offset
        mass, limit = None, score.log_mass if score is not None else None
        if allowed is not None or limit is not None:
            logits = _limited(log_softmax(logits, 1), allowed, limit)
            mass = logits.logsumexp(1)
        code = invert(logits, u[:, 0])
        if score is None:
            return Draw(None, code, mass)
        value = torch.where(code == 0, score.draw(u[:, 1], u[:, 2], adjust.curve), 0.0)
        return Draw(value, code, mass)

    def log_prob_of(
        self, j: int, h: Tensor, shift: Tensor | None, value: Tensor | None, code: Tensor | None
    ) -> Tensor:
        """Log-probability (B,) of variable j alone: its score (B,) and its level (B,)."""
        found = h.new_zeros(len(h), dtype=torch.float32)
        if code is not None:
            found = log_softmax(self.level_logits(j, h), 1).gather(1, code[:, None]).squeeze(1)
        if value is None or shift is None:
            return found
        logits, means, scales = self._mixture(j, h, shift, 1.0)
        t = (value[:, None] * SPREAD - means) / scales
        density = torch.logsumexp(logits - t - 2.0 * softplus(-t) - scales.log(), 1)
        return found + (density if code is None else torch.where(code == 0, density, 0.0))

    def quantiles(self, j: int, h: Tensor, shift: Tensor, p: Tensor) -> Tensor:
        """Scores (B, N) that variable j is below with probabilities p, (N,) or (B, N)."""
        logits, means, scales = (x.unsqueeze(1) for x in self._mixture(j, h, shift, 1.0))
        weights = logits.exp()
        low = h.new_full((len(h), p.shape[-1]), -SPREAD, dtype=torch.float32)
        high = -low
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            reached = (weights * torch.sigmoid((middle.unsqueeze(2) - means) / scales)).sum(2) >= p
            low, high = torch.where(reached, low, middle), torch.where(reached, middle, high)
        return (low + high) / (2.0 * SPREAD)

    def _mixture(
        self, j: int, h: Tensor, shift: Tensor, temper: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Log-weights, means and scales (B, C) of the components of variable j, never rounded."""
        k = j - self.arrangement.scores
        with full_precision(h):
            outputs = h.float() @ self.mixture[k] + self.mixture_bias[k]
        logits, means, scales = outputs.split(self.components, 1)
        scales = scales.clamp(*LOG_SCALES).exp() * temper
        return log_softmax(logits / temper, 1), means + shift.float()[:, None], scales


class _Score:
    """A mixture of logistics (B, C), cut to intervals of scores, or not cut."""

    def __init__(self, mixture: tuple[Tensor, Tensor, Tensor], spans: Tensor | None) -> None:
        self.logits, self.means, self.scales = mixture
        self.log_mass: Tensor | None = None
        self.low = self.width = self.means.new_zeros(0)
        if spans is not None:
            edges = spans * SPREAD
            # A score at an end of [-1, 1] stands for everything beyond it.
            edges = torch.where(spans <= -1.0, -torch.inf, edges)
            edges = torch.where(spans >= 1.0, torch.inf, edges)
            t = (edges - self.means[:, :, None, None]) / self.scales[:, :, None, None]
            p = torch.sigmoid(t.double())
            self.low, self.width = p[..., 0], (p[..., 1] - p[..., 0]).clamp(min=0.0)
            inside = self.width.sum(2).clamp(min=1e-30).log().float()
            self.logits = self.logits + inside
            self.log_mass = self.logits.logsumexp(1)

    def draw(
        self, u: Tensor, place: Tensor, curve: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        """Scores (B,) by uniforms for the component and the place in it, (B,).

        They are cut to [-1, 1], or go where `curve` says.
        """
        component = invert(self.logits, u).unsqueeze(1)
        mean, scale = (x.gather(1, component).squeeze(1) for x in (self.means, self.scales))
        p = place.double()
        if self.log_mass is not None:
            p = self._within(component, p)
        tiny = torch.finfo(torch.float32).eps / 2
        y = mean + scale * torch.logit(p, tiny).float()
        return (y / SPREAD).clamp(-1.0, 1.0) if curve is None else curve(y / SPREAD)

    def _within(self, component: Tensor, place: Tensor) -> Tensor:
        """Places (B,) in the allowed part of the components -> cumulative probabilities."""
        index = component.unsqueeze(2).expand(-1, 1, self.low.shape[2])
        low, width = (x.gather(1, index).squeeze(1) for x in (self.low, self.width))
        upto = width.cumsum(1)
        target = place * upto[:, -1]
        span = (upto[:, :-1] <= target[:, None]).sum(1, keepdim=True)
        before = upto.gather(1, span) - width.gather(1, span)
        return (low.gather(1, span) + target[:, None] - before).squeeze(1)


def _limited(log_probs: Tensor, allowed: Tensor | None, limit: Tensor | None) -> Tensor:
    """Log-probabilities (B, levels) of what is allowed; of level 0, a part: its log-mass (B,)."""
    if limit is not None:
        log_probs = torch.cat([log_probs[:, :1] + limit[:, None], log_probs[:, 1:]], 1)
    return log_probs if allowed is None else log_probs.masked_fill(~allowed, -torch.inf)
