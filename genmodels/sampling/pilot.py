"""The pilot sample of a calibration: what it finds depends on the run alone."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Literal, get_args

import torch

from genmodels.algorithms.base import Calibratable
from genmodels.calibration import Calibration
from genmodels.margins import Margin
from genmodels.sampling.draws import Draws
from genmodels.sampling.sampler import Precision, one_thread_each

__all__ = ["PILOT_ROWS", "Calibrate", "calibration_of"]

logger = logging.getLogger(__name__)

Calibrate = Literal["off", "pin", "marginal"]
PILOT_ROWS = 32768
"""Rows of a pilot, whatever is drawn: the standard error of a frequency is 0.003 at most."""
_PIECE = 4096
_SEED = 20_250_601  # of every pilot, whatever the seed of the sample


def calibration_of(
    model: Calibratable,
    margins: Sequence[Margin],
    how: Calibrate,
    *,
    device: torch.device,
    precision: Precision,
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
    """
    if how not in get_args(Calibrate):
        raise ValueError(f"calibrate must be off, pin or marginal, got {how!r}")
    if how == "off":
        return None
    start = time.monotonic()
    logger.info("calibrate=%s: drawing a pilot of %s rows", how, f"{PILOT_ROWS:,}")
    draws = Draws(seed=_SEED, block_rows=_PIECE)
    pieces = range(PILOT_ROWS // _PIECE)
    pilot = [draws.block(piece, 0, model.noise_dim, device)[1] for piece in pieces]
    rounded = precision == "bfloat16"
    with one_thread_each(), torch.autocast(device.type, torch.bfloat16, enabled=rounded):
        found = model.calibrate(pilot, margins, ends_only=how == "pin")
    logger.info("calibrate=%s: done in %.1f s", how, time.monotonic() - start)
    return found
