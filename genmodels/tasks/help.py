"""The words of `--help`, made from the configuration files themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genmodels.tasks.choices import (
    CONFIGS,
    VERBS,
    choices,
    defaults,
    groups,
    settings,
    summary,
    with_bases,
)

__all__ = ["Composed", "overview", "verb_help"]

EXAMPLES = {
    "train": [
        "genmodels train data.path=adult.csv",
        "genmodels train model=ctgan data=csv data.path=adult.csv run=runs/adult",
        "genmodels train model=dcgan data=digits trainer.max_epochs=100",
        "genmodels train model=r3gan data=digits augment=ada warm_up=ramp batching.balance=true",
        "genmodels train run=runs/adult resume=auto",
    ],
    "sample": [
        "genmodels sample run=runs/adult n=10000 out=synthetic",
        "genmodels sample run=runs/adult n=10000 format=csv out=synthetic seed=1",
        "genmodels sample run=runs/digits per_class=500 filter.keep=0.7 out=labelled",
    ],
    "simulate": [
        "genmodels simulate simulator=gbm n=1000 seed=1 out=prices",
        "genmodels simulate simulator=heston simulator.model.xi=0.3 simulator.rows=step out=paths",
        "genmodels simulate simulator=garch fit=aapl.csv n=1000 out=like_aapl",
        "genmodels simulate simulator=road n=1000 out=traffic",
        "genmodels simulate simulator=road_rare simulator.rows=crop n=1000 out=night_crops",
    ],
    "verify": ["genmodels verify synthetic"],
    "evaluate": [
        "genmodels evaluate run=runs/adult synthetic=synthetic",
        "genmodels evaluate real=train.csv holdout=test.csv synthetic=made_elsewhere.csv",
    ],
    "look": [
        "genmodels look run=runs/digits",
        "genmodels look run=runs/digits what=[walk,morph] seed=1 out=looks",
    ],
    "benchmark": [
        "genmodels benchmark data.path=stroke.csv data.target=stroke model=tvae",
        "genmodels benchmark data.path=stroke.csv data.target=stroke learning_curve=[100,300,1000]",
    ],
    "audit": [
        "genmodels audit bias run=runs/adult synthetic=synthetic sensitive=[sex,race]",
        "genmodels audit bias real=a.csv holdout=b.csv synthetic=c.csv sensitive=[sex] target=pay",
    ],
    "selftest": [
        "genmodels selftest metrics",
        "genmodels selftest metrics out=selftest",
        "genmodels selftest crash kills=30",
    ],
    "schema": ["genmodels schema data.path=adult.csv out=adult.yaml"],
}
SHOWN_GROUPS: dict[str, tuple[str, ...] | None] = {
    "train": None,
    "sample": ("writer",),
    "simulate": ("simulator",),
    "benchmark": ("data", "model"),
    "schema": ("data",),
}
KNOBS = (
    ("data.", "data/csv", None),
    ("trainer.", "trainer/auto", None),
    ("batching.", "train", "batching"),
    ("validation.", "train", "validation"),
)
"""What people turn besides the top level of `train`: prefix, file, key in it.

A group in braces is its choice."""
MORE = {"train": KNOBS, "schema": KNOBS[:1], "sample": (("filter.", "sample", "filter"),)}
MORE["simulate"] = (("simulator.", "simulator/{simulator}", None),)
TRAINER_KNOBS = ("max_epochs", "max_time", "precision")
HINTS = {
    "train": "genmodels train model=ctgan --cfg     prints every setting of this choice",
    "sample": "genmodels sample run=<run> n=1 out=x --cfg     prints every setting",
    "simulate": "genmodels simulate simulator=heston --cfg     prints every setting of a simulator",
    "verify": "genmodels verify <folder>     needs nothing but the folder",
    "evaluate": "genmodels evaluate run=<run> synthetic=<folder> --cfg     prints every setting",
    "look": "genmodels look run=<run> --cfg     prints every setting",
    "benchmark": "genmodels benchmark data.path=<file> --cfg     prints every setting",
    "audit": "genmodels audit bias synthetic=<folder> --cfg     prints every setting",
    "schema": "genmodels schema data.path=<file> --cfg     prints every setting",
    "selftest": "genmodels selftest metrics --cfg     prints every setting",
}


def _ordered(names: list[str]) -> list[str]:
    """What a newcomer chooses first comes first."""
    first = [name for name in ("data", "model", "trainer") if name in names]
    return first + [name for name in names if name not in first]


def overview() -> str:
    """`genmodels --help`."""
    verbs = "\n".join(f"  {verb:<10} {text}" for verb, text in VERBS.items())
    return (
        "Train generative models on tabular data or pictures and write synthetic datasets.\n\n"
        f"genmodels <verb> key=value ...\n\n{verbs}\n\n"
        "genmodels <verb> --help      settings, choices and examples\n"
        "genmodels --version\n\n"
        "Start with:\n"
        "  genmodels train data.path=my.csv run=runs/mine\n"
        "  genmodels sample run=runs/mine n=1000 out=synthetic\n"
        "  genmodels evaluate run=runs/mine synthetic=synthetic\n"
    )


@dataclass(frozen=True)
class Composed:
    """What words such as `model=ctgan` come to.

    Args:
        values: by dotted key.
        chosen: the choice of each group.
    """

    values: Mapping[str, Any]
    chosen: Mapping[str, str]


def verb_help(verb: str, folders: Sequence[Path], composed: Composed | None = None) -> str:
    """`genmodels <verb> --help`, with the values that other words of the line come to.

    Args:
        verb: of `VERBS`.
        folders: where choices are looked for.
        composed: what those words come to; None: there are none, defaults are shown.
    """
    root = CONFIGS / f"{verb}.yaml"
    parts = [f"genmodels {verb}: {VERBS[verb]}.\n{summary(root)}"]
    parts.append("Examples:\n" + "\n".join(f"  {line}" for line in EXAMPLES[verb]))
    chosen = defaults(root) if composed is None else composed.chosen
    found = settings(root)
    found += [
        (f"{prefix}{key}", default, text)
        for prefix, name, below in MORE.get(verb, ())
        for path in with_bases(CONFIGS / f"{name.format_map(chosen)}.yaml")
        if path.is_file()
        for key, default, text in settings(path, below=below)
        if prefix != "trainer." or key in TRAINER_KNOBS
    ]
    if composed is not None:
        values = composed.values
        found = [(key, _text(values[key]), text) for key, _, text in found if key in values]
    if found:
        shows = "the default" if composed is None else "what your words come to"
        width = max(24, *(len(key) + len(default) + 1 for key, default, _ in found))
        lines = [f"  {key + '=' + default:<{width}} {text}" for key, default, text in found]
        parts.append(f"Settings (key=value; what is shown is {shows}):\n" + "\n".join(lines))
    shown = SHOWN_GROUPS.get(verb, ())
    for group in _ordered(groups(folders)) if shown is None else shown:
        if known := choices(group, folders):
            key = "format" if group == "writer" else group
            mark = "" if group == "writer" else _mark(chosen.get(group), known, composed)
            parts.append(
                f"{key}=...{mark}\n" + "\n".join(f"  {n:<16} {t}" for n, t in known.items())
            )
    parts.append(
        f"{HINTS[verb]}\n"
        "--config-dir DIR     look for more choices in DIR/<group>/<name>.yaml\n"
        "A file name may hold any character: quote it for the shell as usual."
    )
    return "\n\n".join(parts)


def _mark(name: str | None, known: Mapping[str, str], composed: Composed | None) -> str:
    """Which of a group is taken."""
    if name not in known:
        return ""
    return f"  ({'default' if composed is None else 'here'}: {name})"


def _text(value: Any) -> str:
    """A value as it is written after `key=`."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(_text, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {_text(one)}' for key, one in value.items())}}}"
    return str(value)
