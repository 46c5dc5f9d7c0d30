"""Drawing the variables of rows one after the other, some of them given or restricted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from genmodels.arrangement import Arrangement
from genmodels.calibration import Calibration
from genmodels.evidence import Evidence
from genmodels.layout import Layout
from genmodels.scores import DRAWS
from genmodels.types import Encoded

__all__ = ["Drawing", "Network"]


class Network(Protocol):
    """What is needed of a network to draw a row variable by variable.

    Attributes:
        order: the V variables as arranged, in the usual order.
    """

    order: Sequence[int]

    def start(self, rows: int) -> Any:
        """So many rows of which nothing has been drawn yet."""

    def observe(
        self, drawn: Any, i: int, value: Tensor | None, code: Tensor | None, rows: Tensor | None
    ) -> None:
        """Note that variable i has the score (B,) and the level (B,), in some rows or in all."""

    def read(self, drawn: Any, j: int, upto: int | None) -> tuple[Tensor, Tensor | None]:
        """Hidden vectors (B, H) of variable j and the shift of its mean (B,), if it has a score.

        Args:
            drawn: what j reads.
            j: the variable.
            upto: what has been drawn is the first so many variables of `order`; None: any.
        """


class Drawing:
    """From uniforms to encoded rows, by a network and a likelihood.

    Rows are drawn together whatever each of them is given: a variable that is known in some rows
    is read by these from the start, and is drawn in the others when its turn comes.

    Args:
        layout: of the rows.
    """

    def __init__(self, *, layout: Layout) -> None:
        self.arrangement = Arrangement(layout)
        self.noise_dim = DRAWS * len(self.arrangement)
        kept = self.arrangement.variables
        self.scores = sum(v.value is not None for v in kept)
        self.codes = sum(v.code is not None for v in kept)
        places = self.arrangement.places
        self.plain = [places.index(j) for j in range(len(kept))]

    def arranged(self, known: Tensor) -> Tensor:
        """(..., V) in the order of the layout -> (..., V) as arranged."""
        return known[..., self.plain]

    def free(
        self,
        network: Network,
        likelihood: Any,
        u: Tensor,
        *,
        temper: float,
        calibration: Calibration | None = None,
    ) -> Encoded:
        """Whole rows by uniforms (B, U) in [0, 1), in the network's usual order."""
        encoded = self._blank(u)
        drawn = network.start(len(u))
        for number, j in enumerate(network.order):
            h, shift = network.read(drawn, j, number)
            how = {} if calibration is None else {"adjust": calibration[j]}
            draw = likelihood.draw(j, h, shift, self.uniform(u, j), temper=temper, **how)
            self._write(encoded, j, draw.value, draw.code)
            if number + 1 < len(network.order):
                network.observe(drawn, j, draw.value, draw.code, None)
        return encoded

    def given(
        self,
        network: Network,
        likelihood: Any,
        u: Tensor,
        evidence: Evidence,
        *,
        temper: float,
        without: Collection[int] = (),
    ) -> tuple[Encoded, Tensor]:
        """The rest of rows, given evidence, and the log-density (B,) of what was drawn.

        The variables `without`, as arranged, are neither known nor drawn, and come out as 0.
        """
        encoded, known = self._blank(u), self.arranged(evidence.known)
        drawn_density, drawn = u.new_zeros(len(u)), network.start(len(u))
        known[:, list(without)] = False
        somewhere = known.any(0).tolist()
        for j in (j for j, given in enumerate(somewhere) if given):
            value, code = self._of(evidence, j)
            network.observe(drawn, j, value, code, known[:, j])
        everywhere = known.all(0).tolist()
        for j in (j for j in self._order(network.order, evidence) if j not in without):
            if everywhere[j]:
                self._write(encoded, j, *self._of(evidence, j))
                continue
            h, shift = network.read(drawn, j, None)
            wish = self._wish(evidence, j)
            draw = likelihood.draw(j, h, shift, self.uniform(u, j), temper=temper, **wish)
            density = likelihood.log_prob_of(j, h, shift, draw.value, draw.code)
            if draw.log_mass is not None:
                density = density - draw.log_mass
            drawn_density = drawn_density + torch.where(known[:, j], 0.0, density)
            network.observe(drawn, j, draw.value, draw.code, ~known[:, j])
            told = self._of(evidence, j) if somewhere[j] else (draw.value, draw.code)
            pairs = zip((draw.value, draw.code), told, strict=True)
            self._write(
                encoded,
                j,
                *(None if a is None else torch.where(known[:, j], b, a) for a, b in pairs),
            )
        return encoded, drawn_density

    def _blank(self, u: Tensor) -> Encoded:
        return {
            "values": u.new_zeros(len(u), self.scores),
            "codes": torch.zeros(len(u), self.codes, dtype=torch.int32, device=u.device),
        }

    def uniform(self, u: Tensor, j: int) -> Tensor:
        """The uniforms (B, 3) of variable j, as arranged."""
        return u[:, DRAWS * j : DRAWS * (j + 1)]

    def _order(self, usual: Sequence[int], evidence: Evidence) -> list[int]:
        """Restricted variables first: what is drawn from them is then exactly truncated."""
        restricted = {self.arrangement.places[v] for v in evidence.restricted}
        return sorted(usual, key=lambda j: j not in restricted)

    def _wish(self, evidence: Evidence, j: int) -> dict[str, Tensor | None]:
        plain = self.plain[j]
        return {"allowed": evidence.allowed.get(plain), "spans": evidence.spans.get(plain)}

    def _of(self, evidence: Evidence, j: int) -> tuple[Tensor | None, Tensor | None]:
        variable = self.arrangement.variables[j]
        value = None if variable.value is None else evidence.values[:, variable.value]
        code = None if variable.code is None else evidence.codes[:, variable.code].long()
        return value, code

    def _write(self, encoded: Encoded, j: int, value: Tensor | None, code: Tensor | None) -> None:
        variable = self.arrangement.variables[j]
        if value is not None:
            encoded["values"][:, variable.value] = value
        if code is not None:
            encoded["codes"][:, variable.code] = code.int()
