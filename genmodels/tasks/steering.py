"""How a model draws when `genmodels sample` asks for another way than it was trained with."""

from __future__ import annotations

from typing import Any

from genmodels.algorithms.base import Steerable
from genmodels.tasks.build import Loaded

__all__ = ["steered"]


def steered(loaded: Loaded, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let the model draw as it is asked to.

    A `temper` of 1 is none in particular: the model keeps its own.

    Args:
        loaded: a run of any model.
        options: of `genmodels sample`.

    Returns:
        The options that are left to others, and what was asked, for the manifest.

    Raises:
        ValueError: when the model has no such way to draw.
    """
    asked = {key: options[key] for key in ("guidance", "top_p") if options[key] is not None}
    asked |= {"temper": options["temper"]} if options["temper"] not in (None, 1) else {}
    if isinstance(loaded.model, Steerable):
        loaded.model.steer(asked)
        return options | {"temper": 1.0}, asked
    own = [key for key in asked if key != "temper"]
    if own:
        raise ValueError(
            f"model={loaded.cfg.choices.model} cannot do {own[0]}=...: it draws in one way alone. "
            "Train one that can: genmodels train model=vqvae ..."
        )
    return options, {}
