"""What a run holds besides its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from genmodels.codecs.load import codec_from_state
from genmodels.files import read_json
from genmodels.run import Run
from genmodels.tasks.trust import check_trust

__all__ = ["load_config", "read_codec"]


def load_config(run: Run) -> DictConfig:
    """The configuration of a run, after checking that it names nothing but known parts.

    Raises:
        ValueError: when it is damaged or names anything else.
    """
    try:
        cfg = OmegaConf.load(run.config)
        plain = OmegaConf.to_container(cfg, resolve=False)
    except (YAMLError, OmegaConfBaseException, OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{run.config} cannot be read: {' '.join(str(error).split())}") from error
    check_trust(plain, where=str(run.config))
    if not isinstance(cfg, DictConfig):
        raise ValueError(f"{run.config} does not hold a configuration")
    OmegaConf.set_struct(cfg, True)
    return cfg


def read_codec(run: Run) -> Any:
    """The fitted codec of a run."""
    state = read_json(run.codec)
    if not isinstance(state, Mapping):
        raise ValueError(f"{run.codec} does not hold a codec")
    return codec_from_state(dict(state))
