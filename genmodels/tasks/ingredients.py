"""What `genmodels mix` puts together: sources, what they tell of themselves, and their shares."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, ListConfig, OmegaConf

from genmodels.data.open import open_source
from genmodels.provenance import ORIGINS, named_in, origins_of, without_origins
from genmodels.tasks.choices import nearest
from genmodels.tasks.origin import manifest_near, origin_kept_apart
from genmodels.types import Raw, num_rows

__all__ = ["Ingredient", "counts_of", "ingredients", "rows_of_each"]

log = logging.getLogger(__name__)
SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class Ingredient:
    """One source.

    Args:
        name: what it is called.
        raw: its rows, without what they tell of where they come from.
        origins: where each comes from, position in `ORIGINS`, shape (N,).
        share: of the mixed rows; None: not told.
        digest: of its manifest if it is a dataset of ours, else of its content.
        form: the format of a dataset of ours; None: not told.
    """

    name: str
    raw: Raw
    origins: np.ndarray
    share: float | None
    digest: str
    form: str | None

    def __len__(self) -> int:
        return len(self.origins)


def ingredients(cfg: DictConfig) -> list[Ingredient]:
    """The sources that a configuration names, read.

    Raises:
        ValueError: when there are fewer than two, shares do not fit, or one cannot be told.
        FileNotFoundError: when one is not there.
    """
    paths = _paths(cfg)
    if len(paths) < 2:
        raise ValueError("mix needs two sources at least: sources=[a,b] or sources.<name>=<path>")
    shares = _shares(cfg, list(paths))
    told = _named(cfg, "origins", list(paths))
    for name, origin in told.items():
        if origin not in ORIGINS:
            raise ValueError(
                f"origins.{name} must be one of {', '.join(ORIGINS)}, got {origin!r}"
                f"{nearest(str(origin), ORIGINS) if isinstance(origin, str) else ''}"
            )
    return [_read(name, path, told.get(name), shares.get(name)) for name, path in paths.items()]


def rows_of_each(parts: list[Ingredient], n: int | None) -> np.ndarray:
    """How many rows each source gives, shape (S,).

    Raises:
        ValueError: when one has too few, with how many are possible.
    """
    sizes = np.array([len(part) for part in parts])
    if parts[0].share is None and n is None:
        return sizes
    share = np.array([s if part.share is None else part.share
                      for part, s in zip(parts, sizes / sizes.sum(), strict=True)])  # fmt: skip
    some = share > 0
    most = math.floor(float((sizes[some] / share[some]).min()) + SLACK)
    total = most if n is None else n
    counts = np.floor(total * share + SLACK).astype(np.int64)
    rest = total * share - counts
    counts[np.argsort(-rest, kind="stable")[: total - int(counts.sum())]] += 1
    for part, size, count in zip(parts, sizes, counts, strict=True):
        if count > size:
            raise ValueError(
                f"{part.name} has {size:,} rows, and {count:,} of n={total} are its share: at most "
                f"n={most} is possible with these shares, or give others"
            )
    return counts


def counts_of(origins: np.ndarray) -> dict[str, int]:
    """Rows of each origin that there are."""
    found = Counter(ORIGINS[k] for k in origins.tolist())
    return {name: found[name] for name in ORIGINS if found[name]}


def _paths(cfg: DictConfig) -> dict[str, str]:
    if isinstance(cfg.sources, ListConfig):
        paths = [str(path) for path in cfg.sources]
        names: list[str] = []
        for path in paths:
            stem = Path(path).name.split(".")[0] or Path(path).name
            names.append(f"{stem}-{len(names) + 1}" if stem in names else stem)
        return dict(zip(names, paths, strict=True))
    if cfg.sources is None:
        return {}
    if isinstance(cfg.sources, DictConfig):
        return {str(name): str(path) for name, path in cfg.sources.items()}
    raise ValueError(f"sources: write sources=[a,b] or sources.<name>=<path>, got {cfg.sources!r}")


def _shares(cfg: DictConfig, names: list[str]) -> dict[str, float]:
    """Shares by source; empty: none are told."""
    if isinstance(cfg.shares, ListConfig):
        told = list(cfg.shares)
        if told and len(told) != len(names):
            raise ValueError(f"shares has {len(told)} numbers for {len(names)} sources")
        given: Mapping[str, Any] = dict(zip(names, told, strict=False))
    else:
        given = {} if cfg.shares is None else _named(cfg, "shares", names)
    if not given:
        return {}
    found = {name: _number(name, value) for name, value in given.items()}
    left = [name for name in names if name not in found]
    if left:
        raise ValueError(f"shares: none is given for {', '.join(left)}")
    total = sum(found.values())
    if abs(total - 1.0) > 1e-6:
        raise ValueError(f"shares must sum to 1, not {total:g}")
    return {name: share / total for name, share in found.items()}


def _named(cfg: DictConfig, key: str, names: list[str]) -> dict[str, Any]:
    """Values of a setting by source."""
    if not isinstance(cfg[key], DictConfig):
        raise ValueError(f"{key}: write {key}.<name>=..., got {key}={cfg[key]!r}")
    told = OmegaConf.to_container(cfg[key], resolve=True)
    assert isinstance(told, dict)
    for name in map(str, told):
        if name not in names:
            raise ValueError(f"{key}.{name}: there is no such source{nearest(name, names)}")
    return {str(name): value for name, value in told.items()}


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not 0.0 <= number <= 1.0:
        raise ValueError(f"shares.{name} must be a share in [0, 1], got {value!r}")
    return number


def _read(name: str, path: str, told: str | None, share: float | None) -> Ingredient:
    source = open_source(path, least=1, origins=True)
    raw, manifest = source.load(), manifest_near(Path(path).expanduser())
    known = named_in(manifest)
    if known is not None:
        origins, raw = origins_of(raw, known), without_origins(raw, known)
    else:
        origin = told if told is not None else _origin(name, path, manifest)
        origins = np.full(num_rows(raw), ORIGINS.index(origin), np.int32)
    digest = str(manifest.get("digest") or source.fingerprint())
    form = manifest.get("format")
    return Ingredient(name, raw, origins, share, digest, form if isinstance(form, str) else None)


def _origin(name: str, path: str, manifest: Mapping[str, Any]) -> str:
    """Where all rows of a source come from that do not tell it one by one."""
    if not manifest:
        log.info("%s: taken for real; origins.%s=generated, ... says otherwise", path, name)
        return "real"
    if "simulator" in manifest:
        return "simulated"
    if "kept_apart" in manifest:
        return origin_kept_apart(manifest)
    if "augmentation" in manifest or "mix" in manifest:
        raise ValueError(
            f"{path} was written with provenance=null: its rows do not tell which are real. Write "
            f"it again with a provenance, or call all of it origins.{name}=augmented"
        )
    return "generated"
