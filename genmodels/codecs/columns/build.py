"""Which codec a column gets, when fitting and when loading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.codecs.columns.constant import Constant
from genmodels.codecs.columns.datetime import Datetime, Numeric, Weekday
from genmodels.codecs.columns.derived import Derived
from genmodels.codecs.columns.identifier import Identifier
from genmodels.codecs.columns.mode_specific import ModeSpecific
from genmodels.codecs.columns.onehot import OneHot
from genmodels.codecs.columns.protocol import ColumnCodec
from genmodels.codecs.columns.quantile import Quantile
from genmodels.codecs.columns.remainder import Remainder
from genmodels.codecs.columns.tokens import Tokens
from genmodels.schema import Column

__all__ = ["NumericKind", "Recipe", "column_from_state"]

_ROWS = 8  # rows behind a level, on average, where few rows could make any number one

NumericKind: TypeAlias = Literal["mode_specific", "quantile", "tokens"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How columns are to be encoded; the options of `TableCodec.fit`."""

    numeric: NumericKind
    point_masses: bool
    max_modes: int
    min_weight: float
    concentration: float
    mixture_points: int
    knots: int
    max_levels: int
    discrete_below: int
    tokens_below: int
    weekday: Weekday

    def __post_init__(self) -> None:
        if self.numeric not in ("mode_specific", "quantile", "tokens"):
            raise ValueError(
                f"codec.numeric must be mode_specific, quantile or tokens, got {self.numeric!r}"
            )
        if self.weekday not in (True, False, "auto"):
            raise ValueError(f"codec.weekday must be true, false or auto, got {self.weekday!r}")
        least = {"max_modes": 1, "knots": 16, "max_levels": 2, "mixture_points": 16}
        least |= {"discrete_below": 0, "tokens_below": 0}
        for name, limit in least.items():
            if getattr(self, name) < limit:
                raise ValueError(
                    f"codec.{name} must be at least {limit}, got {getattr(self, name)}"
                )

    def fit(self, column: Column, data: pa.ChunkedArray, rng: np.random.Generator) -> ColumnCodec:
        """Fit the codec of one column to its training values.

        Raises:
            ValueError: when a value does not fit the column's kind.
        """
        match column.kind:
            case "continuous" | "integer":
                return self.number(column, data, rng)
            case "datetime":
                number: Callable[[Column, pa.ChunkedArray], Numeric]
                number = lambda part, whole: self.number(part, whole, rng)  # noqa: E731
                return Datetime.fit(column, data, weekday=self.weekday, numeric=number)
            case "categorical" | "boolean":
                return OneHot.fit(column, data, max_levels=self.max_levels)
            case "identifier":
                return Identifier.fit(column, data)
            case "constant":
                return Constant.fit(column, data)

    def number(self, column: Column, data: pa.ChunkedArray, rng: np.random.Generator) -> Numeric:
        """Fit the codec of a column of numbers."""
        if self._few(column, data):
            return Tokens.fit(column, data)
        if self.numeric != "mode_specific":
            return Quantile.fit(column, data, with_point_masses=self.point_masses, knots=self.knots)
        return ModeSpecific.fit(
            column,
            data,
            with_point_masses=self.point_masses,
            modes=self.max_modes,
            min_weight=self.min_weight,
            concentration=self.concentration,
            points=self.mixture_points,
            rng=rng,
        )

    def _few(self, column: Column, data: pa.ChunkedArray) -> bool:
        """Whether the column's distinct values are so few that each becomes a level."""
        most = self.max_levels if self.numeric == "tokens" else 0
        if column.kind == "integer":
            most = max(most, self.discrete_below - 1)
        if not max(most, self.tokens_below):
            return False
        found = pc.count_distinct(data).as_py()
        common = found * _ROWS <= len(data) - data.null_count
        return found <= most or (common and found <= self.tokens_below)


def column_from_state(column: Column, state: dict[str, Any]) -> ColumnCodec:
    """Rebuild the codec of one column.

    Raises:
        ValueError: when the state names no codec.
    """
    match state["codec"]:
        case "mode_specific":
            return ModeSpecific.from_state(column, state)
        case "quantile":
            return Quantile.from_state(column, state)
        case "tokens":
            return Tokens.from_state(column, state)
        case "onehot":
            return OneHot.from_state(column, state)
        case "datetime":
            return Datetime.from_state(column, state)
        case "identifier":
            return Identifier.from_state(column, state)
        case "constant":
            return Constant.from_state(column, state)
        case "derived":
            return Derived.from_state(column, state)
        case "remainder":
            return Remainder.from_state(column, state)
    raise ValueError(f"column {column.name!r}: unknown codec {state['codec']!r}")
