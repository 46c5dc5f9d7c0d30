"""The sections of RESULTS.md on epidemics, scenes, augmentation and coverage."""

from __future__ import annotations

from statistics import median
from typing import Any

from markdown import head, short, table

__all__ = ["augmentation", "coverage", "health", "scenes"]


def health(result: dict[str, Any]) -> str:
    text = head("Simulated epidemics and patients", result["machine"], "health")
    lists, runs = result["patients"], result["epidemics"]
    text += (
        f"A line list of {lists['patients']:,} patients by the command line, start included: "
        f"{lists['seconds']:.1f} s on {result['threads']} threads, {lists['peak_mb']:,.0f} MB "
        f"(a million is to take at most {lists['goal_seconds_of_a_million']} s). Epidemics at the "
        f"defaults, in memory: {runs['runs_per_s']:,} runs a second.\n\n"
        "One infected person among 4,000, event by event; outbreaks are those above 15 %:\n\n"
    )
    lines = [
        [
            name,
            f"{one['final_size']:.3f}",
            f"{one['final_size_theory']:.3f}",
            f"{one['died_out']:.3f} ± {one['standard_error']:.3f}",
            f"{one['died_out_theory']:.3f}",
        ]
        for name, one in result["theory"].items()
    ]
    text += table(["", "final size", "its equation", "died out", "1 / R0"], lines)
    fits = result["fits"]
    shares = ", ".join(f"`{name}` {share:.2f}" for name, share in fits["inside_95"].items())
    text += (
        f"\nShare of 95 % intervals that hold the truth, of {fits['fits']} fits to simulated "
        f"counts of cases ({fits['seconds_per_fit']:.2f} s each): {shares}.\n"
        "\n![Epidemics and what is reported of them](results/epidemics.png)\n"
    )
    return text


def scenes(result: dict[str, Any]) -> str:
    text = head("Simulated traffic scenes", result["machine"], "scenes")
    labels, rate = result["labels"], result["rate"]
    text += (
        f"Labels counted again from masks: {labels['scenes']:,} scenes, {labels['objects']:,} "
        f"objects, {labels['wrong']} wrong. Scenes a second at 128 x 128 on 2 cores: the command "
        f"with all its files {median(rate['verb']):.1f} ({rate['goal']} are asked for; median of "
        f"{', '.join(f'{one:.1f}' for one in rate['verb'])}; {rate['scenes']:,} scenes, without "
        "the program's start, with that of its processes); drawing alone on one core "
        f"{rate['drawing_on_a_core']:.1f}, writing alone {rate['writing']:.1f}.\n\n"
    )
    use = result["use"]
    text += (
        f"A small network told classes of crops after {use['updates']} updates on {use['crops']:,} "
        f"crops; accuracy with its 95 % interval over {use['trainings']} trainings:\n\n"
    )
    tests = list(use["gain"])
    arms = [name for name in ("clear days alone", "with fog and night") if name in use]
    lines = [[name, *(_interval(use[name][test]) for test in tests)] for name in arms]
    lines.append(["gain", *(_interval(use["gain"][test], sign="+") for test in tests)])
    text += table(["trained on", *(f"tested on {test}" for test in tests)], lines)
    return text + "\n![Traffic in weather](results/road.png)\n"


def augmentation(result: dict[str, Any]) -> str:
    text = head("Augmented rows", result["machine"], "augment")
    for name, recipes in result["tables"].items():
        for recipe, entry in recipes.items():
            text += f"### {name}, `recipe={recipe}`, {entry['repeats']} splits\n\n"
            text += f"{' '.join(entry['answer'])}\n\n"
            lines = [[*map(short, line)] for line in entry["verdicts"]["lines"]]
            text += table(entry["verdicts"]["headers"], lines) + "\n"
    return text


def coverage(result: dict[str, Any]) -> str:
    text = head("Coverage of combinations", result["machine"], "coverage")
    costs = ", ".join(
        f"{ways}-way {one['wall_s']:.1f} s and {one['peak_mb']:,.0f} MB"
        for ways, one in result["cost"].items()
    )
    text += (
        f"The whole command on {result['rows']:,} rows of {result['factors']} factors: {costs}.\n\n"
        "Of the combinations of values that Adult's held-out rows have, the share that as many "
        "rows of another kind lack, and of theirs the share that the held-out rows lack:\n\n"
    )
    lines = [
        [name, *(f"{ways[k][key]:.1%}" for k in ("2", "3") for key in ("lacks", "invents"))]
        for name, ways in result["adult"].items()
    ]
    heads = ["", "2-way: lacks", "has beyond", "3-way: lacks", "has beyond"]
    return text + table(heads, lines)


def _interval(one: dict[str, float], *, sign: str = "") -> str:
    return f"{one['mean']:{sign}.3f} ({one['low']:{sign}.3f} to {one['high']:{sign}.3f})"
