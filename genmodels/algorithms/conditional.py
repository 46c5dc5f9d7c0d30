"""What one variable of a row may be, given the others or some of them, with exact weights.

The usual order of the variables is learned best, so it gives all probabilities here; where parts
of a row are not known, they are drawn in another order and weighed by the usual one.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from genmodels.algorithms.base import evaluating
from genmodels.algorithms.drawing import Drawing
from genmodels.evidence import Evidence
from genmodels.types import Encoded

__all__ = ["Conditional", "Outcomes", "Predictable"]

_PASS_ROWS = 1024  # rows times levels in one pass


@dataclass(frozen=True, eq=False)
class Outcomes:
    """M outcomes of one variable for each of B rows.

    Args:
        values: scores (B, M), 0 where they do not count; None without a score.
        codes: levels (B, M), int64; None without levels.
        log_weight: their probabilities are in proportion to exp of it, (B, M).
    """

    values: Tensor | None
    codes: Tensor | None
    log_weight: Tensor

    def rows(self, part: slice) -> Outcomes:
        """Those of some of the rows."""
        values, codes = (None if x is None else x[part] for x in (self.values, self.codes))
        return Outcomes(values, codes, self.log_weight[part])

    def weighed(self, log_weight: Tensor) -> Outcomes:
        """The same outcomes with more log-weight (B,) on all those of a row."""
        return Outcomes(self.values, self.codes, self.log_weight + log_weight[:, None])


@runtime_checkable
class Predictable(Protocol):
    """A model that tells one variable of a row from all others, or from some of them."""

    latent_dim: int

    @property
    def noise_dim(self) -> int:
        """Number U of uniform numbers that a draw needs per row."""

    @property
    def device(self) -> torch.device:
        """Where the model is."""

    def sample_weighted(
        self, u: Tensor, evidence: Evidence, *, temper: float = 1.0
    ) -> tuple[Encoded, Tensor]:
        """See `Controllable`."""

    def conditional(self, variable: int) -> Conditional:
        """The distribution of a variable of the layout, given others."""


class Conditional:
    """p(x_j | K), K the known ones among the other variables of a row.

    With all others known this is Bayes' rule: p(x_j = l | K) is in proportion to p(l, K). With
    others U unknown it is estimated by importance sampling,

        p(l | K) = sum_U p(l, U, K) / p(K),  U drawn from q(U | K), weight p(l, U, K) / q(U | K),

    where p has the usual order and q the known variables first. The variables that come before
    j in the usual order are as likely for all l: a pass is needed for those after it alone, for
    each l, and none if j comes last.

    Args:
        drawing, network, likelihood: that draw rows, in evaluation mode or not.
        variable: j, in the order of the layout.

    References:
        Owen, "Monte Carlo theory, methods and examples", 2013, section 9.2 (self-normalised
        importance sampling).
    """

    def __init__(self, *, drawing: Drawing, network: Any, likelihood: Any, variable: int) -> None:
        arrangement = drawing.arrangement
        self.drawing, self.network, self.likelihood = drawing, network, likelihood
        self.place = arrangement.places[variable]
        self.variable = arrangement.variables[self.place]
        self.order = list(network.order)
        self.last = self.order[-1] == self.place

    @property
    def summable(self) -> bool:
        """Whether the outcomes can be told without drawing the variable itself."""
        return self.last or self.variable.value is None

    @torch.no_grad()
    def exact(self, rows: Encoded, p: Tensor, share: Tensor | None = None) -> Outcomes:
        """The outcomes where all other variables are known.

        Args:
            rows: scores (B, F) and levels (B, Q); what they say about variable j is not read.
            p: probabilities, (N,) or (B, N), of the quantiles that stand for a score.
            share: what each of them stands for, (N,), 1 together; None: all for the same.

        Returns:
            Their weights sum to 1.
        """
        with evaluating(self.network, self.likelihood):
            if self.last:
                return self._outcomes(*self._read(rows), p, share)
            joint = self._joint(rows, before=False)
        return self._levels(joint.log_softmax(1))

    @torch.no_grad()
    def drawn(self, u: Tensor, evidence: Evidence, p: Tensor) -> Outcomes:
        """The outcomes for one draw of what is not known.

        Args:
            u: uniform in [0, 1), shape (B, U).
            evidence: about B rows; what it says about variable j is not read.
            p: see `exact`; evenly spread.

        Returns:
            Outcomes of several draws together have the distribution of the variable, in the
            limit of many.
        """
        j, network, likelihood = self.place, self.network, self.likelihood
        with evaluating(network, likelihood):
            rows, density = self.drawing.given(
                network, likelihood, u, evidence, temper=1.0, without=(j,)
            )
            if not self.last:
                return self._levels(self._joint(rows, before=True)).weighed(-density)
            values, codes = rows["values"], rows["codes"].long()
            h, shift = network(values, codes, network.get_buffer("rank"))
            found = likelihood.log_prob(h, shift, values, codes)
            others = found.sum(0) - found[j]
            k = j - self.drawing.arrangement.scores
            return self._outcomes(h[j], shift[k] if k >= 0 else None, p).weighed(others - density)

    def _read(self, rows: Encoded) -> tuple[Tensor, Tensor | None]:
        """The hidden vector and the shift of the last variable, without those of the others."""
        drawn = self.network.start(len(rows["codes"]))
        for i in self.order[:-1]:
            self.network.observe(drawn, i, *self._of(rows, i), None)
        h, shift = self.network.read(drawn, self.place, len(self.order) - 1)
        return h, shift

    def _joint(self, rows: Encoded, *, before: bool) -> Tensor:
        """Log p (B, L) of rows with each level of the variable in turn.

        Without `before`, but for a constant of the row: what comes before j is left out.
        """
        count, at = len(rows["codes"]), self.order.index(self.place)
        together = max(1, min(self.variable.levels, _PASS_ROWS // max(count, 1)))
        rows = {name: value.repeat(together, 1) for name, value in rows.items()}
        drawn, found = self.network.start(count * together), rows["values"].new_zeros(1)
        for number, i in enumerate(self.order[:at]):
            if before:
                found = found + self._log_prob(drawn, rows, number)
            self.network.observe(drawn, i, *self._of(rows, i), None)
        h, _ = self.network.read(drawn, self.place, at)
        own = self.likelihood.level_logits(self.place, h).log_softmax(1)
        after = [
            self._after(drawn, rows, torch.arange(first, first + together, device=h.device))
            for first in range(0, self.variable.levels, together)
        ]
        return (found[:, None] + own)[:count] + torch.cat(after, 1)[:, : self.variable.levels]

    def _after(self, drawn: Any, rows: Encoded, levels: Tensor) -> Tensor:
        """Log p (B, l) of what comes after the variable, for each of the levels (l,).

        Args:
            drawn: l times B rows, of which all that comes before the variable is noted.
            rows: l times B.
            levels: one that does not exist is read as the last one.
        """
        state, at = copy.deepcopy(drawn), self.order.index(self.place)
        code = levels.clamp(max=self.variable.levels - 1)
        code = code.repeat_interleave(len(rows["codes"]) // len(levels))
        self.network.observe(state, self.place, None, code, None)
        found = rows["values"].new_zeros(len(code))
        for number, i in enumerate(self.order[at + 1 :], at + 1):
            found = found + self._log_prob(state, rows, number)
            self.network.observe(state, i, *self._of(rows, i), None)
        return found.view(len(levels), -1).t()

    def _log_prob(self, drawn: Any, rows: Encoded, number: int) -> Tensor:
        """Log p (B,) of the variable of that rank, given those before it."""
        i = self.order[number]
        found: Tensor = self.likelihood.log_prob_of(
            i, *self.network.read(drawn, i, number), *self._of(rows, i)
        )
        return found

    def _of(self, rows: Encoded, i: int) -> tuple[Tensor | None, Tensor | None]:
        """Scores (B,) and levels (B,) of variable i."""
        variable = self.drawing.arrangement.variables[i]
        value = None if variable.value is None else rows["values"][:, variable.value]
        code = None if variable.code is None else rows["codes"][:, variable.code].long()
        return value, code

    def _levels(self, log_weight: Tensor) -> Outcomes:
        levels = torch.arange(self.variable.levels, device=log_weight.device)
        return Outcomes(None, levels.expand(len(log_weight), -1), log_weight)

    def _outcomes(
        self, h: Tensor, shift: Tensor | None, p: Tensor, share: Tensor | None = None
    ) -> Outcomes:
        """All levels, and quantiles for the score, by the hidden vectors (B, H) of j."""
        likelihood, j, variable = self.likelihood, self.place, self.variable
        levels = None
        if variable.code is not None:
            levels = likelihood.level_logits(j, h).log_softmax(1)
        if shift is None or variable.value is None:
            assert levels is not None
            return self._levels(levels)
        scores = likelihood.quantiles(j, h, shift, p)
        each = torch.full_like(scores, -math.log(p.shape[-1]))
        each = each if share is None else share.log().expand_as(scores)
        if levels is None:
            return Outcomes(scores, None, each)
        points = levels[:, 1:]
        states = torch.arange(1, variable.levels, device=h.device).expand(len(h), -1)
        return Outcomes(
            torch.cat([scores, torch.zeros_like(points)], 1),
            torch.cat([torch.zeros_like(scores, dtype=torch.int64), states], 1),
            torch.cat([each + levels[:, :1], points], 1),
        )
