"""From `key=value` words to one checked configuration, with errors that name the nearest key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from genmodels.tasks.check import check_values
from genmodels.tasks.choices import CONFIGS, choices, groups, nearest

__all__ = ["compose", "entries", "parts_of", "quoted", "require", "resolved", "shown"]

PATHS = (
    "run",
    "out",
    "real",
    "synthetic",
    "dataset",
    "holdout",
    "schema",
    "complete",
    "scenario",
    "fit",
    "coverage",
    "reference",
    "test_out",
    "filter.real",
    "filter.holdout",
)
"""Keys whose values name files, besides all `*.path` and `*.holdout_path`: taken as they are."""
NAMES = (
    *("target", "data.target", "data.infer.target", "positive", "sensitive", "split_by", "time"),
    "balance",
)
"""Keys whose values are names in the data: as they are, too."""


def compose(
    verb: str, overrides: Sequence[str] = (), *, config_dir: Path | None = None
) -> DictConfig:
    """The configuration of a verb.

    Besides the keys of `configs/<verb>.yaml` it has `choices`, the chosen file of each group,
    and `overrides`, the words that were given.

    Args:
        verb: a key of `choices.VERBS`.
        overrides: words such as `model=ctgan` or `trainer.max_epochs=10`.
        config_dir: a folder with more groups and choices.

    Raises:
        ValueError: for a word that does not fit; one line, with the nearest that would.
    """
    if config_dir is not None and not config_dir.is_dir():
        raise ValueError(f"--config-dir {config_dir} is not a folder")
    _refuse_two_wishes(overrides)
    words = [_plain_level(_plain_path(word)) for word in overrides]
    parsed = [_parse(word) for word in words]
    extra = [f"hydra.searchpath=[file://{config_dir.resolve()}]"] if config_dir else []
    try:
        cfg = _hydra(verb, [*extra, *words])
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        folders = [CONFIGS, *([config_dir] if config_dir else [])]
        raise ValueError(_diagnosis(verb, parsed, extra, folders, error)) from error
    with open_dict(cfg):
        cfg.choices = {
            k: v for k, v in cfg.pop("hydra").runtime.choices.items() if "hydra" not in k
        }
        cfg.overrides = list(overrides)
    return cfg


def resolved(cfg: DictConfig) -> dict[str, Any]:
    """Plain containers without interpolations.

    Raises:
        ValueError: when one refers to nothing.
    """
    try:
        plain = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ValueError(_one_line(error)) from error
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def shown(cfg: DictConfig) -> str:
    """The configuration as YAML."""
    return OmegaConf.to_yaml(cfg)


def entries(cfg: DictConfig) -> Iterator[tuple[str, Any]]:
    """All dotted keys with their values; references to other keys as they are written."""
    yield from _entries(OmegaConf.to_container(cfg, resolve=False))


def require(cfg: DictConfig) -> None:
    """Check that a configuration is whole and its values are of the right types.

    Raises:
        ValueError: naming values that have no default and were not given, or what does not fit.
    """
    plain = OmegaConf.to_container(cfg, resolve=False)
    missing = [key for key, value in _entries(plain) if value == "???"]
    if missing:
        wanted = " ".join(f"{key}=..." for key in missing)
        raise ValueError(f"not given: {', '.join(missing)}. Add {wanted}")
    check_values(resolved(cfg))


def _hydra(verb: str, words: list[str]) -> DictConfig:
    with initialize_config_dir(config_dir=str(CONFIGS.resolve()), version_base="1.3"):
        return hydra_compose(verb, overrides=words, return_hydra_config=True)


def _plain_path(word: str) -> str:
    """Quote a value that names a file or the like, so that no character in it has a meaning."""
    key, sign, value = word.partition("=")
    name = key.lstrip("+~")
    is_file = name in PATHS or name.endswith((".path", ".holdout_path"))
    if not sign or not (is_file or name in NAMES) or value in ("", "null", "???"):
        return word
    if value[0] in "'\"[{" and _parses(word):
        return word
    home = is_file and value[0] == "~"
    return f"{key}={quoted(str(Path(value).expanduser()) if home else value)}"


def quoted(text: str) -> str:
    """A text as the value of a word, whatever is in it.

    In Hydra's quotes a backslash means itself unless a quote follows it.
    """
    return "'" + re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + m[2].replace("'", "\\'"), text) + "'"


def _plain_level(word: str) -> str:
    """Words that speak of a name in the data: any name, and any level as text.

    `condition.<name>=<level>`, `given.<name>=<wish or [wishes]>`, `bins.<name>=[edges]`,
    `constraints=[...]`, `exclude=[...]`, `factors=[names]` and `shares.<name>={level: share, ...}`,
    whose levels no key of Hydra's could be.
    """
    key, sign, value = word.partition("=")
    root, dot, name = key.partition(".")
    if key in _LISTED and value not in ("", "null"):
        return f"{key}={_texts(value)}"
    if key == "sources" and value.startswith("["):
        return f"{key}={_texts(value)}"
    if not sign or root not in _NAMING or (root in _SOURCES and not dot):
        return word
    if not dot:
        return f"+{word}" if value.startswith("{") else word
    if root == "sources":
        value = quoted(str(Path(value).expanduser()))
    elif root == "given" and value != "null":
        value = _texts(value)
    elif root not in ("given", "bins"):
        value = _text(value)
    return f"+{root}={{{_escaped(name)}: {value}}}"


_SOURCES = ("sources", "origins")
_NAMING = ("condition", "given", "shares", "bins", *_SOURCES)
_LISTED = ("constraints", "exclude", "factors")


def _refuse_two_wishes(words: Sequence[str]) -> None:
    """Refuse two different things asked of one name: of other keys the last word counts."""
    asked: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        root, dot, _ = key.partition(".")
        if not (sign and dot and root in _NAMING):
            continue
        if asked.setdefault(key, value) != value:
            either = f"; either may be: {key}=[{asked[key]}, {value}]" if root == "given" else ""
            raise ValueError(
                f"{key} is asked for twice: {asked[key]} and {value}. Give one of them{either}"
            )


def _escaped(name: str) -> str:
    """A text as a key, whatever is in it."""
    return re.sub(r"([\\()\[\]{}:=, \t])", r"\\\1", name)


def _text(value: str) -> str:
    """A text in quotes, if it is not already."""
    return value if value[:1] in ("'", '"') and _parses(f"level={value}") else quoted(value)


def _texts(value: str) -> str:
    """A text, or the texts of a list, in quotes."""
    if value[:1] == "[" and value[-1:] == "]":
        return f"[{', '.join(_text(part) for part in parts_of(value[1:-1]))}]"
    return _text(value)


def parts_of(text: str) -> list[str]:
    """What stands between the commas that are not inside quotes."""
    found = re.findall(r"(?:\"[^\"]*\"|'[^']*'|[^,])+", text)
    return [part.strip() for part in found if part.strip()]


def _parses(word: str) -> bool:
    try:
        OverridesParser.create().parse_override(word)
    except HydraException:
        return False
    return True


def _parse(word: str) -> Override:
    if "=" not in word and not word.startswith("~"):
        raise ValueError(f"{word!r} is not of the form key=value")
    try:
        override = OverridesParser.create().parse_override(word)
    except HydraException as error:
        key, _, value = word.partition("=")
        raise ValueError(
            f"cannot read {word!r}: a value with spaces, commas, brackets or quotes needs quotes "
            f"twice, for the shell and for the value: \"{key}='{value}'\""
        ) from error
    if override.is_sweep_override():
        raise ValueError(f"{word!r} names several values; give one, or a list: key=[a,b]")
    return override


def _diagnosis(
    verb: str, parsed: list[Override], extra: list[str], folders: list[Path], error: Exception
) -> str:
    """One line for people: which word does not fit, and the nearest one that would."""
    names = groups(folders)
    chosen = [o for o in parsed if o.key_or_group.partition("@")[0] in names]
    for override in chosen:
        group, value = override.key_or_group.partition("@")[0], override.value()
        known = choices(group, folders)
        ours = str(value).startswith("_")  # of data in memory: not among what may be chosen
        word = isinstance(value, str | int | float)
        if word and str(value) not in known and value != "null" and not ours:
            return f"there is no {group}={value}{nearest(str(value), known)}"
    try:
        tree = _hydra(verb, extra + [str(o.input_line) for o in chosen])
        OmegaConf.set_struct(tree, False)
    except (HydraException, OmegaConfBaseException, ValueError) as cause:
        return _no_match(verb, chosen, extra, cause) or _one_line(cause)
    tree.pop("hydra")
    keys = {key for key, _ in _entries(OmegaConf.to_container(tree, resolve=False))}
    for override in parsed:
        key = override.key_or_group
        if override not in chosen and not override.is_add() and key not in keys:
            return f"there is no {key}{nearest(key, keys | set(names))}"
    return _one_line(error)


def _no_match(verb: str, chosen: list[Override], extra: list[str], error: Exception) -> str | None:
    """A group that this model or verb has no place for."""
    found = re.search(r"Could not override '([^']+)'", str(error))
    if found is None:
        return None
    group = found[1].partition("@")[0]
    others = [str(o.input_line) for o in chosen if o.key_or_group.partition("@")[0] != group]
    try:
        model = _hydra(verb, extra + others).hydra.runtime.choices.get("model")
    except (HydraException, OmegaConfBaseException):
        model = None
    return f"{group}=... has no place in {f'model={model}' if model else f'genmodels {verb}'}"


def _entries(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """All dotted keys with their values."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}", value
            yield from _entries(value, f"{prefix}{key}.")


def _one_line(error: Exception) -> str:
    text = re.sub(r"\s+", " ", str(error)).strip()
    return re.sub(r" (full_key|object_type|reference_type)[:=].*", "", text)
