"""Whether a model and data are of one kind, before anything is loaded."""

from __future__ import annotations

import re
from pathlib import Path

from omegaconf import DictConfig

from genmodels.tasks.choices import CONFIGS, choices

__all__ = ["check_fit"]


def check_fit(cfg: DictConfig) -> None:
    """Refuse a model whose codec is for data of another kind.

    Codecs of the user's own are not judged here.

    Raises:
        ValueError: naming the models that fit.
    """
    codec = cfg.choices.get("codec")
    if codec in cfg.data.codecs or codec not in choices("codec", [CONFIGS]):
        return
    fitting = [n for n in choices("model", [CONFIGS]) if _codec_of(n) in cfg.data.codecs]
    raise ValueError(
        f"model={cfg.choices.model} with codec={codec} is not for {cfg.data.kind}, but "
        f"data={cfg.choices.data} gives {cfg.data.kind}. Choose a model for {cfg.data.kind}: "
        f"{', '.join(fitting)}"
    )


def _codec_of(model: str) -> str | None:
    text = Path(CONFIGS / "model" / f"{model}.yaml").read_text(encoding="utf-8")
    found = re.search(r"override /codec: *(\w+)", text)
    return None if found is None else found[1]
