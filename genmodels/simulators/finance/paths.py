"""From a model of prices to rows.

`rows=path`: one row per path, a column per step. Rows are then independent records, which is what
a generator, a split into train and test, and every measure of `genmodels evaluate` takes for
granted; this is the default. `rows=step`: one row per path and step, as price files are. What
stands there are closes, log-returns or whole bars.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from genmodels.schema import Column, TableSchema
from genmodels.simulators.draws import BlockDraws
from genmodels.simulators.finance.bars import FIELDS, Bars
from genmodels.simulators.finance.fit.bars import fit_bars
from genmodels.simulators.finance.fit.result import Fit, leap_note
from genmodels.simulators.finance.model import Inside, PriceModel

__all__ = ["PricePaths", "block_paths", "log_returns"]

_MOST_PATHS, _MOST_NUMBERS = 8192, 1 << 21


def block_paths(steps: int, assets: int) -> int:
    """R, the paths of a block: 8192, or the power of two that keeps a block below 16 MiB."""
    most = max(1, _MOST_NUMBERS // (steps * assets))
    return min(_MOST_PATHS, 1 << (most.bit_length() - 1))


def log_returns(
    model: PriceModel,
    start: int,
    stop: int,
    *,
    steps: int,
    seed: int,
    device: torch.device | str = "cpu",
) -> Iterator[Tensor]:
    """Log-returns of the paths start ... stop - 1, block by block.

    Args:
        model: of prices.
        start, stop: paths, from and to.
        steps: T, at least 1.
        seed: path i depends on (seed, i) alone, whatever start and stop are.
        device: where they are computed.

    Returns:
        Tensors (T, N, A), whose N add up to stop - start.
    """
    paths = block_paths(steps, model.assets)
    for block in range(start // paths, -(-stop // paths)):
        draws = BlockDraws(seed=seed, block=block, paths=paths, device=torch.device(device))
        first = block * paths
        found = model.log_returns(draws, steps)
        yield found[:, max(start - first, 0) : min(stop - first, paths)]


class PricePaths:
    """Simulated prices as rows.

    Args:
        model: of prices.
        steps: T of a path, at least 1.
        start: price at step 0, above 0.
        rows: what a row is, see the module.
        values: close, the prices of steps 0 ... T; return, the log-returns of steps 1 ... T; or
            bar, their open, high, low, close and volume.
        names: of the assets; None: `close` or `return`, numbered if there are several.
        bars: what bars have beyond their closes; needed for values=bar alone.
        fit: makes a `Fit` of observed closes, (N,) or (N, A); None: this model cannot be fitted.
    """

    def __init__(
        self,
        *,
        model: PriceModel,
        steps: int,
        start: float = 100.0,
        rows: Literal["path", "step"] = "path",
        values: Literal["close", "return", "bar"] = "close",
        names: Sequence[str] | None = None,
        bars: Bars | None = None,
        fit: Callable[[np.ndarray], Fit] | None = None,
    ) -> None:
        if steps < 1:
            raise ValueError(f"simulator.steps must be at least 1, got {steps}")
        if not 0.0 < start < float("inf"):
            raise ValueError(f"simulator.start must be a price above 0, got {start:g}")
        if values == "bar" and bars is None:
            raise ValueError("simulator.values=bar needs simulator.bars")
        given = [names] if isinstance(names, str) else names
        told = _names(values, model.assets) if given is None else tuple(given)
        if len(told) != model.assets or len(set(told)) != len(told):
            raise ValueError(f"simulator.names must be {model.assets} different names, got {told}")
        self.model, self.steps, self.start, self.rows = model, steps, start, rows
        self.values, self.names, self.fit, self.given = values, told, fit, names
        self.bars, self.series = bars, _series(values, told)
        self.first = 0 if values == "close" else 1
        self.length = steps + 1 - self.first
        within = bars.pieces if values == "bar" and bars is not None else 1
        self.paths = block_paths(steps * within, model.assets)
        self.block_rows = self.rows_of(self.paths)
        self.schema = self._schema()
        self.name, self.notes = model.name, model.notes

    def rows_of(self, n: int) -> int:
        return n if self.rows == "path" else n * self.length

    def facts(self) -> dict[str, Any]:
        bars = {"bars": self.bars.state()} if self.values == "bar" and self.bars else {}
        return {
            "name": self.name,
            "parameters": self.model.state(),
            "steps": self.steps,
            "start": self.start,
            "rows": self.rows,
            "values": self.values,
            "series": list(self.series),
            **bars,
            "cannot_make": list(self.model.lacks),
        }

    def fitted(
        self, observed: Mapping[str, np.ndarray]
    ) -> tuple[PricePaths, dict[str, Any], list[str]]:
        """The same paths of a model fitted to observed prices, see `Observed`.

        Raises:
            ValueError: when the model cannot be fitted, or not to these.
        """
        if self.fit is None:
            raise ValueError(f"simulator={self.name} cannot be fitted")
        if self.model.assets > 1:
            raise ValueError(
                f"a fit is of one asset, simulator.model speaks of {self.model.assets}: leave out "
                "correlation and lists of parameters"
            )
        found, bars, facts, lines = self.fit(observed["series"]), self.bars, {}, []
        leap = leap_note(observed["series"])
        lines += [] if leap is None else [leap]
        if self.values == "bar" and bars is not None:
            more = fit_bars(observed, bars)
            bars = more.bars
            facts = {"bars": more.facts()}
            lines += more.lines()
        paths = PricePaths(
            model=found.model,
            steps=self.steps,
            start=self.start,
            rows=self.rows,
            values=self.values,
            names=self.given,
            bars=bars,
            fit=self.fit,
        )
        return paths, {**found.facts(), **facts}, [*found.lines(), *lines]

    def block(self, number: int, *, seed: int, device: torch.device) -> pa.Table:
        draws = BlockDraws(seed=seed, block=number, paths=self.paths, device=device)
        values = self._values(draws).cpu().numpy()
        prices = values if self.values == "close" else values[:, :, _priced(self.series)]
        if not np.isfinite(values).all() or (self.values != "return" and not (prices > 0).all()):
            raise ValueError(
                f"these parameters lead to prices that no number can hold within {self.steps} "
                "steps: look at simulator.model"
            )
        return self._by_path(values) if self.rows == "path" else self._by_step(values, number)

    def _values(self, draws: BlockDraws) -> Tensor:
        """Shape (L, R, series), L the length of a path in rows."""
        if self.values == "bar":
            assert self.bars is not None
            inside = Inside()
            x = self.model.log_returns(draws, self.steps, inside)
            bars = self.bars.around(x, inside, self.start, draws)
            return bars.permute(1, 2, 3, 0).flatten(2)
        x = self.model.log_returns(draws, self.steps)
        if self.values == "return":
            return x
        log_prices = torch.cat([torch.zeros_like(x[:1]), x.cumsum_(0)])
        return log_prices.exp_().mul_(self.start)

    def _by_path(self, values: np.ndarray) -> pa.Table:
        columns = [values[t, :, k] for k in range(len(self.series)) for t in range(self.length)]
        return self._table([np.ascontiguousarray(column) for column in columns])

    def _by_step(self, values: np.ndarray, number: int) -> pa.Table:
        paths = np.arange(number * self.paths, (number + 1) * self.paths)
        steps = np.arange(self.first, self.steps + 1)
        series = (np.ascontiguousarray(values[:, :, k].T).ravel() for k in range(len(self.series)))
        return self._table([np.repeat(paths, self.length), np.tile(steps, self.paths), *series])

    def _table(self, columns: Sequence[np.ndarray]) -> pa.Table:
        whole = (column.kind == "integer" for column in self.schema.columns)
        arrays = [
            pa.array(column.astype(np.int64) if counted else column)
            for column, counted in zip(columns, whole, strict=True)
        ]
        return pa.Table.from_arrays(arrays, names=list(self.schema.names))

    def _schema(self) -> TableSchema:
        if self.rows == "step":
            counted = [Column("path", "integer"), Column("step", "integer")]
            return TableSchema((*counted, *(Column(name, _kind(name)) for name in self.series)))
        digits = len(str(self.steps))
        steps = range(self.first, self.steps + 1)
        return TableSchema(
            tuple(
                Column(f"{name}_{t:0{digits}d}", _kind(name)) for name in self.series for t in steps
            )
        )


def _names(values: str, assets: int) -> tuple[str, ...]:
    if values == "bar":
        return ("",) if assets == 1 else tuple(f"asset_{a}" for a in range(1, assets + 1))
    return (values,) if assets == 1 else tuple(f"{values}_{a}" for a in range(1, assets + 1))


def _series(values: str, names: Sequence[str]) -> tuple[str, ...]:
    """What is told of each step: a number of each asset, or the five of its bar."""
    if values != "bar":
        return tuple(names)
    return tuple(f"{name}_{field}".lstrip("_") for name in names for field in FIELDS)


def _kind(series: str) -> Literal["integer", "continuous"]:
    return "integer" if series.rpartition("_")[2] == "volume" else "continuous"


def _priced(series: Sequence[str]) -> list[int]:
    """Which of the series of bars are prices."""
    return [k for k, name in enumerate(series) if _kind(name) == "continuous"]
