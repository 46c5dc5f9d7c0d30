"""Tables and phrases of RESULTS.md."""

from __future__ import annotations

from statistics import fmean, stdev
from typing import Any

__all__ = ["around", "head", "on", "table"]


def table(header: list[str], rows: list[list[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def on(machine: dict[str, Any]) -> str:
    place = machine["gpu"] or f"{machine['cpu']}, {machine['cores']} cores"
    return f"Measured {machine['date']} on {place}, torch {machine['torch']}."


def head(title: str, machine: dict[str, Any], script: str, *, scorer: bool = False) -> str:
    """Title of a section, where it was measured, and the command that repeats it."""
    needs = "GENMODELS_DATA=... " + ("GENMODELS_YARDSTICK=... " if scorer else "")
    return f"## {title}\n\n{on(machine)}\n`{needs}python scripts/benchmarks/{script}.py`\n\n"


def around(found: list[float], digits: int) -> str:
    """The mean, with the standard deviation when there are several."""
    spread = f" ± {stdev(found):,.{digits}f}" if len(found) > 1 else ""
    return f"{fmean(found):,.{digits}f}{spread}"
