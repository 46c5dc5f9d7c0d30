"""Silence for the chatter of libraries; what a user needs to know, this package says itself."""

from __future__ import annotations

import logging
import warnings

__all__ = ["quiet_libraries"]


def quiet_libraries() -> None:
    """Hush advice that does not apply: data here need no workers, hardware is shown elsewhere."""
    for name in ("lightning", "lightning.pytorch", "lightning.fabric", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for message in (
        ".*does not have many workers.*",
        ".*number of training batches.*smaller than the logging interval.*",
        ".*GPU available but not used.*",
        ".*in eval mode at the start of training.*",
        ".*you defined a `validation_step` but have no `val_dataloader`.*",
        ".*You defined a `validation_step` but have no `val_dataloader`.*",
        ".*Experiment logs directory.*exists and is not empty.*",
        ".*isinstance\\(treespec, LeafSpec\\).*",
    ):
        warnings.filterwarnings("ignore", message=message)
