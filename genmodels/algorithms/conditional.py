"""What one variable of a row may be, given the others or some of them, with exact weights.

The usual order of the variables is learned best, so it gives all probabilities here; where parts
of a row are not known, they are drawn in another order and weighed by the usual one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genmodels.algorithms.base import evaluating
from genmodels.algorithms.prior import Prior
from genmodels.evidence import Evidence
from genmodels.types import Encoded

__all__ = ["Conditional", "Outcomes"]


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


class Conditional:
    """p(x_j | K), K the known ones among the other variables of a row.

    With all others known this is Bayes' rule: p(x_j = l | K) is in proportion to p(l, K). With
    others U unknown it is estimated by importance sampling,

        p(l | K) = sum_U p(l, U, K) / p(K),  U drawn from q(U | K), weight p(l, U, K) / q(U | K),

    where p has the usual order and q the known variables first. If j comes last in the usual
    order, p(l, U, K) for all l needs one pass through the network.

    Args:
        model: has learned rows.
        variable: j, in the order of the layout.

    References:
        Owen, "Monte Carlo theory, methods and examples", 2013, section 9.2 (self-normalised
        importance sampling).
    """

    def __init__(self, *, model: Prior, variable: int) -> None:
        arrangement = model.drawing.arrangement
        self.model = model
        self.place = arrangement.places[variable]
        self.variable = arrangement.variables[self.place]
        self.last = list(model.sampled()[0].order)[-1] == self.place

    @property
    def summable(self) -> bool:
        """Whether the outcomes can be told without drawing the variable itself."""
        return self.last or self.variable.value is None

    @torch.no_grad()
    def exact(self, rows: Encoded, p: Tensor) -> Outcomes:
        """The outcomes where all other variables are known.

        Args:
            rows: scores (B, F) and levels (B, Q); what they say about variable j is not read.
            p: probabilities, (N,) or (B, N), of the quantiles that stand for a score, evenly
                spread.

        Returns:
            Their weights sum to 1.
        """
        with evaluating(self.model.held):
            if self.last:
                return self._outcomes(*self._read(rows), p)
            joint = self._joint(rows)
        return self._levels(joint.log_softmax(1))

    @torch.no_grad()
    def drawn(self, u: Tensor, evidence: Evidence, p: Tensor) -> Outcomes:
        """The outcomes for one draw of what is not known.

        Args:
            u: uniform in [0, 1), shape (B, U).
            evidence: about B rows; what it says about variable j is not read.
            p: see `exact`.

        Returns:
            Outcomes of several draws together have the distribution of the variable, in the
            limit of many.
        """
        model, j = self.model, self.place
        network, likelihood = model.sampled()
        with evaluating(model.held):
            rows, density = model.drawing.given(
                network, likelihood, u, evidence, temper=1.0, without=(j,)
            )
            if not self.last:
                return self._levels(self._joint(rows)).weighed(-density)
            h, shift, found = self._whole(rows)
            others = found.sum(0) - found[j]
            k = j - model.drawing.arrangement.scores
            return self._outcomes(h[j], shift[k] if k >= 0 else None, p).weighed(others - density)

    def _read(self, rows: Encoded) -> tuple[Tensor, Tensor | None]:
        """The hidden vector and the shift of the last variable, without those of the others."""
        network, _ = self.model.sampled()
        variables = self.model.drawing.arrangement.variables
        drawn = network.start(len(rows["codes"]))
        for i in network.order[:-1]:
            value, code = variables[i].value, variables[i].code
            network.observe(
                drawn,
                i,
                None if value is None else rows["values"][:, value],
                None if code is None else rows["codes"][:, code].long(),
                None,
            )
        h, shift = network.read(drawn, self.place, len(network.order) - 1)
        return h, shift

    def _whole(self, rows: Encoded) -> tuple[Tensor, Tensor, Tensor]:
        """Hidden vectors (V, B, H), shifts (F, B) and log-probabilities (V, B)."""
        network, likelihood = self.model.sampled()
        values, codes = rows["values"], rows["codes"].long()
        h, shift = network(values, codes, self.model.rank)
        return h, shift, likelihood.log_prob(h, shift, values, codes)

    def _joint(self, rows: Encoded) -> Tensor:
        """Log p (B, L) of rows with each level of the variable in turn."""
        assert self.variable.code is not None
        found, codes = [], rows["codes"].clone()
        for level in range(self.variable.levels):
            codes[:, self.variable.code] = level
            found.append(self._whole({"values": rows["values"], "codes": codes})[2].sum(0))
        return torch.stack(found, 1)

    def _levels(self, log_weight: Tensor) -> Outcomes:
        levels = torch.arange(self.variable.levels, device=log_weight.device)
        return Outcomes(None, levels.expand(len(log_weight), -1), log_weight)

    def _outcomes(self, h: Tensor, shift: Tensor | None, p: Tensor) -> Outcomes:
        """All levels, and quantiles for the score, by the hidden vectors (B, H) of j."""
        likelihood: Any = self.model.sampled()[1]
        j, variable = self.place, self.variable
        levels = None
        if variable.code is not None:
            levels = likelihood.level_logits(j, h).log_softmax(1)
        if shift is None or variable.value is None:
            assert levels is not None
            return self._levels(levels)
        scores = likelihood.quantiles(j, h, shift, p)
        each = torch.full_like(scores, -math.log(p.shape[-1]))
        if levels is None:
            return Outcomes(scores, None, each)
        points = levels[:, 1:]
        states = torch.arange(1, variable.levels, device=h.device).expand(len(h), -1)
        return Outcomes(
            torch.cat([scores, torch.zeros_like(points)], 1),
            torch.cat([torch.zeros_like(scores, dtype=torch.int64), states], 1),
            torch.cat([each + levels[:, :1], points], 1),
        )
