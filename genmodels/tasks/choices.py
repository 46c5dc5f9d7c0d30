"""What can be chosen: the config groups on disk, their first comments, the nearest name.

Reads files and imports nothing heavy, so that `--help` answers at once.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable
from pathlib import Path

__all__ = [
    "CONFIGS",
    "OBJECTS",
    "SUBJECTS",
    "VERBS",
    "choices",
    "defaults",
    "groups",
    "nearest",
    "nested",
    "settings",
    "summary",
    "with_bases",
]

_INSIDE = Path(__file__).parents[1] / "configs"
CONFIGS = _INSIDE if _INSIDE.is_dir() else Path(__file__).parents[2] / "configs"
"""`genmodels/configs` of an installed package, `configs/` of a checkout."""

VERBS = {
    "train": "learn from data; makes a run",
    "sample": "write a synthetic dataset from a run",
    "simulate": "write a synthetic dataset of a model with known parameters, such as prices",
    "augment": "write real rows and new ones made of them, such as SMOTE's or moved pictures",
    "mix": "combine datasets by shares, each row with where it comes from",
    "verify": "find out whether a dataset is as it was written",
    "evaluate": "measure how far a synthetic dataset can be trusted",
    "look": "make pictures of what a run has learnt",
    "benchmark": "find out whether synthetic data help a model of yours",
    "coverage": "find combinations of values that data lack, and fill them",
    "audit": "audit bias: compare how groups fare in real and synthetic data",
    "schema": "look at data and draft what its parts mean",
    "selftest": "selftest metrics|crash: planted failures are caught, kills do no harm",
}
OBJECTS = {"verify": "dataset", "coverage": "dataset"}
"""Verbs that are followed by a folder, and the key that it goes to."""
SUBJECTS = {"audit": ("bias",), "selftest": ("metrics", "crash")}
"""Verbs that are followed by a word that says of what."""


def groups(folders: Iterable[Path]) -> list[str]:
    """Names of all groups, such as "model" or "loss"."""
    return sorted({p.name for folder in folders for p in folder.iterdir() if p.is_dir()})


def choices(group: str, folders: Iterable[Path]) -> dict[str, str]:
    """What may follow `<group>=`, with the first comment of each file."""
    files = [p for folder in folders for p in (folder / group).rglob("*.yaml")]
    names = {p.with_suffix("").relative_to(_base(p, group)).as_posix(): p for p in files}
    return {n: summary(p) for n, p in sorted(names.items()) if not p.name.startswith("_")}


def _base(path: Path, group: str) -> Path:
    depth = len(Path(group).parts)
    return next(p for p in path.parents if p.parts[-depth:] == Path(group).parts)


def summary(path: Path) -> str:
    """The first comment of a config file, besides Hydra's own `# @package`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first = next((line for line in lines if not line.startswith("# @")), "")
    return first.lstrip("# ").strip() if first.startswith("#") else ""


def settings(path: Path, *, below: str | None = None) -> list[tuple[str, str, str]]:
    """The commented settings of a config file: (key, default, comment).

    Args:
        path: the file.
        below: a key whose own settings are meant; None: those at the top.
    """
    line = re.compile(r"^(\w+):[ ]+(\S.*?)[ ]+# (.*)$")
    texts = path.read_text(encoding="utf-8").splitlines()
    if below is not None:
        start = next(i for i, t in enumerate(texts) if t.partition("#")[0].rstrip() == f"{below}:")
        texts = [
            t[2:] for t in itertools.takewhile(lambda t: t.startswith("  "), texts[start + 1 :])
        ]
    return [m.groups() for m in map(line.match, texts) if m]  # type: ignore[misc]


def nested(path: Path, group: str) -> list[tuple[str, str, str]]:
    """The commented settings of a config file at any depth: (dotted key, default, comment).

    Args:
        path: the file.
        group: whose file it is: where its keys are, unless it names another package.
    """
    line = re.compile(r"^( *)(\w+):(?:[ ]+([^\s#].*?))?(?:[ ]+# (.*))?$")
    texts = path.read_text(encoding="utf-8").splitlines()
    package = re.match(r"# @package (\S+)", texts[0])
    top = group if package is None else package[1].replace("_global_", "")
    found, above = [], [(-1, top)]
    for match in filter(None, map(line.match, texts)):
        depth, key, default, text = len(match[1]), match[2], match[3], match[4]
        above = [one for one in above if one[0] < depth]
        dotted = f"{above[-1][1]}.{key}".lstrip(".")
        if default is None:
            above.append((depth, dotted))
        elif text is not None:
            found.append((dotted, default, text))
    return found


def defaults(path: Path) -> dict[str, str]:
    """The choice of each group that a config file makes, where it makes one."""
    texts = path.read_text(encoding="utf-8").splitlines()
    line = re.compile(r"^  - ([a-z]\w*): (\w+)$")
    found = {m[1]: m[2] for m in map(line.match, texts) if m}
    return {group: name for group, name in found.items() if name != "null"}


def with_bases(path: Path) -> list[Path]:
    """A config file and those beside it that it builds on, `defaults: [_base, _self_]`."""
    found = re.search(r"^defaults: \[(.*)\]", path.read_text(encoding="utf-8"), re.MULTILINE)
    names = [] if found is None else [name.strip() for name in found[1].split(",")]
    return [path, *(path.with_name(f"{name}.yaml") for name in names if name != "_self_")]


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or all the choices when there are few, or nothing."""
    names = sorted(set(known))
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there are: {', '.join(names)}" if 0 < len(names) <= 24 else ""
