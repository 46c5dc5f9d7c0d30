"""What the card of a dataset says that holds real rows, or rows of several sources."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Combined", "combined"]


@dataclass(frozen=True)
class Combined:
    """Of a dataset that no single model made.

    Args:
        tag: of the card.
        title: of the card.
        drawn: how its records came to be.
        model: what the manifest says besides files and meaning.
        name: of the dataset for machines.
        collection: how it was collected, for machines.
        lines: further paragraphs.
    """

    tag: str
    title: str
    drawn: str
    model: str
    name: str
    collection: str
    lines: tuple[str, ...]


def combined(manifest: Mapping[str, Any]) -> Combined | None:
    """What is said of a dataset that was augmented, mixed, or kept apart; None of others."""
    if "augmentation" in manifest:
        return _augmented(manifest)
    if "mix" in manifest:
        return _mixed(manifest)
    if "kept_apart" in manifest:
        data, origin = manifest["data"]["name"], manifest["kept_apart"].get("origin", "real")
        return Combined(
            tag="real" if origin == "real" else "synthetic",
            title=f"{origin.capitalize()} data kept apart",
            drawn="as they were observed" if origin == "real" else "as they were given",
            model="the data that they are from",
            name=f"kept-apart-{data}",
            collection=f"{origin.capitalize()} records kept apart from an augmentation.",
            lines=(),
        )
    return None


def _augmented(manifest: Mapping[str, Any]) -> Combined:
    told = manifest["augmentation"]
    settings = json.dumps({**told["parameters"], **told["amount"]}, ensure_ascii=False)
    return Combined(
        tag="augmented",
        title=f"Augmented data: `{told['recipe']}`",
        drawn="the records that were given first, then those made of them",
        model="the recipe and its data",
        name=f"augmented-{told['recipe']}",
        collection="Records, and others made from them by augmentation, see provenance.",
        lines=(
            f"**Recipe**: `{told['recipe']}`, `{_code(settings)}`. {_plain(told['meaning'])}",
            *_origins(manifest.get("provenance")),
            *_classes(manifest.get("classes")),
        ),
    )


def _mixed(manifest: Mapping[str, Any]) -> Combined:
    rows = [
        f"| {_plain(source['name'])} | {source['share']:.4g} | {source['rows']:,} of "
        f"{source['of']:,} | {_counts(source['origins'])} | `{source['digest'][:16]}` |"
        for source in manifest["mix"]["sources"]
    ]
    return Combined(
        tag="mixed",
        title="Mixed data",
        drawn="drawn without replacement from each source, then in random order",
        model="the sources",
        name="mixed",
        collection="Records of several sources, see provenance.",
        lines=(
            "\n".join(
                [
                    "| source | share | records | provenance | digest |",
                    "| --- | --- | --- | --- | --- |",
                    *rows,
                ]
            ),
            *_origins(manifest.get("provenance")),
        ),
    )


def _origins(told: Mapping[str, Any] | None) -> list[str]:
    if told is None:
        return []
    if told["name"] is None:
        return [f"**Provenance**: {_counts(told['counts'])}; no record tells which it is."]
    return [
        f"**Provenance** (`{_code(told['name'])}` of each record): {_counts(told['counts'])}. It "
        "is no feature: genmodels leaves it out when it reads this folder; with other tools, drop "
        "it before you train."
    ]


def _classes(told: Mapping[str, Any] | None) -> list[str]:
    if told is None:
        return []
    origins = list(next(iter(told["counts"].values()), {}))
    lines = [
        f"| {' | '.join([_plain(level), *(f'{found[name]:,}' for name in origins)])} |"
        for level, found in told["counts"].items()
    ]
    head = f"| {' | '.join([_plain(told['name']), *origins])} |"
    return ["\n".join([head, f"|{' --- |' * (1 + len(origins))}", *lines])]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {origin}" for origin, number in counts.items())


def _code(text: str) -> str:
    return " ".join(str(text).replace("`", "'").split())


def _plain(text: str) -> str:
    """A text with names of a stranger, shown by Markdown as it is."""
    line = html.escape(" ".join(str(text).split()), quote=False)
    return re.sub(r"([\\`*_{}\[\]#!|~])", r"\\\1", line)
