"""The files of a coverage study: coverage.json, missing.csv, scenario.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import yaml

from genmodels.files import read_json, write_json, write_text
from genmodels.metrics.coverage.counts import Coverage
from genmodels.metrics.coverage.differences import Difference
from genmodels.report.coverage.found import Beside, Found, Gap, impossible, named
from genmodels.report.page.texts import flat
from genmodels.report.rows import rounded
from genmodels.spreadsheets import guarded

__all__ = ["COVERAGE", "SCENARIO", "read_wanted", "write_files"]

FORMAT = 1
MOST_ROWS = 1_000_000
"""That a coverage may ask for, as each is told in memory and in the manifest."""
COVERAGE, MISSING, SCENARIO = "coverage.json", "missing.csv", "scenario.yaml"


def write_files(found: Found, folder: Path, *, most: int, listed: int) -> list[Path]:
    """Write the files; each appears whole or not at all.

    Args:
        found: by the study.
        folder: that they go to.
        most: combinations that a scenario asks for, and coverage.json names.
        listed: lines of missing.csv.

    Returns:
        Their paths.
    """
    gaps = {ways: found.gaps(ways, listed) for ways in found.coverages}
    wanted = gaps[max(gaps)][:most]
    paths = [folder / name for name in (COVERAGE, MISSING, SCENARIO)]
    write_json(paths[0], _json(found, wanted, most))
    write_text(paths[1], _csv(gaps))
    write_text(paths[2], _scenario(found, wanted))
    return paths


def read_wanted(path: Path) -> tuple[list[tuple[dict[str, Any], int]], list[dict[str, Any]]]:
    """What a simulator shall make of a coverage.json, or of the folder it is in.

    Returns:
        Combinations {factor: value} and how many rows each needs; and what cannot be together.

    Raises:
        ValueError: when it is not one.
        FileNotFoundError: when there is none.
    """
    place = path / COVERAGE if path.is_dir() else path
    told = read_json(place)
    try:
        if told["format"] != FORMAT:
            raise ValueError(f"{place} is of format {told['format']}, this version reads {FORMAT}")
        wanted = [(_values(one["values"]), _needs(one["needs"])) for one in told["combinations"]]
        impossible = [_values(one) for one in told["impossible"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{place} is not what `genmodels coverage` writes") from error
    if (rows := sum(needs for _, needs in wanted)) > MOST_ROWS:
        raise ValueError(f"{place} asks for {rows:,} rows, at most {MOST_ROWS:,} can be told apart")
    return wanted, impossible


def _values(told: Any) -> dict[str, Any]:
    """Values by factor, as a stranger may have written them."""
    if not told or not all(isinstance(v, str | int | float | None) for v in told.values()):
        raise TypeError
    return dict(told)


def _needs(told: Any) -> int:
    if type(told) is not int or told < 1:
        raise TypeError
    return told


def _json(found: Found, wanted: Sequence[Gap], most: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "data": found.name,
        "rows": found.rows,
        "least": found.least,
        "factors": [
            {
                "name": factor.name,
                "kind": factor.column.kind,
                "levels": [
                    {"level": level, "rows": int(rows)}
                    for level, rows in zip(factor.levels, counts, strict=False)
                ],
                "not_counted": int(counts[-1]),
            }
            for factor, counts in zip(found.factors, found.levels, strict=True)
        ],
        "left_out": found.left_out,
        "exclude": list(found.exclude),
        "coverage": {str(ways): _figures(found, of) for ways, of in found.coverages.items()},
        "sets": [one for of in found.coverages.values() for one in _sets(found, of)],
        "combinations": [_combination(gap) for gap in wanted],
        "combinations_left_out": len(found.top.below(found.least)) - len(wanted),
        "impossible": impossible(found.factors, found.barred, most),
        "reference": None if found.beside is None else _beside(found, found.beside),
    }


def _figures(found: Found, of: Coverage) -> dict[str, Any]:
    return {
        "sets": len(of.seen.sets),
        "possible": of.total,
        "covered": int((of.seen.counts > 0).sum()),
        "coverage": rounded(of.share),
        "complete_sets": rounded(float((of.shares() == 1.0).mean())),
        "thin": len(of.below(found.least)) - len(of.below(1)),
        "missing": len(of.below(1)),
        "not_by_chance": int(of.conspicuous(found.level).sum()),
    }


def _sets(found: Found, of: Coverage) -> list[dict[str, Any]]:
    possible, covered = of.by_set(of.possible), of.by_set(of.seen.counts > 0)
    thin = of.by_set(of.possible & (of.seen.counts < found.least) & (of.seen.counts > 0))
    seen = of.by_set(of.conspicuous(found.level))
    return [
        {
            "factors": [found.factors[f].name for f in of.seen.sets[s].tolist()],
            "possible": int(possible[s]),
            "covered": int(covered[s]),
            "coverage": rounded(float(share)),
            "thin": int(thin[s]),
            "missing": int(possible[s] - covered[s]),
            "not_by_chance": int(seen[s]),
        }
        for s, share in enumerate(of.shares())
    ]


def _combination(gap: Gap) -> dict[str, Any]:
    return {
        "given": gap.given,
        "values": gap.values,
        "rows": gap.rows,
        "expected": rounded(gap.expected),
        "chance": rounded(gap.chance),
        "why": gap.why,
        "needs": gap.needs,
    }


def _beside(found: Found, beside: Beside) -> dict[str, Any]:
    return {
        "data": beside.name,
        "rows": beside.rows,
        "coverage": {str(w): rounded(of.share) for w, of in beside.coverages.items()},
        "lacking": {str(w): _difference(found, w, d) for w, d in beside.lacking.items()},
        "beyond": {str(w): _difference(found, w, d) for w, d in beside.beyond.items()},
        "rare_levels": [vars(one) for one in beside.rare],
        "rare_recall": rounded(float(np.mean([r.rows > 0 for r in beside.rare] or [True]))),
        "tails": [
            vars(tail) | {k: rounded(vars(tail)[k]) for k in ("threshold", "share", "expected")}
            for tail in beside.tails
        ],
        "joint_tail": {"data": rounded(beside.joint[0]), "reference": rounded(beside.joint[1])},
    }


def _difference(found: Found, ways: int, of: Difference, most: int = 100) -> dict[str, Any]:
    cells = found.coverages[ways]
    return {
        "target": of.target,
        "lacking": len(of.lacking),
        "difference": rounded(of.share),
        "by_chance": rounded(of.by_chance),
        "first": [found.words(cells, int(cell)) for cell in of.lacking[:most]],
    }


def _csv(gaps: Mapping[int, Sequence[Gap]]) -> str:
    """One line per combination; a column for each factor and for its level."""
    lines = [(ways, gap) for ways, some in gaps.items() for gap in some]
    columns: dict[str, pa.Array] = {"ways": pa.array([ways for ways, _ in lines], pa.int64())}
    for k in range(max(gaps, default=1)):
        pairs = [(*gap.given.items(), *[("", "")] * k)[k] for _, gap in lines]
        for word, texts in zip(("factor", "level"), zip(*pairs, strict=True), strict=False):
            columns[f"{word}_{k + 1}"] = guarded(pa.array(texts, pa.string()))
    columns |= {
        "rows": pa.array([gap.rows for _, gap in lines], pa.int64()),
        "expected": pa.array([rounded(gap.expected) for _, gap in lines], pa.float64()),
        "needs": pa.array([gap.needs for _, gap in lines], pa.int64()),
        "why": pa.array([gap.why for _, gap in lines], pa.string()),
    }
    out = pa.BufferOutputStream()
    pa_csv.write_csv(pa.table(columns), out, pa_csv.WriteOptions(quoting_style="needed"))
    return out.getvalue().to_pybytes().decode("utf-8")


def _scenario(found: Found, wanted: Sequence[Gap]) -> str:
    """Strata with so many rows each, as `genmodels sample scenario=<file>` reads them."""
    rows = sum(gap.needs for gap in wanted)
    head = [
        f"# {flat(found.name)}: combinations with fewer than {found.least} rows and what they lack",
        f"# genmodels sample run=<run> scenario=<this file> draws these {rows:,} rows.",
    ]
    strata = {named(gap.given): {"rows": gap.needs, "given": gap.given} for gap in wanted}
    body = yaml.safe_dump(strata, sort_keys=False, allow_unicode=True, width=1000) if strata else ""
    return "\n".join([*head, body])
