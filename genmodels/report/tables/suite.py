"""The report on a synthetic table: which sections, in which order, at which sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pyarrow as pa

from genmodels.report.rows import Cell, Report, Section
from genmodels.report.tables.bias import bias, sensitive_of
from genmodels.report.tables.categories import categories
from genmodels.report.tables.combinations import combinations
from genmodels.report.tables.coverage import neighbourhoods
from genmodels.report.tables.detection import detection
from genmodels.report.tables.fidelity import pairs, shapes
from genmodels.report.tables.memorisation import memorisation
from genmodels.report.tables.overview import overview
from genmodels.report.tables.parts import Parts
from genmodels.report.tables.tails import extremes
from genmodels.report.tables.utility import utility
from genmodels.report.tables.validity import rules, validity
from genmodels.report.tables.values import dates, missing, rounding
from genmodels.schema import TableSchema

__all__ = ["TableSuite"]


class TableSuite:
    """Fidelity, coverage, utility and memorisation of a table; see `rows.Suite`.

    Args:
        rows: at most this many rows behind a figure on shapes and pairs.
        detection_rows: rows a side of the two-sample test.
        folds: of the two-sample test.
        utility_rows: rows to learn from, and rows to test on.
        utility_slow_rows: rows that a forest learns from.
        utility_runs: draws of the rows to learn from, at least 2 for an honest interval.
        nearest_rows: training rows searched for all probes; where there are more, fewer probes.
        nearest_probes: synthetic rows whose neighbours are looked for.
        coverage_rows: rows of each data set whose neighbourhoods are compared.
        coverage_neighbours: other rows that make a neighbourhood, ascending; the middle one of
            these numbers is the headline.
        combination_rows: rows of each data set whose combinations of values are counted.
        combination_sets: at most so many pairs and triples of columns are looked at.
        group_rows: training and held-out rows that a group of people needs to be compared.
        group_cases: positives (negatives) that a group needs for its rates to count.
        pictures: at most this many columns are drawn, the worst ones.
        worst_pairs: pairs of columns, and rules, that are listed.
    """

    def __init__(
        self,
        *,
        rows: int,
        detection_rows: int,
        folds: int,
        utility_rows: int,
        utility_slow_rows: int,
        utility_runs: int,
        nearest_rows: int,
        nearest_probes: int,
        coverage_rows: int,
        coverage_neighbours: Sequence[int],
        combination_rows: int,
        combination_sets: int,
        group_rows: int,
        group_cases: int,
        pictures: int,
        worst_pairs: int,
    ) -> None:
        self.rows, self.detection_rows, self.folds = rows, detection_rows, folds
        self.utility_rows, self.utility_slow_rows = utility_rows, utility_slow_rows
        self.utility_runs = utility_runs
        self.nearest_rows, self.nearest_probes = nearest_rows, nearest_probes
        self.coverage_rows, self.coverage_neighbours = coverage_rows, tuple(coverage_neighbours)
        self.combination_rows, self.combination_sets = combination_rows, combination_sets
        self.group_rows, self.group_cases = group_rows, group_cases
        self.pictures, self.worst_pairs = pictures, worst_pairs

    def __call__(
        self,
        train: pa.Table,
        holdout: pa.Table,
        synthetic: pa.Table,
        schema: TableSchema,
        *,
        target: str | None,
        seed: int,
        progress: Callable[[str], None],
    ) -> Report:
        progress("reading rows")
        parts = Parts.prepare(train, holdout, synthetic, schema, rows=self.rows, seed=seed)
        remarks = _remarks(parts)
        sections: list[Section | None] = []
        for name, make in self._sections(parts, target, remarks):
            progress(name)
            sections.append(make())
        facts: dict[str, Cell] = {
            "training rows": train.num_rows,
            "held-out rows": holdout.num_rows,
            "synthetic rows": synthetic.num_rows,
            "columns compared": len(parts.train.names),
            "rows behind a figure": parts.n,
            "seed": seed,
        }
        kept = tuple(s for s in sections if s is not None)
        return Report("Synthetic table", facts, kept, tuple(remarks))

    def _sections(
        self, parts: Parts, target: str | None, remarks: list[str]
    ) -> list[tuple[str, Callable[[], Section | None]]]:
        """What to compute; `remarks` is told what cannot be and why."""
        out: list[tuple[str, Callable[[], Section | None]]] = []
        columns = len(parts.train.names)
        if columns > 1:
            out.append(("overview", lambda: overview(parts)))
        if columns:
            out.append(("shapes", lambda: shapes(parts, rows=self.rows, pictures=self.pictures)))
        if columns > 1:
            out.append(("pairs", lambda: pairs(parts, rows=self.rows, worst=self.worst_pairs)))
        if columns:
            out.append(("missing values", lambda: missing(parts, worst=self.worst_pairs)))
            out.append(("dates", lambda: dates(parts)))
            out.append(("rounding", lambda: rounding(parts)))
            size, folds = self.detection_rows, self.folds
            out.append(
                (
                    "two-sample test",
                    lambda: detection(parts, rows=size, folds=folds, remarks=remarks),
                )
            )
            out += self._coverage(parts, remarks)
        chosen = _target(parts, target, remarks)
        if chosen is not None:
            learn = partial(
                utility,
                parts,
                target=chosen,
                asked=target is not None,
                rows=self.utility_rows,
                slow_rows=self.utility_slow_rows,
                runs=self.utility_runs,
                remarks=remarks,
            )
            out.append(("utility", learn))
        if columns:
            bank, probes = self.nearest_rows, self.nearest_probes
            near = partial(memorisation, parts, bank=bank, probes=probes, remarks=remarks)
            out.append(("memorisation", near))
        out += self._bias(parts, chosen, remarks)
        out.append(("validity", lambda: validity(parts)))
        if columns > 1:
            out.append(("rules", lambda: rules(parts, rows=self.rows, shown=self.worst_pairs)))
        return out

    def _bias(
        self, parts: Parts, target: str | None, remarks: list[str]
    ) -> list[tuple[str, Callable[[], Section | None]]]:
        sensitive = sensitive_of(parts)
        make = partial(
            bias,
            parts,
            sensitive=sensitive,
            target=target,
            minimum=self.group_rows,
            cases=self.group_cases,
            rows=self.utility_rows,
            remarks=remarks,
        )
        return [("bias", make)] if sensitive else []

    def _coverage(
        self, parts: Parts, remarks: list[str]
    ) -> list[tuple[str, Callable[[], Section | None]]]:
        near = partial(
            neighbourhoods,
            parts,
            rows=self.coverage_rows,
            neighbours=self.coverage_neighbours,
            sets=self.combination_sets,
        )
        together = partial(
            combinations, parts, rows=self.combination_rows, sets=self.combination_sets
        )
        return [
            ("neighbourhoods", near),
            ("rare categories", lambda: categories(parts)),
            ("extreme values", lambda: extremes(parts, remarks=remarks)),
            ("combinations of values", together),
        ]


def _target(parts: Parts, asked: str | None, remarks: list[str]) -> str | None:
    """What to predict: what was asked for, else the schema's target, else nothing."""
    declared = parts.schema.target
    chosen = asked or (declared.name if declared is not None else None)
    if chosen is None:
        remarks.append(
            "Utility was skipped: no target is known. Name the column to predict with "
            "target=<column>, or give it `role: target` in the schema."
        )
        return None
    if chosen in parts.schema.names and chosen not in parts.train.names:
        why = f"{chosen!r} is {_apart(parts.schema[chosen].kind)}, so there is nothing to predict"
        if asked is not None:
            raise ValueError(f"target={chosen}: {why}; name another column")
        remarks.append(f"Utility was skipped: {why}.")
        return None
    if len(parts.train.names) < 2:
        remarks.append(f"Utility was skipped: there is no column to predict {chosen!r} from.")
        return None
    return chosen


def _apart(kind: str) -> str:
    return "the same in every training row" if kind == "constant" else "an identifier"


def _remarks(parts: Parts) -> list[str]:
    out = []
    if not parts.train.names:
        out.append("All columns are identifiers or constants: only their validity was checked.")
    extra = [c for c in parts.raw[2].column_names if c not in parts.schema.names]
    if extra:
        out.append(f"Synthetic columns that the real data lack: {', '.join(map(repr, extra))}.")
    if parts.n < 200:
        out.append(
            f"Only {parts.n} rows stand behind each figure: differences of less than about "
            f"{1.4 / parts.n**0.5:.2g} are noise."
        )
    return out
