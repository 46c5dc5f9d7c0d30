"""The pilot sample of a calibration: what it finds depends on the run alone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import torch

from genmodels.algorithms.base import Calibratable
from genmodels.calibration import Calibration
from genmodels.margins import Margin
from genmodels.sampling.cores import cores, one_thread_each, use_one_thread
from genmodels.sampling.draws import Draws
from genmodels.sampling.sampler import Precision

__all__ = ["PILOT_ROWS", "Calibrate", "calibration_of"]

logger = logging.getLogger(__name__)

Calibrate = Literal["off", "pin", "marginal"]
PILOT_ROWS = 32768
"""Rows of a pilot, whatever is drawn: the standard error of a frequency is 0.003 at most."""
_PIECE = 4096  # of them at a time, at most
_SEED = 20_250_601  # of every pilot, whatever the seed of the sample


def calibration_of(
    model: Calibratable,
    margins: Sequence[Margin],
    how: Calibrate,
    *,
    device: torch.device,
    precision: Precision,
    piece_rows: int = _PIECE,
    workers: int | None = None,
) -> Calibration | None:
    """Draw a pilot of 32,768 rows under a seed of its own, and find what to change.

    Row i of a sample then still depends on (run, seed, how, i) alone. What is matched are the
    margins of encoded rows: levels that share a code keep the proportions that the codec gives
    them, and what is computed from others follows from them. Numbers with few distinct values
    are levels, which "pin" leaves alone. How often an end is reached is right to a fifth or so,
    as the pilot tells the tails.

    Args:
        model: on `device`.
        margins: of its variables in training, in the order of the layout.
        how: "marginal": levels and scores occur as often as in training, its ends included;
            "pin": the smallest and largest scores do, and the outermost hundredth at each end
            is stretched to them; "off": nothing, None is returned.
        device: where the model is.
        precision: of the sample.
        piece_rows: rows of the pilot that are drawn together, at most 4,096; a power of two, part
            of what the pilot depends on. Fewer for wide rows.
        workers: pieces at work at once; None: one per core. What is found does not depend on it.
    """
    if how == "off":
        return None
    start = time.monotonic()
    logger.info("calibrate=%s: drawing a pilot of %s rows", how, f"{PILOT_ROWS:,}")
    rows = min(piece_rows, _PIECE)
    draws, pieces = Draws(seed=_SEED, block_rows=rows), range(PILOT_ROWS // rows)
    pilot = [draws.block(piece, 0, model.noise_dim, device)[1] for piece in pieces]
    rounded = precision == "bfloat16"
    workers = min(workers or cores(), len(pieces)) if device.type == "cpu" else 1
    with (
        one_thread_each(),
        torch.autocast(device.type, torch.bfloat16, enabled=rounded),
        ThreadPoolExecutor(workers, initializer=use_one_thread) as pool,
    ):

        def one(call: Callable[[Any], Any], thing: Any) -> Any:
            # neither mode is handed on to a thread
            with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=rounded):
                return call(thing)

        def each(call: Callable[[Any], Any], things: Sequence[Any]) -> list[Any]:
            return list(pool.map(one, [call] * len(things), things))

        found = model.calibrate(pilot, margins, ends_only=how == "pin", each=each)
    logger.info("calibrate=%s: done in %.1f s", how, time.monotonic() - start)
    return found
