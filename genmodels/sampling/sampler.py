"""From a trained model and a fitted codec to a stream of raw blocks.

Each worker takes one whole block: draw, forward passes, decode. The passes of a block always
have the same shapes, so that floating-point results do not depend on how many rows were asked
for; each worker computes with one thread, so that they do not depend on the cores either.
"""

from __future__ import annotations

import copy
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, Protocol, get_args

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from genmodels.calibration import Calibration
from genmodels.layout import Condition, Layout, Vectors
from genmodels.sampling.conditions import Conditions
from genmodels.sampling.control.controlled import Controlled, Made
from genmodels.sampling.cores import cores, one_thread_each, use_one_thread
from genmodels.sampling.draws import Draws
from genmodels.sampling.picking import Picked, Picker
from genmodels.sampling.pieces import Piece, cuts, part_of
from genmodels.types import Encoded, Images, Raw, join_images

__all__ = [
    "AHEAD",
    "Decoder",
    "Model",
    "Precision",
    "Sampler",
    "default_block_rows",
]

Precision = Literal["float32", "bfloat16"]
_PASS_ROWS = 4096
_CONTROLLED_ROWS = 512
AHEAD = 16  # blocks that may wait for a reader who writes many of them at once


class Model(Protocol):
    """What sampling needs of a trained model."""

    condition: Condition
    latent_dim: int

    @property
    def noise_dim(self) -> int:
        """Uniform numbers U per row."""

    def sample(self, z: Tensor, c: Tensor, u: Tensor) -> Encoded:
        """Pure: (R, Z) normal, conditions (R, K), (R, U) uniform -> R encoded rows."""


class Decoder(Protocol):
    """What sampling needs of a codec."""

    layout: Layout

    def decode(
        self,
        encoded: Encoded,
        *,
        conditions: np.ndarray | None,
        rng: np.random.Generator,
        start: int = 0,
    ) -> Raw:
        """Encoded rows -> raw rows; `start` is the number of the first one."""


class Sampler:
    """Draws raw data block by block, in order, on all cores, in bounded memory.

    Args:
        model: trained, on `device`.
        codec: turns encoded rows into raw ones.
        conditions: which condition each row gets.
        seed: row i depends on (seed, i) alone.
        device: where the model is.
        precision: "bfloat16" lets the model's large products round to 8 bits, see autocast.
        block_rows: rows per block, or None to choose by the width of a sample, with `controlled`
            at most 512. Part of what a row depends on.
        workers: blocks at work at once; None: one per core.
        spread: factor of the latents; 1: as in training.
        controlled: draws rows as they are asked for; None: as the model draws them.
        calibration: what changes how a model that takes one draws; not with `controlled`.
        picker: chooses among candidates of each class; None: rows are as the model draws them.
    """

    def __init__(
        self,
        *,
        model: Model,
        codec: Decoder,
        conditions: Conditions,
        seed: int,
        device: torch.device | str = "cpu",
        precision: Precision = "float32",
        block_rows: int | None = None,
        workers: int | None = None,
        spread: float = 1.0,
        controlled: Controlled | None = None,
        calibration: Calibration | None = None,
        picker: Picker | None = None,
    ) -> None:
        if precision not in get_args(Precision):
            raise ValueError(f"precision must be float32 or bfloat16, got {precision!r}")
        if workers is not None and workers < 1:
            raise ValueError(f"workers must be at least 1, got {workers}")
        assert controlled is None or calibration is None, "rows that are asked for are not adjusted"
        self.model = model
        self.codec = codec
        self.conditions = conditions
        self.device = torch.device(device)
        self.vectors = Vectors(conditions.condition).to(self.device)
        self.precision = precision
        if block_rows is None:
            block_rows = default_block_rows(codec.layout, controlled=controlled is not None)
        self.draws = Draws(seed=seed, block_rows=block_rows, spread=spread)
        self.workers = workers or cores()
        self.controlled = controlled
        self.calibration = calibration
        self.picker = picker

    def blocks(self, n: int) -> Iterator[Raw]:
        """Rows 0 ... n - 1 in order, in blocks of at most `block_rows`.

        Raises:
            ValueError: when `n` is not positive.
        """
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        return (piece.raw for piece in self.pieces(0, n))

    def pieces(self, start: int, stop: int, *, every: Sequence[int] = ()) -> Iterator[Piece]:
        """Rows start ... stop - 1 in order, cut at the ends of blocks and at multiples of `every`.

        What is counted while rows are drawn (`counts`) is of the pieces that were taken, and no
        others.
        """
        assert 0 <= start < stop
        return self._stream(start, stop, every)

    @property
    def counts(self) -> Counter[str]:
        """What was counted while rows were drawn; empty when nothing is asked of them."""
        counting = self.picker or self.controlled
        return Counter() if counting is None else counting.counts

    @counts.setter
    def counts(self, counts: Counter[str]) -> None:
        counting = self.picker or self.controlled
        if counting is not None:
            counting.counts = counts

    def reseeded(self, seed: int) -> Sampler:
        """The same sampler with other random numbers."""
        other = copy.copy(self)
        rows, spread = self.draws.block_rows, self.draws.spread
        other.draws = Draws(seed=seed, block_rows=rows, spread=spread)
        return other

    def sample(self, n: int) -> Raw:
        """Rows 0 ... n - 1 in one piece.

        Raises:
            ValueError: when `n` is not positive.
        """
        blocks = list(self.blocks(n))
        images = [block for block in blocks if isinstance(block, Images)]
        if not images:
            return pa.concat_tables(blocks, promote_options="permissive")
        return join_images(images)

    def block(self, number: int) -> Raw:
        """All rows of one block."""
        return self.drawn(number, *self.condition(number))

    def drawn(
        self,
        number: int,
        c: Tensor,
        index: np.ndarray | None,
        *,
        attempt: int = 0,
        rows: np.ndarray | None = None,
    ) -> Raw:
        """Rows of one block that are told a condition, as `condition` gave it.

        Args:
            number: of the block.
            c: conditions of all its rows, (R, K).
            index: positions of their levels, (R,).
            attempt: another one draws other rows.
            rows: which of the block's rows; None: all.
        """
        sizes = self.model.latent_dim, self.model.noise_dim
        z, u = self.draws.block(number, *sizes, self.device, attempt=attempt)
        if rows is not None:
            some = torch.from_numpy(rows).to(self.device)
            z, u, c = z[some], u[some], c[some]
            index = None if index is None else index[rows]
        encoded = self._encoded(z, c, u)
        if index is not None and "codes" in encoded:
            self.conditions.impose(encoded["codes"], index)
        return self.codec.decode(
            encoded,
            conditions=index if _is_label(self.conditions.condition) else None,
            rng=self.draws.rng(number, "decode", attempt=attempt),
            start=number * self.draws.block_rows,
        )

    def condition(self, number: int, attempt: int = 0) -> tuple[Tensor, np.ndarray | None]:
        """Condition vectors (R, K) of a block and, if K > 0, the positions of their levels (R,)."""
        rows = self.draws.block_rows
        if self.conditions.condition.width == 0:
            return torch.zeros(rows, 0, device=self.device), None
        rng = self.draws.rng(number, "condition", attempt=attempt)
        index = self.conditions.draw(rng, rows, start=number * rows)
        return self.vectors(torch.from_numpy(index).to(self.device)), index

    @torch.inference_mode()
    def passes(self, call: Callable[..., Any], *inputs: Tensor) -> list[Any]:
        """`call` on pieces of the inputs (M, ...) that are small enough for a core's cache."""
        size = _PASS_ROWS if self.device.type == "cpu" else len(inputs[0])
        rounded = self.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=rounded):
            pieces = zip(*(value.split(size) for value in inputs), strict=True)
            return [call(*piece) for piece in pieces]

    def _encoded(self, z: Tensor, c: Tensor, u: Tensor) -> Encoded:
        """The model's rows, on the host."""
        call: Callable[..., Encoded] = self.model.sample
        if self.calibration is not None:
            call = partial(call, calibration=self.calibration)
        parts = self.passes(call, z, c, u)
        encoded = {name: _joined([part[name] for part in parts]) for name in parts[0]}
        return {name: value.cpu() for name, value in encoded.items()}

    def _made(self, number: int) -> Raw | Made | Picked:
        if self.picker is not None:
            return self.picker.block(self, number)
        if self.controlled is None:
            return self.block(number)
        return self.controlled.block(self, number)

    def _taken(self, made: Raw | Made | Picked, start: int, stop: int) -> Raw:
        if isinstance(made, Picked):
            assert self.picker is not None
            return self.picker.settled(made, start, stop)
        if isinstance(made, Made):
            assert self.controlled is not None
            return self.controlled.settled(made, start, stop)
        return part_of(made, start, stop)

    def _stream(self, start: int, stop: int, every: Sequence[int]) -> Iterator[Piece]:
        rows = self.draws.block_rows
        numbers = range(start // rows, -(-stop // rows))
        workers = min(self.workers, len(numbers))
        pending: deque[tuple[int, Future[Raw | Made | Picked]]] = deque()

        with (
            _evaluating(self.model),
            one_thread_each(),
            ThreadPoolExecutor(workers, initializer=use_one_thread) as pool,
        ):
            try:
                for number in numbers:
                    pending.append((number, pool.submit(self._made, number)))
                    if len(pending) > workers + AHEAD:
                        yield from self._cut(*pending.popleft(), start, stop, every)
                while pending:
                    yield from self._cut(*pending.popleft(), start, stop, every)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _cut(
        self,
        number: int,
        future: Future[Raw | Made | Picked],
        start: int,
        stop: int,
        every: Sequence[int],
    ) -> Iterator[Piece]:
        """The rows of a block that lie between `start` and `stop`."""
        made, rows = future.result(), self.draws.block_rows
        first, last = max(start, number * rows), min(stop, (number + 1) * rows)
        for low, high in cuts(first, last, every):
            yield Piece(low, high, self._taken(made, low - number * rows, high - number * rows))


def default_block_rows(layout: Layout, *, controlled: bool = False) -> int:
    """A power of two that keeps a block's activations within some tens of megabytes.

    Args:
        layout: of an encoded row.
        controlled: whether rows are asked for: several candidates are then drawn of each, so
            that a whole block would keep someone waiting who wants a few rows.
    """
    width = int(np.prod(layout.shape))
    budget = 1 << (21 if len(layout.shape) == 1 else 19)
    most = _CONTROLLED_ROWS if controlled else 8192
    return min(most, 1 << max(3, (budget // max(width, 1)).bit_length() - 1))


def _joined(parts: list[Tensor]) -> Tensor:
    joined = torch.cat(parts)
    return joined.float() if joined.is_floating_point() else joined


def _is_label(condition: Condition) -> bool:
    return len(condition.groups) == 1 and condition.groups[0].code is None


@contextmanager
def _evaluating(model: Model) -> Iterator[None]:
    """Evaluation mode for all workers: a model in training must not switch under their feet."""
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    training = [module for module in modules if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True
