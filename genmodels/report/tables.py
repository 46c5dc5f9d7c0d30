"""The report on a synthetic table: which sections, in which order, at which sizes."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from genmodels.report.parts import Parts
from genmodels.report.rows import Cell, Report, Section
from genmodels.report.table_coverage import coverage
from genmodels.report.table_fidelity import detection, missing, pairs, shapes
from genmodels.report.table_memorisation import memorisation
from genmodels.report.table_utility import utility
from genmodels.report.table_validity import validity
from genmodels.schema import TableSchema

__all__ = ["TableSuite"]


class TableSuite:
    """Fidelity, coverage, utility and memorisation of a table; see `rows.Suite`.

    Args:
        rows: at most this many rows behind a figure on shapes and pairs.
        detection_rows: rows a side of the two-sample test.
        folds: of the two-sample test.
        utility_rows: rows to learn from, and to test on.
        nearest_rows: training and held-out rows searched for neighbours.
        pictures: at most this many columns are drawn, the worst ones.
        worst_pairs: pairs of columns that are listed.
    """

    def __init__(
        self,
        *,
        rows: int,
        detection_rows: int,
        folds: int,
        utility_rows: int,
        nearest_rows: int,
        pictures: int,
        worst_pairs: int,
    ) -> None:
        self.rows, self.detection_rows, self.folds = rows, detection_rows, folds
        self.utility_rows, self.nearest_rows = utility_rows, nearest_rows
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
        if columns:
            out.append(("shapes", lambda: shapes(parts, rows=self.rows, pictures=self.pictures)))
        if columns > 1:
            out.append(("pairs", lambda: pairs(parts, rows=self.rows, worst=self.worst_pairs)))
        if columns:
            out.append(("missing values", lambda: missing(parts)))
            size, folds = self.detection_rows, self.folds
            out.append(("two-sample test", lambda: detection(parts, rows=size, folds=folds)))
            out.append(("coverage", lambda: coverage(parts)))
        chosen = _target(parts, target, remarks)
        if chosen is not None:
            test = chosen
            out.append(("utility", lambda: utility(parts, target=test, rows=self.utility_rows)))
        if columns:
            out.append(("copies", lambda: memorisation(parts, nearest=self.nearest_rows)))
        out.append(("validity", lambda: validity(parts)))
        return out


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
    if len(parts.train.names) < 2:
        remarks.append(f"Utility was skipped: there is no column to predict {chosen!r} from.")
        return None
    return chosen


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
