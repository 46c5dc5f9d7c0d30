"""What one column of partial rows may be: probabilities of its classes, its mean, its median.

Rows are taken block by block, so that memory is bounded and row i depends on (seed, i) alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from operator import index
from typing import Literal, Protocol, get_args

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from genmodels.algorithms.conditional import Conditional, Outcomes, Predictable
from genmodels.evidence import Evidence
from genmodels.sampling.control.given import Restricts
from genmodels.sampling.control.partial import PartialRows
from genmodels.sampling.draws import Draws
from genmodels.types import Encoded
from genmodels.wishes import Cells

__all__ = ["Aim", "How", "Prediction", "check_how"]

logger = logging.getLogger(__name__)
How = Literal["mean", "median"]
_QUANTILES = 64  # of even shares, that stand for the score of a row of which all else is known
_HALVINGS = 12  # of the outermost of them: the mean of a skewed number lies in its tail
_FEW = 8  # of each draw of what is not known
_MOST = 1 << 28  # probabilities in one answer: 2 GiB
_AT_ONCE = 1 << 21  # probabilities that are worked on together
_SILENT = 10.0  # seconds without a word of how far it is


class Aim(Protocol):
    """The column to be told, as a codec knows it."""

    @property
    def column(self) -> str: ...
    @property
    def classes(self) -> pa.Array | None: ...
    @property
    def variables(self) -> tuple[int, ...]: ...
    @property
    def derived(self) -> bool: ...
    def shares(self, log_weight: np.ndarray) -> np.ndarray: ...
    def numbers(self, values: np.ndarray, codes: np.ndarray) -> np.ndarray: ...
    def of_rows(self, rows: Encoded, cells: Mapping[str, Cells]) -> np.ndarray: ...
    def levels_of(self, codes: Tensor) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class _Block:
    """Some rows: what is known of them, as given and as evidence, and their number."""

    cells: dict[str, Cells]
    evidence: Evidence
    number: int

    def take(self, rows: np.ndarray) -> _Block:
        """Those of the rows at positions (M,)."""
        at, positions = torch.from_numpy(rows), pa.array(rows)
        evidence = replace(
            self.evidence,
            values=self.evidence.values[at],
            codes=self.evidence.codes[at],
            known=self.evidence.known[at],
        )
        cells = {n: Cells(c.values.take(positions), c.known[rows]) for n, c in self.cells.items()}
        return _Block(cells, evidence, self.number)


class Prediction:
    """One column of partial rows, told from what is known of them.

    Cells that are not known are summed over: exactly, if there is none but the column itself and
    the model can tell its outcomes; else by `draws` weighed draws of them.

    Args:
        model: has learned rows.
        restricts: knows the schema and what the codec can express.
        aim: the column; what the rows know of it follows from other columns.
        rows: the others.
        draws: S of what is not known, at least 1.
        seed: of the draws.
        block_rows: rows at a time.
    """

    def __init__(
        self,
        *,
        model: Predictable,
        restricts: Restricts,
        aim: Aim,
        rows: PartialRows,
        draws: int,
        seed: int,
        block_rows: int,
    ) -> None:
        self.model, self.restricts, self.aim, self.rows = model, restricts, aim, rows
        self.count = _count(draws)
        self.draws = Draws(seed=seed, block_rows=block_rows)
        self.conditional: Conditional | None = None
        if not aim.derived and len(aim.variables) == 1:
            conditional = model.conditional(aim.variables[0])
            self.conditional = conditional if conditional.summable else None

    def probabilities(self) -> np.ndarray:
        """Of the classes, given that the value is not missing: (N, C), each row sums to 1.

        Raises:
            ValueError: when there are too many to hold.
        """
        rows, classes = self.rows.rows, self._classes
        if rows * classes > _MOST:
            raise ValueError(
                f"predict_proba: {rows:,} rows times {classes:,} classes of {self.aim.column!r} "
                f"are more than {_MOST:,} probabilities; give at most {_MOST // classes:,} rows "
                "at a time, or use predict, which keeps the likeliest class alone"
            )
        out, start = np.empty((rows, classes)), 0
        for part in self._shares():
            out[start : start + len(part)] = part
            start += len(part)
        return out

    def likeliest(self) -> np.ndarray:
        """Position of the likeliest class of each row, int64 (N,)."""
        return np.concatenate([part.argmax(1) for part in self._shares()])

    def numbers(self, how: How) -> np.ndarray:
        """Mean or median of the values that are not missing, float64 (N,); NaN: none is.

        Times are microseconds since 1970.
        """
        check_how(how)
        return np.concatenate([self._centres(block, how) for block in self._blocks()])

    @property
    def _classes(self) -> int:
        assert self.aim.classes is not None
        return len(self.aim.classes)

    def _shares(self) -> Iterator[np.ndarray]:
        """Probabilities (B, C) of the classes, of all rows in turn, some at a time."""
        size = max(1, _AT_ONCE // self._classes)
        for weights in map(self._weights, self._blocks()):
            for start in range(0, len(weights), size):
                yield self.aim.shares(weights[start : start + size])

    def _blocks(self) -> Iterator[_Block]:
        size, total = self.draws.block_rows, self.rows.rows
        start_time = told = time.monotonic()
        for number, start in enumerate(range(0, total, size)):

            def rng(column: int, number: int = number) -> np.random.Generator:
                return self.draws.rng(number, "known", attempt=column)

            stop = min(start + size, total)
            cells = self.rows.block(start, stop)
            yield _Block(cells, self.restricts.known(cells, stop - start, rng), number)
            now = time.monotonic()
            if now - told > _SILENT and stop < total:
                told, rate = now, stop / (now - start_time)
                logger.info(
                    "predict %s: %s of %s rows, %.0f rows/s, about %.0f s left",
                    self.aim.column, f"{stop:,}", f"{total:,}", rate, (total - stop) / rate,
                )  # fmt: skip

    def _told(self, block: _Block) -> np.ndarray:
        """Rows (B,) whose other columns determine the aim by an identity."""
        return block.evidence.known[:, list(self.aim.variables)].all(1).numpy()

    def _complete(self, block: _Block) -> np.ndarray:
        """Rows (B,) of which all but the aim is known."""
        others = block.evidence.known.clone()
        others[:, list(self.aim.variables)] = True
        return others.all(1).numpy()

    def _weights(self, block: _Block) -> np.ndarray:
        """Log-weights (B, L) of the levels of the aim, float64."""
        conditional = self.conditional
        assert conditional is not None
        told, complete = self._told(block), self._complete(block)
        whole = np.full((len(told), conditional.variable.levels), -np.inf)
        known = self.aim.levels_of(block.evidence.codes)
        whole[told, known[told]] = 0.0
        for rows, several in ((complete & ~told, False), (~complete & ~told, True)):
            at = np.flatnonzero(rows)
            if len(at):
                part = self._parts(conditional, block, at, several)
                total = next(part).log_weight.double()
                for more in part:
                    total = torch.logaddexp(total, more.log_weight.double())
                whole[at] = total.cpu().numpy()
        return whole

    def _centres(self, block: _Block, how: How) -> np.ndarray:
        """Mean or median (B,) of the aim."""
        told = self._told(block)
        out = np.empty(len(told))
        if self.conditional is None:
            at = np.flatnonzero(~told)
            if len(at):
                out[at] = self._of_draws(block, at, how)
        else:
            complete = self._complete(block)
            for rows, several in ((complete & ~told, False), (~complete & ~told, True)):
                at = np.flatnonzero(rows)
                if len(at):
                    out[at] = self._of_outcomes(self.conditional, block, at, several, how)
        at = np.flatnonzero(told)
        if len(at):
            part = block.take(at)
            out[at] = self.aim.of_rows(part.evidence.encoded, part.cells)
        return out

    def _parts(
        self, conditional: Conditional, block: _Block, at: np.ndarray, several: bool
    ) -> Iterator[Outcomes]:
        """Outcomes of the rows `at` (M,): one part, or one for each draw of what is not known."""
        if not several:
            evidence = block.take(at).evidence.to(self.model.device)
            p, share = (x.to(self.model.device) for x in quantiles())
            yield conditional.exact(evidence.encoded, p, share)
            return
        for part, u, numbers in self._drawings(block, at):
            evidence = part.evidence.to(self.model.device)
            p = _spread(_FEW, (np.repeat(numbers, len(at)) + 0.5) / self.count).to(u.device)
            found = conditional.drawn(u, evidence, p)
            yield from (found.rows(slice(k, k + len(at))) for k in range(0, len(u), len(at)))

    def _of_outcomes(
        self, conditional: Conditional, block: _Block, at: np.ndarray, several: bool, how: How
    ) -> np.ndarray:
        found, weights = [], []
        for part in self._parts(conditional, block, at, several):
            rows, outcomes = part.log_weight.shape
            empty = np.empty((0, rows * outcomes))
            values = empty if part.values is None else part.values.cpu().numpy().reshape(1, -1)
            codes = empty if part.codes is None else part.codes.cpu().numpy().reshape(1, -1)
            found.append(self.aim.numbers(values, codes).reshape(rows, outcomes))
            weights.append(part.log_weight.double().cpu().numpy())
        return centre(np.concatenate(found, 1), np.concatenate(weights, 1), how)

    def _of_draws(self, block: _Block, at: np.ndarray, how: How) -> np.ndarray:
        """By draws of all that is not known, the aim too."""
        found, weights = [], []
        for part, u, _ in self._drawings(block, at):
            rows, weight = self.model.sample_weighted(u, part.evidence.to(u.device))
            host = {name: value.cpu() for name, value in rows.items()}
            found.append(self.aim.of_rows(host, part.cells).reshape(-1, len(at)))
            weights.append(weight.double().cpu().numpy().reshape(-1, len(at)))
        return centre(np.concatenate(found).T, np.concatenate(weights).T, how)

    def _drawings(
        self, block: _Block, at: np.ndarray
    ) -> Iterator[tuple[_Block, Tensor, np.ndarray]]:
        """The rows `at` (M,) as often as they are drawn in one pass, uniforms, which draws."""
        group = max(1, self.draws.block_rows // len(at))
        for first in range(0, self.count, group):
            numbers = np.arange(first, min(first + group, self.count))
            u = torch.cat([self._uniforms(block, at, int(number)) for number in numbers])
            yield block.take(np.tile(at, len(numbers))), u, numbers

    def _uniforms(self, block: _Block, at: np.ndarray, number: int) -> Tensor:
        """Uniforms (M, U) of a draw, for the rows `at` (M,) of a block."""
        device = self.model.device
        sizes = self.model.latent_dim, self.model.noise_dim
        _, u = self.draws.block(block.number, *sizes, device, attempt=number)
        return u[torch.from_numpy(at).to(device)]


def _count(draws: int) -> int:
    """The number of draws.

    Raises:
        ValueError: when it is no whole number of at least 1.
    """
    try:
        count = index(draws)
    except TypeError:
        count = 0
    if count < 1:
        raise ValueError(f"draws must be a whole number and at least 1, got {draws!r}")
    return count


def check_how(how: str) -> None:
    """Refuse what is neither a mean nor a median.

    Raises:
        ValueError: then.
    """
    if how not in get_args(How):
        raise ValueError(f"how must be mean or median, got {how!r}")


def quantiles() -> tuple[Tensor, Tensor]:
    """Probabilities (N,) of quantiles, and the share (N,) that each stands for.

    Those in the middle of even shares; the outermost two shares are halved again and again.
    """
    ends = 2.0 ** -torch.arange(_HALVINGS + 1, dtype=torch.float64) / _QUANTILES
    even = torch.arange(1, _QUANTILES, dtype=torch.float64) / _QUANTILES
    zero = ends.new_zeros(1)
    low = torch.cat([zero, ends.flip(0)[:-1]])
    edges = torch.cat([low, even, 1.0 - low.flip(0)])
    return ((edges[1:] + edges[:-1]) / 2).float(), edges.diff().float()


def _spread(count: int, shift: np.ndarray) -> Tensor:
    """Probabilities (k + shift) / count, k = 0 ... count - 1, for each shift (B,): (B, count)."""
    return torch.from_numpy((np.arange(count) + shift[:, None]) / count).float()


def centre(values: np.ndarray, log_weight: np.ndarray, how: How) -> np.ndarray:
    """Weighted mean or median (B,) of values (B, M), NaN left out; NaN where all are."""
    gone = np.isnan(values) | ~np.isfinite(log_weight)
    weights = np.where(gone, -np.inf, log_weight)
    top = weights.max(1, keepdims=True)
    weights = np.exp(weights - np.where(np.isfinite(top), top, 0.0))
    total = weights.sum(1)
    shares = weights / np.where(total > 0.0, total, 1.0)[:, None]
    filled = np.where(gone, 0.0, values)
    if how == "mean":
        return np.where(total > 0.0, (shares * filled).sum(1), np.nan)
    order = np.argsort(np.where(gone, np.inf, filled), axis=1)
    upto = np.take_along_axis(shares, order, 1).cumsum(1)
    first = np.minimum((upto < 0.5 - 1e-12).sum(1), values.shape[1] - 1)
    middle = np.take_along_axis(filled, np.take_along_axis(order, first[:, None], 1), 1)[:, 0]
    return np.where(total > 0.0, middle, np.nan)
