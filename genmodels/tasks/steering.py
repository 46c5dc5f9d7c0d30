"""How a model draws when `genmodels sample` asks for another way than it was trained with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from genmodels.algorithms.base import Steerable, Truncates
from genmodels.tasks.build import Loaded

__all__ = ["steered"]

WAYS = ("guidance", "top_p")
LATENTS = ("truncation", "latent_scale")


def steered(loaded: Loaded, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let the model draw as it is asked to.

    A `temper` of 1 is none in particular: the model keeps its own.

    Args:
        loaded: a run of any model.
        options: of `genmodels sample`.

    Returns:
        The options that are left to others, `spread` (the factor of the latents) with them; and
        what was asked, for the manifest.

    Raises:
        ValueError: when the model has no such way to draw.
    """
    asked = {key: options[key] for key in WAYS if options[key] is not None}
    asked |= {"temper": options["temper"]} if options["temper"] not in (None, 1) else {}
    latents = _latents(loaded, options)
    options = options | {"spread": _spread(loaded, latents)}
    if isinstance(loaded.model, Steerable):
        loaded.model.steer(asked)
        return options | {"temper": 1.0}, asked | latents
    own = [key for key in asked if key != "temper"]
    if own:
        raise ValueError(
            f"model={loaded.cfg.choices.model} cannot do {own[0]}=...: it draws in one way alone. "
            "Train one that can: genmodels train model=vqvae ..."
        )
    return options, latents


def _latents(loaded: Loaded, options: Mapping[str, Any]) -> dict[str, float]:
    """What is asked of the latents, checked."""
    asked = {key: options[key] for key in LATENTS if options[key] is not None}
    for key, value in asked.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if key == "truncation" and not (number and 0 < value <= 1):
            raise ValueError(f"truncation must be a number above 0 and at most 1, got {value!r}")
        if not (number and 0 < value < math.inf):
            raise ValueError(f"latent_scale must be a number above 0, got {value!r}")
    if asked and not loaded.model.latent_dim:
        instead = "temper and top_p" if isinstance(loaded.model, Steerable) else "temper"
        raise ValueError(
            f"model={loaded.cfg.choices.model} cannot do {next(iter(asked))}=...: it draws levels "
            f"one by one and has no Gaussian latents. {instead} below 1 has a like effect; GANs "
            "and VAEs, such as model=dcgan or model=conv_vae, have latents"
        )
    return {key: float(value) for key, value in asked.items()}


def _spread(loaded: Loaded, latents: Mapping[str, float]) -> float:
    """The factor of the latents, where the model does not pull in itself what it makes of them."""
    scale, psi = latents.get("latent_scale", 1.0), latents.get("truncation", 1.0)
    pulling = [m for m in loaded.model.sampler_modules().values() if isinstance(m, Truncates)]
    for module in pulling:
        module.truncation = psi
    return scale if pulling else scale * psi
