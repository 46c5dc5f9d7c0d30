"""What `genmodels augment` is given: the rows, the recipe, and how many new rows are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from omegaconf import DictConfig, OmegaConf

from genmodels.augmentation.amounts import Amount
from genmodels.augmentation.base import Recipe, kind_words, says_kind
from genmodels.data.attributes import OFFERED
from genmodels.data.splits import Split
from genmodels.provenance import check_name
from genmodels.report.reading import kind_of
from genmodels.schema import Schema
from genmodels.tasks.choices import CONFIGS, choices
from genmodels.tasks.compose import resolved
from genmodels.tasks.options import whole_number
from genmodels.tasks.origin import given_origin
from genmodels.tasks.parts import instantiate, schema_of, source_of
from genmodels.tasks.shares import read_shares
from genmodels.types import Raw, num_rows

__all__ = ["Asked", "Loaded", "check_kind", "place_of", "the_recipe"]

ELSEWISE = ("per_class", "balance", "shares")


@dataclass(frozen=True)
class Asked:
    """The settings that say how many new rows there shall be.

    Args:
        amount: of new rows.
        counted: whose levels are counted; None: those of the target.
        key: the setting that named it.
        told: the settings, for the manifest.
        chunk: rows that go to the writer at once at most.
    """

    amount: Amount
    counted: str | None
    key: str
    told: Mapping[str, Any]
    chunk: int | None

    @classmethod
    def of(cls, cfg: DictConfig) -> Asked:
        if not isinstance(cfg.shares, DictConfig):
            raise ValueError(f"shares: write shares.<name>={{level: share}}, got {cfg.shares!r}")
        shares = {str(name): read_shares(str(name), text) for name, text in cfg.shares.items()}
        given = [key for key in ELSEWISE if cfg[key]]
        words = [str(word).partition("=")[0].lstrip("+") for word in cfg.overrides]
        given += ["ratio"] if "ratio" in words else []
        if len(given) > 1:
            raise ValueError(f"{given[0]} and {given[1]} cannot be combined; give one of them")
        if len(shares) > 1:
            raise ValueError(f"shares of {', '.join(shares)}: give those of one alone")
        ratio = cfg.ratio
        if not isinstance(ratio, int | float) or isinstance(ratio, bool) or not 0 < ratio < 1e9:
            raise ValueError(f"ratio must be a number above 0, got {ratio!r}")
        per_class = cfg.per_class
        if per_class is not None:
            per_class = whole_number("per_class", per_class, least=1)
        name = next(iter(shares), None if cfg.balance is None else str(cfg.balance))
        wanted = shares.get(str(name), {})
        if shares and (not isinstance(wanted, dict) or not wanted):
            raise ValueError(f"shares.{name} must name levels and their shares: {{yes: 0.5}}")
        amount = Amount(
            ratio=float(ratio),
            per_class=per_class,
            balance=cfg.balance is not None,
            shares={str(level): share for level, share in wanted.items()},
        )
        told = {key: resolved(cfg)[key] for key in ("ratio", "per_class", "balance")}
        told = {key: v for key, v in told.items() if v is not None}
        if given and given != ["ratio"]:
            told.pop("ratio")
        told |= {"shares": shares} if shares else {}
        key = "balance" if cfg.balance is not None else f"shares.{name}"
        chunk = cfg.chunk_rows
        chunk = None if chunk is None else whole_number("chunk_rows", chunk, least=1)
        return cls(amount, name, key, told, chunk)


@dataclass(frozen=True, eq=False)
class Loaded:
    """The data of a configuration, typed.

    Args:
        real: rows to augment.
        test: rows that are kept apart; None: none are.
        schema: of both.
        fingerprint: of their source.
        origin: what the rows to augment are called, see `ORIGINS`.
    """

    real: Raw
    test: Raw | None
    schema: Schema
    fingerprint: str
    origin: str

    @classmethod
    def of(cls, cfg: DictConfig, recipe: Recipe) -> Loaded:
        if cfg.data.get("streaming"):
            raise ValueError("augment reads all rows into memory: leave out data.streaming")
        if cfg.data.get("holdout_path") is not None or cfg.data.get("holdout_split") is not None:
            raise ValueError("held-out rows are not augmented: leave out data.holdout_path")
        changed = {}
        if "attributes" in cfg.data.source and cfg.data.get("attributes") is None:
            changed = {"attributes": OFFERED}  # what is known of a row stays known
        source = source_of(cfg, **changed)
        raw = source.load()
        check_kind(cfg, recipe, kind_of(raw))
        schema = schema_of(cfg, raw)
        typed = instantiate(cfg.data.parse)(raw, schema)
        if changed:  # what no schema tells is not dropped by it
            typed = replace(typed, attributes=raw.attributes)
        check_name(cfg.provenance, schema, tuple(getattr(typed, "attributes", ())))
        real, test, fingerprint = typed, None, source.fingerprint()
        if cfg.test_share:
            real, test = _split(cfg, typed, fingerprint)
        return cls(real, test, schema, fingerprint, given_origin(place_of(cfg)))


def _split(cfg: DictConfig, typed: Raw, fingerprint: str) -> tuple[Raw, Raw]:
    share = cfg.test_share
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0 <= share < 1:
        raise ValueError(f"test_share must be at least 0 and below 1, got {share!r}")
    split = Split(
        rows=num_rows(typed), seed=cfg.seed, holdout=share, validation=0.0, fingerprint=fingerprint
    )
    real, _, test = split.take(typed)
    return real, test


def the_recipe(cfg: DictConfig) -> Recipe:
    """The recipe of a configuration.

    Raises:
        ValueError: when a setting of it is impossible.
    """
    recipe = instantiate(cfg.recipe)
    assert isinstance(recipe, Recipe)
    return recipe


def _words(kinds: tuple[str, ...]) -> str:
    return " and ".join(kind_words(kind) for kind in kinds)


def check_kind(cfg: DictConfig, recipe: Recipe, kind: str) -> None:
    """Refuse a recipe of other data.

    Raises:
        ValueError: with those that there are for these.
    """
    if kind not in recipe.kinds:
        raise ValueError(
            f"recipe={cfg.choices.recipe} is for {_words(recipe.kinds)}, and data="
            f"{cfg.choices.data} gives {_words((kind,))}; there are {_suiting(kind)}"
        )


def _suiting(kind: str) -> str:
    """Names of the recipes that are for such data, as their files say."""
    found = choices("recipe", [CONFIGS])
    return ", ".join(name for name, text in found.items() if says_kind(text, kind))


def place_of(cfg: DictConfig) -> str | None:
    """Where the data are, if a setting says so."""
    path = OmegaConf.select(cfg, "data.path", throw_on_missing=False)
    return None if path is None else str(path)
