"""What is known about encoded rows before the rest of them is drawn.

Some variables of some rows are given exactly; others are restricted for all rows, to a set of
levels or to intervals of scores. Who finds this out from a user's words, and who draws the rest,
is written elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from genmodels.layout import TableLayout
from genmodels.types import Encoded
from genmodels.variables import variables

__all__ = ["Evidence"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Known parts of B encoded rows with V variables (see `variables`).

    Args:
        values: scores, shape (B, F); counted only where the variable is known.
        codes: levels, shape (B, Q), int32; counted only where the variable is known.
        known: which variables of which rows are given exactly, bool (B, V).
        allowed: variable -> levels that may be drawn, bool (levels,), at least one; level 0 of
            a number with states is "continuous". The same for all rows.
        spans: variable -> scores that may be drawn where the state is continuous, float (S, 2):
            disjoint intervals, ascending. The same for all rows.
    """

    values: Tensor
    codes: Tensor
    known: Tensor
    allowed: dict[int, Tensor] = field(default_factory=dict)
    spans: dict[int, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.values) == len(self.codes) == len(self.known):
            raise ValueError(
                f"evidence needs as many rows of values as of codes and known, got "
                f"{len(self.values)}, {len(self.codes)} and {len(self.known)}"
            )
        if self.known.dtype != torch.bool:
            raise TypeError(f"evidence.known must be bool, got {self.known.dtype}")
        for variable, levels in self.allowed.items():
            if levels.dtype != torch.bool or levels.ndim != 1 or not bool(levels.any()):
                raise ValueError(
                    f"evidence.allowed of variable {variable} must be bool, shape (levels,), with "
                    "at least one level allowed"
                )
        for variable, span in self.spans.items():
            ends = span.flatten()
            if span.shape[1:] != (2,) or not len(span) or bool((ends[1:] < ends[:-1]).any()):
                raise ValueError(
                    f"evidence.spans of variable {variable} must be disjoint ascending intervals, "
                    f"shape (S, 2) with S >= 1, got {span.tolist()}"
                )

    def __len__(self) -> int:
        return len(self.known)

    @property
    def encoded(self) -> Encoded:
        """`values` and `codes` as encoded rows."""
        return {"values": self.values, "codes": self.codes}

    @property
    def restricted(self) -> tuple[int, ...]:
        """The variables whose levels or scores are restricted, ascending."""
        return tuple(sorted({*self.allowed, *self.spans}))

    @classmethod
    def nothing(cls, rows: int, layout: TableLayout) -> Evidence:
        """Evidence of `rows` rows about which nothing is known, on the CPU."""
        return cls(
            values=torch.zeros(rows, len(layout.continuous)),
            codes=torch.zeros(rows, len(layout.categorical), dtype=torch.int32),
            known=torch.zeros(rows, len(variables(layout)), dtype=torch.bool),
        )

    def to(self, device: torch.device | str) -> Evidence:
        """The same evidence on a device."""
        return Evidence(
            values=self.values.to(device),
            codes=self.codes.to(device),
            known=self.known.to(device),
            allowed={v: levels.to(device) for v, levels in self.allowed.items()},
            spans={v: span.to(device) for v, span in self.spans.items()},
        )

    def rows(self, part: slice) -> Evidence:
        """The evidence about a part of the rows; restrictions hold for all of them."""
        return replace(
            self, values=self.values[part], codes=self.codes[part], known=self.known[part]
        )
