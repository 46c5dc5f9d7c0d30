"""Tables and phrases of RESULTS.md."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean, stdev
from typing import Any

__all__ = ["around", "beside_scorer", "head", "machines", "on", "short", "table"]


def table(header: list[str], rows: list[list[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def on(machine: dict[str, Any] | list[dict[str, Any]]) -> str:
    """Where and when something was measured: on one machine, or on each of several."""
    dates: dict[str, list[str]] = {}
    for one in machine if isinstance(machine, list) else [machine]:
        place = one["gpu"] or f"{one['cpu']}, {one['cores']} cores"
        dates.setdefault(f"{place}, torch {one['torch']}", []).append(one["date"])
    spans = (
        (min(days), max(days), place)
        for place, days in sorted(dates.items(), key=lambda item: min(item[1]))
    )
    return "Measured " + "; ".join(
        f"{first}{f' to {last}' if last != first else ''} on {place}"
        for first, last, place in spans
    ) + "."  # fmt: skip


def machines(result: dict[str, Any], entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The machines of entries; one that names none is from the machine of the whole result."""
    found = [entry.get("machine", result["machine"]) for entry in entries]
    return found or [result["machine"]]


def head(
    title: str,
    machine: dict[str, Any] | list[dict[str, Any]],
    script: str,
    *,
    scorer: bool = False,
) -> str:
    """Title of a section, where it was measured, and the command that repeats it."""
    needs = "GENMODELS_DATA=... " + ("GENMODELS_YARDSTICK=... " if scorer else "")
    return f"## {title}\n\n{on(machine)}\n`{needs}python scripts/benchmarks/{script}.py`\n\n"


def short(cell: Any) -> str:
    """A cell of a report's table: figures with their sign and four digits."""
    return f"{cell:+.4f}" if isinstance(cell, float) else "" if cell is None else str(cell)


def around(found: list[float], digits: int) -> str:
    """The mean, with the standard deviation when there are several."""
    spread = f" ± {stdev(found):,.{digits}f}" if len(found) > 1 else ""
    return f"{fmean(found):,.{digits}f}{spread}"


def beside_scorer(
    cases: dict[str, tuple[list[dict[str, Any]], dict[str, Any] | None]],
    names: dict[str, tuple[str, float]],
) -> str:
    """Figures of reports beside those of a scorer, and whether the interval holds them.

    Args:
        cases: by name, the figures of a report and what the scorer said.
        names: by key of the scorer, how the same figure of a report begins, and its unit.
    """
    rows = []
    for name, (figures, scores) in cases.items():
        for key, value in (scores or {}).items():
            start, unit = names.get(key, ("\0", 1))
            row = next((r for r in figures if r["metric"].startswith(start)), None)
            if row is not None and row["interval"] is not None:
                low, high = (x * unit for x in row["interval"])
                # The scorer rounds to the digits that it prints.
                slack = 0.5 * 10.0 ** -len(f"{value}".partition(".")[2])
                inside = "yes" if low - slack <= value <= high + slack else "no"
                shown = [f"{row['value'] * unit:.4g}", f"{low:.4g} to {high:.4g}", value]
                rows.append([name, row["metric"], *shown, inside])
    return table(["case", "figure", "report", "95 % interval", "scorer", "inside"], rows)
