"""The words of `--help`, made from the configuration files themselves."""

from __future__ import annotations

import re
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
    nested,
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
        "genmodels simulate simulator=road scenario=fill coverage=traffic-coverage out=filled",
        "genmodels simulate simulator=seir disease=influenza n=1000 out=epidemics",
        "genmodels simulate simulator=seir fit=cases.csv n=1000 out=like_cases",
        "genmodels simulate simulator=patients n=50000 format=csv out=line_list",
    ],
    "augment": [
        "genmodels augment data.path=stroke.csv data.target=stroke recipe=smote balance=stroke",
        "genmodels augment data.path=adult.csv recipe=jitter ratio=0.5 test_share=0.2 format=csv",
        "genmodels augment data=imagefolder data.path=pets recipe=geometry per_class=500 out=more",
    ],
    "mix": [
        "genmodels mix sources=[train.csv,synthetic] shares=[0.5,0.5] n=10000 out=mixed",
        "genmodels mix sources.real=a.csv sources.made=out shares.real=0.2 shares.made=0.8",
        "genmodels mix sources.a=made.csv origins.a=generated sources.b=simulated out=mixed",
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
        "genmodels benchmark data.path=stroke.csv target=stroke generator=augmented recipe=smote",
    ],
    "coverage": [
        "genmodels coverage people.csv factors=[sex,smoker,age] bins.age=[0,18,65,80] strength=3",
        "genmodels coverage data=imagefolder data.path=scenes factors=[weather,time] least=20",
        "genmodels coverage synthetic reference=real.csv exclude='[sex = male and pregnant = yes]'",
        "genmodels coverage people.csv factors=[sex,age] scenario=fill run=runs/people",
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
    "simulate": ("simulator", "disease", "vaccination"),
    "augment": ("data", "recipe"),
    "benchmark": ("data", "model", "recipe"),
    "schema": ("data",),
    "coverage": ("data",),
}
KNOBS = (
    ("data.", "data/csv", None),
    ("trainer.", "trainer/auto", None),
    ("batching.", "train", "batching"),
    ("validation.", "train", "validation"),
)
"""What people turn besides the top level of `train`: prefix, file, key in it."""
MORE = {"train": KNOBS, "schema": KNOBS[:1], "sample": (("filter.", "sample", "filter"),)}
MORE["evaluate"] = (("finance.", "evaluate", "finance"),)
MORE["simulate"] = (("simulator.", "simulator/_prices", None),)
WIDEST = 48
"""Room for a setting before its comment; what is longer pushes it on."""
TRAINER_KNOBS = ("max_epochs", "max_time", "precision")
HINTS = {
    "train": "genmodels train model=ctgan --cfg     prints every setting of this choice",
    "sample": "genmodels sample run=<run> n=1 out=x --cfg     prints every setting",
    "simulate": "genmodels simulate simulator=heston --help     shows the settings of a simulator",
    "augment": "genmodels augment data.path=<file> recipe=smote --cfg     prints every setting",
    "mix": "genmodels mix sources=[a,b] --cfg     prints every setting",
    "verify": "genmodels verify <folder>     needs nothing but the folder",
    "evaluate": "genmodels evaluate run=<run> synthetic=<folder> --cfg     prints every setting",
    "look": "genmodels look run=<run> --cfg     prints every setting",
    "benchmark": "genmodels benchmark data.path=<file> --cfg     prints every setting",
    "coverage": "genmodels coverage <file or folder> --cfg     prints every setting",
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
    found = settings(root)
    found += [
        (f"{prefix}{key}", default, text)
        for prefix, name, below in (*MORE.get(verb, ()), *_of_recipe(verb, composed))
        for path in with_bases(CONFIGS / f"{name}.yaml")
        for key, default, text in settings(path, below=below)
        if prefix != "trainer." or key in TRAINER_KNOBS
    ]
    if composed is not None:
        found = _settings_here(verb, found, composed, folders)
    if found:
        shows = "the default" if composed is None else "what your words come to"
        width = max(24, *(len(key) + len(default) + 1 for key, default, _ in found))
        width = min(width, WIDEST)
        lines = [f"  {key + '=' + default:<{width}} {text}" for key, default, text in found]
        parts.append(f"Settings (key=value; what is shown is {shows}):\n" + "\n".join(lines))
    chosen = defaults(root) if composed is None else composed.chosen
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


def _of_recipe(verb: str, composed: Composed | None) -> list[tuple[str, str, str | None]]:
    """Where the settings of the recipe are that a verb takes: at the top of its file, and below."""
    chosen = defaults(CONFIGS / f"{verb}.yaml") if composed is None else composed.chosen
    name = chosen.get("recipe")
    path = CONFIGS / "recipe" / f"{name}.yaml"
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    steps = [line[:-1] for line in lines if re.fullmatch(r"\w+:", line)]
    found: list[tuple[str, str, str | None]] = [("recipe.", f"recipe/{name}", None)]
    return found + [(f"recipe.{step}.", f"recipe/{name}", step) for step in steps]


def _settings_here(
    verb: str,
    general: Sequence[tuple[str, str, str]],
    composed: Composed,
    folders: Sequence[Path],
) -> list[tuple[str, str, str]]:
    """What words come to, of the general settings and of those of the files that are chosen."""
    exact = [
        entry
        for group in SHOWN_GROUPS.get(verb) or ()
        for path in _chosen(group, composed, folders)
        for entry in nested(path, group)
    ]
    told = {key for key, _, _ in exact}
    found = [entry for entry in general if entry[0] not in told] + exact
    values = composed.values
    return [(key, _text(values[key]), text) for key, _, text in found if key in values]


def _chosen(group: str, composed: Composed, folders: Sequence[Path]) -> list[Path]:
    """The file that was chosen of a group, with those that it builds on."""
    names = [folder / group / f"{composed.chosen.get(group)}.yaml" for folder in folders]
    return [path for name in names if name.is_file() for path in with_bases(name)]


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
