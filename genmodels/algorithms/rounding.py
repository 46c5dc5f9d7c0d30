"""Products that round to bfloat16 in training, where a device does so by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch

__all__ = ["Rounding", "native_bfloat16", "rounded"]

Rounding = Literal["auto", "float32", "bfloat16"]


@contextmanager
def rounded(device: torch.device, rounding: Rounding) -> Iterator[None]:
    """Autocast to bfloat16 inside, if that was chosen.

    Args:
        device: where the products are computed.
        rounding: "auto" rounds where the device multiplies bfloat16 faster by itself.

    Raises:
        ValueError: when there is no such choice.
    """
    if rounding not in get_args(Rounding):
        raise ValueError(f"model.rounding must be auto, float32 or bfloat16, got {rounding!r}")
    low = rounding == "bfloat16" or (rounding == "auto" and native_bfloat16(device.type))
    if not low:
        yield
        return
    kind = device.type if device.type in ("cpu", "cuda") else "cpu"
    with torch.autocast(kind, torch.bfloat16):
        yield


def native_bfloat16(kind: str) -> bool:
    """Whether a device multiplies bfloat16 faster than float32 by itself."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind != "cpu":
        return False
    found: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(found.get("avx512_bf16", False) or found.get("amx_bf16", False))
