"""What a configuration that came with a run may name: a run is data, and data may be hostile.

Hydra calls whatever `_target_` says. Here everything is refused that is not a class or function
defined in a room of this package meant for it, or on a short list of others.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from typing import Any

__all__ = ["check_trust"]

ROOMS = (
    "adaptive", "algorithms", "augment", "callbacks", "codecs", "data", "ema", "likelihoods",
    "losses", "metrics", "networks", "penalties", "report", "sampling", "schedules", "terms",
)  # fmt: skip
OPTIMIZERS = (
    "ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "SGD",
)  # fmt: skip
OTHERS = {
    *(f"torch.optim.{name}" for name in OPTIMIZERS),
    "lightning.Trainer",
    "lightning.pytorch.Trainer",
    "lightning.pytorch.loggers.TensorBoardLogger",
    "torch.nn.SiLU",
    "torch.nn.ReLU",
    "torch.nn.LeakyReLU",
    "torch.nn.GELU",
}
OWN = "GENMODELS_TRUST"
"""Environment variable: packages of the user's own, separated by commas."""


def check_trust(config: Any, *, where: str) -> None:
    """Refuse a configuration that names anything but known parts, or asks for a resolver.

    Args:
        config: plain containers.
        where: the file it came from, for the message.

    Raises:
        ValueError: naming what was refused.
    """
    for path, key, value in _entries(config, ""):
        if isinstance(value, str) and "${" in value:
            raise ValueError(f"{where}: {path} holds an interpolation, {value!r}; refused")
        if key == "_target_" and not _trusted(value):
            raise ValueError(
                f"{where}: {path} names {value!r}, which is not a part of genmodels; refused. If "
                f"it is your own code, set {OWN}=<its package>"
            )


def _entries(node: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            here = f"{path}.{key}" if path else str(key)
            yield here, str(key), value
            yield from _entries(value, here)
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield f"{path}[{i}]", "", value
            yield from _entries(value, f"{path}[{i}]")


def _trusted(target: Any) -> bool:
    if not isinstance(target, str) or not re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", target):
        return False
    own = [name.strip() for name in os.environ.get(OWN, "").split(",") if name.strip()]
    if target in OTHERS or target.split(".")[0] in own:
        return True
    parts = target.split(".")
    return parts[0] == "genmodels" and parts[1] in ROOMS and _defined_here(parts)


def _defined_here(parts: list[str]) -> bool:
    """Whether the first name after the module is defined in that module, not imported by it."""
    for cut in range(len(parts) - 1, 1, -1):
        name = ".".join(parts[:cut])
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        defined = getattr(module, parts[cut], None)
        if getattr(defined, "__module__", None) != name or len(parts) > cut + 2:
            return False
        return len(parts) == cut + 1 or parts[cut + 1] in vars(defined)
    return False
