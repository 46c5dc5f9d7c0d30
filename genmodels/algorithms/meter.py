"""Sums of training quantities kept on the device until somebody asks. No logger in here."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["Meter"]


class Meter:
    """Running means without a synchronisation per step.

    `add` keeps a detached sum on the device of its tensor; `flush` moves all of them to the host
    at once and starts afresh.
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, name: str, value: Tensor) -> None:
        """Take a tensor of any shape into the mean called `name`; never waits for the device."""
        value = value.detach()
        total = value if value.ndim == 0 else value.sum()
        if name in self._sums:
            self._sums[name] = self._sums[name] + total
            self._counts[name] += value.numel()
        else:
            self._sums[name] = total.float()
            self._counts[name] = value.numel()

    def flush(self) -> dict[str, float]:
        """The mean of each name since the last flush, by one transfer; empties the meter."""
        if not self._sums:
            return {}
        names = list(self._sums)
        found = [self._sums[name] for name in names]
        device = next((x.device for x in found if x.device.type != "cpu"), torch.device("cpu"))
        sums = torch.stack([x.to(device) for x in found]).tolist()
        means = {name: s / self._counts[name] for name, s in zip(names, sums, strict=True)}
        self._sums, self._counts = {}, {}
        return means

    def state(self) -> dict[str, dict[str, Tensor] | dict[str, int]]:
        """What was added since the last flush, on the host."""
        sums = {name: total.cpu() for name, total in self._sums.items()}
        return {"sums": sums, "counts": dict(self._counts)}

    def load(self, state: dict[str, dict[str, Any]]) -> None:
        """Go on from what `state` gave."""
        self._sums, self._counts = dict(state["sums"]), dict(state["counts"])
