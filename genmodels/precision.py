"""Where products round to bfloat16 (8 bits), and where nothing may be rounded."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, get_args

import torch
from torch import Tensor

__all__ = ["Rounded", "Rounding", "full_precision", "native_bfloat16", "product_type"]

Rounding = Literal["auto", "float32", "bfloat16"]


class Rounded:
    """Regions of a training in which products round to bfloat16, if that was chosen.

    What a device can do is asked once, as an update may be shorter than the answer takes.

    Args:
        rounding: "auto" rounds where the device multiplies bfloat16 faster by itself.

    Raises:
        ValueError: when there is no such choice.
    """

    def __init__(self, rounding: Rounding) -> None:
        if rounding not in get_args(Rounding):
            raise ValueError(f"model.rounding must be auto, float32 or bfloat16, got {rounding!r}")
        self.rounding = rounding
        self._low: dict[str, bool] = {}

    def __call__(self, device: torch.device) -> AbstractContextManager[Any]:
        """A region of autocast on a device, or one that changes nothing."""
        kind = device.type
        if kind not in self._low:
            native = self.rounding == "auto" and native_bfloat16(kind)
            self._low[kind] = native or self.rounding == "bfloat16"
        return torch.autocast(_known(kind), torch.bfloat16) if self._low[kind] else nullcontext()


def native_bfloat16(kind: str) -> bool:
    """Whether a device, such as "cpu", multiplies bfloat16 faster than float32 by itself."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind != "cpu":
        return False
    found: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(found.get("avx512_bf16", False) or found.get("amx_bf16", False))


def full_precision(x: Tensor) -> AbstractContextManager[None]:
    """Where autocast is off, on the device of x, if it has autocast at all."""
    found: AbstractContextManager[None] = torch.autocast(_known(x.device.type), enabled=False)
    return found


def product_type(x: Tensor) -> torch.dtype:
    """What products with x are computed in here: that of autocast where it is on."""
    kind = x.device.type
    rounded = kind == _known(kind) and torch.is_autocast_enabled(kind)
    return torch.get_autocast_dtype(kind) if rounded else x.dtype


def _known(kind: str) -> str:
    """A kind of device that has autocast; of one that has none, any does."""
    return kind if kind in ("cpu", "cuda") else "cpu"
