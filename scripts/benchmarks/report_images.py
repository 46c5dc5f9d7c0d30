"""Image models as Markdown: what a scorer says of them, with the targets beside."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from markdown import beside_scorer, head, machines, table

__all__ = ["bits", "images", "imbalance", "stacked", "summary"]


@dataclass(frozen=True)
class Target:
    """What the best model of a data set should reach with its defaults on two cores.

    Args:
        seconds: of training, at most.
        points: of TSTR accuracy below real training images, at most; None where `tstr` is given.
        tstr: the least TSTR accuracy.
        coverage, precision: at least; None: only stated.
    """

    seconds: int
    points: float | None = None
    tstr: float | None = None
    coverage: float | None = None
    precision: float | None = None

    def accuracy(self, real: float) -> float:
        assert self.points is not None or self.tstr is not None
        return real - self.points / 100 if self.points is not None else self.tstr or 0.0


TARGETS = {
    "mnist": Target(15 * 60, points=1.0, coverage=0.85, precision=0.85),
    "pneumonia": Target(10 * 60, points=3.0),
    "cifar10": Target(30 * 60, tstr=0.5),
}
LOOKED_AT = 1_000
"""Images among which the scorer looks for copies."""
REAL, GAUSSIAN = "held_out", "pca_gaussian"
NAMES = {REAL: "held-out images", GAUSSIAN: "a Gaussian per class in 64 principal components"}
ABOUT = """\
`train`, `sample` and `evaluate` with their defaults, the same for all data sets; as many images are
drawn as there are to train on. "agreeing": with `filter.agree=true`, by which only images stay that
a classifier of the training images labels as they are labelled; in brackets the share that stays.
The figures are those of a program outside the project. FD: Fréchet distance in the features of a
small network trained on the real images. TSTR: accuracy on the held-out images of that network,
trained on the synthetic images alone; the real one is trained on real images. Copies: nearer to a
training image than half the median distance of held-out images; missed beyond two standard errors
of the difference. **Bold**: the target is missed.
"""
SCORER = {
    "tstr": ("accuracy, trained on synthetic", 1),
    "agree": ("class agreement", 1),
    "coverage": ("coverage-", 1),
    "density": ("density-", 1),
    "precision": ("precision-", 1),
    "recall": ("recall-", 1),
    "copies": ("near copies", 1),
}
"""Figures of the scorer: how the same figure of a report begins, and the unit of the scorer."""


def images(result: dict[str, Any]) -> str:
    sets: dict[str, dict[str, Any]] = result["sets"]
    entries = [entry for of in sets.values() for entry in of.values()]
    text = head("Images", machines(result, entries), "images") + ABOUT
    for name, of in sets.items():
        if name in TARGETS:
            text += f"\n### {name}\n\n" + _scored(of, TARGETS[name])
    text += "\n### By the project's own report\n\n" + _own(sets)
    text += "\nThe same files judged by the program outside. Its network (128 features, another\n"
    text += "architecture) sees neighbourhoods and classes in its own way; its neighbours are\n"
    text += "training images, ours held-out ones:\n\n"
    cases = {
        f"{model}, {name}": (entry["rows"], entry["yardstick"])
        for name, of in sets.items()
        for model, entry in of.items()
        if "rows" in entry
    }
    return text + beside_scorer(cases, SCORER) + _pictures(sets)


def summary(result: dict[str, Any]) -> str:
    """What the scorer says of images that a classifier agrees with, where there are targets."""
    header = ["images, defaults, `filter.agree=true`", "training s", "TSTR accuracy (real)"]
    header += ["coverage", "precision"]
    rows = []
    for name, target in TARGETS.items():
        for model, entry in result["sets"].get(name, {}).items():
            if "agreeing" in entry:
                score = entry["agreeing"]["yardstick"]
                label, *cells = _line(f"`{model}`, {name}", entry["train_s"], score, target, None)
                cells[1] += f" ({score['trtr']:.4f})"
                rows.append([label, *cells[:4]])
    return table(header, rows) if rows else ""


def _scored(of: dict[str, Any], target: Target) -> str:
    header = ["", "training s", "TSTR accuracy", "coverage", "precision", "recall", "FD", "agree"]
    header += ["copies", "images"]
    scored = [entry["yardstick"] for entry in of.values() if entry["yardstick"]]
    if not scored:
        return "Not scored.\n"
    real = scored[0]["trtr"]
    copies = of[REAL]["yardstick"]["copies"] if REAL in of else None
    least = [
        f"≥ {bound:g}" if bound is not None else "" for bound in (target.coverage, target.precision)
    ]
    wanted = f"≥ {target.accuracy(real):.4f} (real {real:.4f})"
    copied = f"≤ {copies}" if copies is not None else ""
    rows = [["*target*", f"≤ {target.seconds}", wanted, *least, "", "", "", copied, ""]]
    for model, entry in of.items():
        name, seconds = NAMES.get(model, f"`{model}`"), entry.get("train_s")
        if entry["yardstick"]:
            rows.append(_line(name, seconds, entry["yardstick"], target, copies))
            if model == REAL:
                rows[-1][2] = ""  # trained on what it is tested on
        if "agreeing" in entry:
            part = entry["agreeing"]
            name = f"{name}, agreeing ({part['kept']:.1%})"
            rows.append(_line(name, seconds, part["yardstick"], target, copies))
    return table(header, rows)


def _line(
    name: str,
    seconds: float | None,
    score: dict[str, Any],
    target: Target,
    copies: float | None,
) -> list[Any]:
    judged = name not in NAMES.values()
    time = "" if seconds is None else f"{seconds:,.0f}"
    cells = [
        name,
        _bold(time, judged and seconds is not None and seconds > target.seconds),
        _bold(f"{score['tstr']:.4f}", judged and score["tstr"] < target.accuracy(score["trtr"])),
    ]
    for key, bound in (("coverage", target.coverage), ("precision", target.precision)):
        cells.append(_bold(score[key], judged and bound is not None and score[key] < bound))
    near = judged and copies is not None and _beyond(score["copies"], copies)
    return [*cells, score["recall"], score["fd"], score["agree"], _bold(score["copies"], near),
            f"{score['n']:,}"]  # fmt: skip


def _beyond(share: float, other: float) -> bool:
    """Whether a share of LOOKED_AT images is larger than another by two standard errors."""
    variance = (share * (1 - share) + other * (1 - other)) / LOOKED_AT
    return share - other > 2.0 * math.sqrt(variance)


def _bold(cell: Any, missed: bool) -> str:
    return f"**{cell}**" if missed else f"{cell}"


def _own(sets: dict[str, dict[str, Any]]) -> str:
    rows = []
    for name, of in sets.items():
        for model, entry in of.items():
            if "rows" not in entry:
                continue
            use = next(r for r in entry["rows"] if "trained on synthetic" in r["metric"])
            facts = [f"{entry['n']:,}", entry["threads"], f"{entry['train_s']:.0f}"]
            facts += [entry["sample_s"], entry["evaluate_s"]]
            accuracy = [round(use["value"], 4), round(use["ceiling"], 4)]
            bits = "" if entry.get("bits") is None else f"{entry['bits']:.3f}"
            rows.append([f"`{model}`", name, *facts, *accuracy, bits])
    header = ["", "data", "images", "threads", "training s", "sampling s", "evaluation s"]
    header += ["TSTR accuracy", "trained on real", "bits per dimension, at most"]
    return table(header, rows)


def _pictures(sets: dict[str, dict[str, Any]]) -> str:
    return "".join(
        f"\n`{model}` on {name}, rows are classes:\n\n![](results/fake_{model}_{name}.png)\n"
        for name, of in sets.items()
        for model, entry in of.items()
        if "rows" in entry
    )


def imbalance(result: dict[str, Any]) -> str:
    ways = result["ways"]
    text = head("Rare classes of images", machines(result, ways.values()), "imbalance")
    text += (
        f"`dcgan` on a part of MNIST with classes of these sizes; {result['per_class']} images\n"
    )
    text += "of each class are drawn. Share in which a classifier sees the digit that was asked\n"
    text += "for; it was trained on all of MNIST's training images, which the GAN did not see.\n\n"
    rows = [["training images", *(f"{count:,}" for count in result["counts"].values())]]
    rows.append(["held-out images", *result["real"].values()])
    for entry in ways.values():
        name = f"with `{' '.join(entry['words'])}`" if entry["words"] else "defaults"
        rows.append([name, *entry["recognised"].values()])
    text += table(["", *result["counts"]], rows)
    for way, entry in ways.items():
        words = " ".join(entry["words"]) or "defaults"
        text += f"\n{words}, rows are classes:\n\n![](results/fake_imbalance_{way}.png)\n"
    return text


def stacked(result: dict[str, Any]) -> str:
    models = result["models"]
    text = head("Modes: three digits at a time", machines(result, models.values()), "stacked")
    text += "Images of three channels, each an MNIST digit drawn at random, without labels: a\n"
    text += f"thousand modes. A classifier names the digits of {result['drawn']:,} images of each\n"
    text += "model; a mode is covered when one of them shows it. KL: divergence, in nats, of the\n"
    text += f"modes' shares from those of the {result['training']:,} training images.\n\n"
    target = ["*target*", "≤ 1,800", "≥ 990", ""]
    rows = [target, ["real images, others", "", result["real"]["modes"], result["real"]["kl"]]]
    rows += [
        [f"`{name}`", f"{entry['train_s']:,.0f} ({entry['threads']})", entry["modes"], entry["kl"]]
        for name, entry in models.items()
    ]
    return text + table(["", "training s (threads)", "modes of 1,000", "KL"], rows)


def bits(result: dict[str, Any]) -> str:
    sets: dict[str, dict[str, Any]] = result["sets"]
    entries = [entry for of in sets.values() for entry in of.values()]
    text = head("Likelihood of images", machines(result, entries), "bits")
    text += "Bits per dimension of held-out images, a bound from above, as `evaluate` states it\n"
    text += "of runs with their defaults: models for two cores, smaller than published. In\n"
    text += (
        "brackets seconds of training and threads. The target: `hvae` below `conv_vae`, which by\n"
    )
    text += (
        "default weighs the divergence five times (beta=5) and so is not trained on its bound.\n\n"
    )
    models = list(dict.fromkeys(model for of in sets.values() for model in of))
    rows = [
        [
            f"`{model}`",
            *(
                f"{of[model]['bits']:.3f} ({of[model]['train_s']:,.0f} s, {of[model]['threads']})"
                if model in of
                else ""
                for of in sets.values()
            ),
        ]
        for model in models
    ]
    return text + table(["", *sets], rows)
