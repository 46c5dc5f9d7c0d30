"""The section of RESULTS.md on simulated prices."""

from __future__ import annotations

from typing import Any

from markdown import head, table

__all__ = ["finance"]


def finance(result: dict[str, Any]) -> str:
    text = head("Simulated prices", result["machine"], "finance")
    goal = result["goal"]
    text += (
        f"Path-steps a second in memory on {result['threads']} threads; {goal:,} are asked for:\n\n"
    )
    rates = result["path_steps_per_s"]
    text += table(["simulator", "path-steps/s"], [[f"`{k}`", f"{v:,}"] for k, v in rates.items()])
    text += "\nMoments in closed form; z is the distance in standard errors:\n\n"
    text += table(["", "simulated", "closed form", "z"], [_line(one) for one in result["moments"]])
    text += "\nCalls of a year, spot 100, rate 3 %, by simulation and by formula:\n\n"
    text += table(
        ["", "simulated", "standard error", "formula", "QuantLib", "z"],
        [
            [
                one["name"],
                *(f"{one[key]:.4f}" for key in ("value", "error", "expected")),
                "" if one["quantlib"] is None else f"{one['quantlib']:.4f}",
                f"{one['z']:+.2f}",
            ]
            for one in result["options"]
        ],
    )
    text += f"\nShare of 95 % intervals that hold the truth, of {result['fits']} fits to "
    text += f"{result['fit_steps']:,} returns each:\n\n"
    lines = [
        [f"`{name}`", ", ".join(f"{key} {share:.2f}" for key, share in found.items())]
        for name, found in result["coverage"].items()
    ]
    text += table(["simulator", "parameters"], lines)
    return text + _verdicts(result["verdicts"]) + _real(result["real"])


def _verdicts(result: dict[str, Any]) -> str:
    """How often a figure is called clearly worse than real, or more."""
    said = result["said"]
    text = (
        f"\nWhat `evaluate` says of {result['paths']} paths when the real data are one series of "
        f"{result['returns']:,} returns of `garch`: of {result['series']} such series, the share "
        "in which a figure is called clearly worse than real data, or bad (undecided in "
        "brackets):\n\n"
    )
    names = list(next(iter(said.values())))
    lines = [
        [name, *(_share(rows[name], result["series"]) for rows in said.values())] for name in names
    ]
    return text + table(["", *(f"paths of `{name}`" for name in said)], lines)


def _share(counts: dict[str, int], of: int) -> str:
    bad = sum(counts.get(kind, 0) for kind in ("worse", "bad", "floor", "beyond"))
    return f"{bad / of:.2f} ({counts.get('unsure', 0) / of:.2f})"


def _line(one: dict[str, Any]) -> list[str]:
    return [one["name"], f"{one['value']:.6g}", f"{one['expected']:.6g}", f"{one['z']:+.2f}"]


def _real(real: dict[str, Any]) -> str:
    text = f"\n### Fitted to `{real['file']}`, {real['returns']:,} daily log-returns\n\n"
    names = list(real["facts"]["real"])
    lines = [
        [name, *(f"{facts[key]:.3g}" for key in names), _criterion(real, name)]
        for name, facts in real["facts"].items()
    ]
    text += table(["", *names, "AIC"], lines)
    text += "\nModels: of 64 paths as long as the real one. What they cannot make:\n\n"
    for name, fit in real["fits"].items():
        text += f"- `{name}`: {'; '.join(fit['cannot_make'])}.\n"
    for name, fit in real["fits"].items():
        text += "".join(f"- Note on `{name}`: {note}.\n" for note in fit["notes"])
    return text + "\n![AAPL beside fitted models](results/finance_aapl.png)\n"


def _criterion(real: dict[str, Any], name: str) -> str:
    aic = real["fits"].get(name, {}).get("aic")
    return "" if aic is None else f"{aic:,.0f}"
