"""The bias audit of a synthetic table: which sections, in which order, and what was not tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from genmodels.metrics.groups.outcomes import Outcome, find_outcome
from genmodels.metrics.learning.learners import LearnerName
from genmodels.report.bias.cohorts import MOST, Cohort, cohorts, crossings
from genmodels.report.bias.inside import inside
from genmodels.report.bias.labels import labels
from genmodels.report.bias.models import learn
from genmodels.report.bias.proxies import proxies
from genmodels.report.bias.shares import compared, representation
from genmodels.report.bias.treatment import treatment
from genmodels.report.rows import Cell, Report, Row, Section
from genmodels.report.tables.parts import Parts
from genmodels.schema import TableSchema

__all__ = ["GATES", "BiasAudit", "gate_values"]

GATES = {
    "equalised_odds_difference": "of the model trained on synthetic rows",
    "equalised_odds_excess": "the same less that of the model trained on real rows",
    "equal_opportunity_difference": "of the model trained on synthetic rows",
    "demographic_parity_difference": "of the model trained on synthetic rows",
    "representation": "|share synthetic / share held-out - 1|",
    "amplification": "|gap synthetic / gap held-out - 1|",
    "copies": "share of copies of training rows in a group less that of held-out rows",
}
"""Figures that may fail an audit, the largest over all compared groups; 0 is best."""
MARKS = {
    "equalised_odds_difference": "equalised odds difference",
    "equalised_odds_excess": "equalised odds difference",
    "equal_opportunity_difference": "equal opportunity difference",
    "demographic_parity_difference": "demographic parity difference",
    "representation": "share of a group",
    "amplification": "amplification of a label gap",
    "copies": "copies in a group",
}


class BiasAudit:
    """Groups of one synthetic table against the same groups of real rows.

    Args:
        minimum: rows that a group needs in training and in held-out data to be compared.
        cases: positives (negatives) that a group needs for its TPR (FPR) to count.
        bins: groups that a number without edges makes, cut at its quantiles.
        crossed: at most so many attributes are crossed.
        learner: what learns to predict the target and the attributes.
        repeats: trainings more that show what the chance of training alone does.
        model_rows: at most so many rows to learn from, and to test on.
        proxy_rows: the same for guessing the attributes.
        group_rows: at most so many rows of a group are compared.
        nearest_rows: synthetic rows whose nearest training rows are looked for.
        proxies: columns that are listed as proxies of each attribute.
    """

    def __init__(
        self,
        *,
        minimum: int,
        cases: int,
        bins: int,
        crossed: int,
        learner: LearnerName,
        repeats: int,
        model_rows: int,
        proxy_rows: int,
        group_rows: int,
        nearest_rows: int,
        proxies: int,
    ) -> None:
        for name, least in (("minimum", minimum), ("cases", cases), ("crossed", crossed)):
            if least < 1:
                raise ValueError(f"{name}={least} must be at least 1")
        if bins < 2:
            raise ValueError(f"bins={bins} must be at least 2")
        self.minimum, self.cases, self.bins, self.crossed = minimum, cases, bins, crossed
        self.learner, self.repeats = learner, repeats
        self.model_rows, self.proxy_rows = model_rows, proxy_rows
        self.group_rows, self.nearest_rows, self.proxies = group_rows, nearest_rows, proxies

    def __call__(
        self,
        train: pa.Table,
        holdout: pa.Table,
        synthetic: pa.Table,
        schema: TableSchema,
        *,
        sensitive: Sequence[str],
        edges: Mapping[str, Sequence[float]],
        target: str | None,
        positive: str | None,
        blind: bool,
        seed: int,
        progress: Callable[[str], None],
    ) -> Report:
        """Audit.

        Args:
            train, holdout, synthetic: the three tables.
            schema: what the columns mean.
            sensitive: names of the attributes; empty: those with the role "sensitive".
            edges: of numeric attributes.
            target: what models predict; None: the schema's.
            positive: the level that counts as yes.
            blind: whether models do not see the sensitive columns.
            seed: of every random choice.
            progress: told in a few words what is being computed.

        Raises:
            ValueError: for names that are not there, a target with a single value, or groups that
                are all too small.
        """
        progress("reading rows")
        parts = Parts.prepare(train, holdout, synthetic, schema, rows=self.model_rows, seed=seed)
        named = list(dict.fromkeys(sensitive)) or _declared(schema)
        outcome, remarks = _outcome(parts, target, positive, named)
        groups = cohorts(
            parts, named, edges=edges, bins=self.bins, crossed=self.crossed, minimum=self.minimum
        )
        unseen = named if blind else []
        sections = []
        for name, make in self._sections(parts, groups, outcome, unseen, remarks):
            progress(name)
            sections.append(make())
        kept = [s for s in sections if s is not None]
        kept.append(_untested(kept, parts, groups, named, outcome, unseen, self.minimum))
        facts: dict[str, Cell] = {
            "sensitive": ", ".join(named),
            "target": "-" if outcome is None else outcome.label,
            "training rows": train.num_rows,
            "held-out rows": holdout.num_rows,
            "synthetic rows": synthetic.num_rows,
            "smallest group compared": self.minimum,
            "groups compared": compared(groups),
            "seed": seed,
        }
        return Report("Bias audit of a synthetic table", facts, tuple(kept), tuple(remarks))

    def _sections(
        self,
        parts: Parts,
        groups: list[Cohort],
        outcome: Outcome | None,
        blind: list[str],
        remarks: list[str],
    ) -> list[tuple[str, Callable[[], Section | None]]]:
        several = crossings(groups)
        out: list[tuple[str, Callable[[], Section | None]]] = [
            ("shares of groups", lambda: representation(parts, groups))
        ]
        if outcome is not None:
            known = outcome
            out.append(("labels", lambda: labels(parts, several, known)))
            out.append(("models", lambda: self._treatment(parts, several, known, blind, remarks)))
        sizes = {"rows": self.group_rows, "nearest": self.nearest_rows, "minimum": self.minimum}
        out.append(("inside groups", lambda: inside(parts, groups, **sizes)))
        out.append(
            (
                "proxies",
                lambda: proxies(
                    parts,
                    several,
                    target=None if outcome is None else outcome.target,
                    rows=self.proxy_rows,
                    learner=self.learner,
                    listed=self.proxies,
                ),
            )
        )
        return out

    def _treatment(
        self,
        parts: Parts,
        groups: list[Cohort],
        outcome: Outcome,
        blind: list[str],
        remarks: list[str],
    ) -> Section | None:
        models = learn(
            parts,
            outcome,
            rows=self.model_rows,
            learner=self.learner,
            repeats=self.repeats,
            blind=blind,
        )
        if models is None:
            remarks.append(
                f"Decisions of models were not compared: {outcome.target!r} is missing in all "
                "synthetic, or all held-out rows."
            )
            return None
        return treatment(parts, models, groups, cases=self.cases)


def gate_values(report: Report) -> dict[str, tuple[float, Row]]:
    """The largest badness of each figure of `GATES` in a report, with its row.

    Figures that the report does not have are left out.
    """
    out: dict[str, tuple[float, Row]] = {}
    for gate, mark in MARKS.items():
        for row in report.rows:
            if row.metric.startswith(mark) and row.axis == "bias":
                bad = _badness(gate, row)
                if gate not in out or bad > out[gate][0]:
                    out[gate] = bad, row
    return out


def _badness(gate: str, row: Row) -> float:
    if gate in ("representation", "amplification"):
        return abs(row.value - 1.0)
    if gate in ("equalised_odds_excess", "copies"):
        return max(0.0, row.value - (row.ceiling or 0.0))
    return row.value


def _declared(schema: TableSchema) -> list[str]:
    found = [c.name for c in schema.columns if c.role == "sensitive"]
    if not found:
        raise ValueError(
            "no sensitive column is known; name them with sensitive=[sex,race], or give columns "
            f"`role: sensitive` in the schema. The columns are {', '.join(schema.names[:30])}"
        )
    return found


def _outcome(
    parts: Parts, target: str | None, positive: str | None, sensitive: list[str]
) -> tuple[Outcome | None, list[str]]:
    declared = parts.schema.target
    chosen = target or (declared.name if declared is not None else None)
    if chosen is None:
        return None, [
            "Labels and decisions were not compared: no target is known. Name the column to "
            "predict with target=<column>, or give it `role: target` in the schema."
        ]
    if chosen in sensitive:
        raise ValueError(f"{chosen!r} cannot be both target and sensitive; choose another target")
    return find_outcome(parts.train, chosen, positive), []


def _untested(
    sections: Sequence[Section],
    parts: Parts,
    groups: Sequence[Cohort],
    named: Sequence[str],
    outcome: Outcome | None,
    blind: Sequence[str],
    minimum: int,
) -> Section:
    """What a reader must not conclude."""
    intervals = sum(1 for s in sections for r in s.rows if r.interval is not None)
    intervals += sum(_interval_cells(s) for s in sections)
    small = sum(len(g.small) for g in groups)
    surplus = sum(len(g.surplus) for g in groups)
    others = [n for n in parts.train.names if n not in named]
    target = "no target" if outcome is None else f"{outcome.label!r}"
    seen = "did not see" if blind else "saw"
    lines = [
        f"{small} groups with fewer than {minimum} training or held-out rows are not compared: "
        "nothing is known about them, and small groups tend to fare worst.",
        *_surplus(surplus),
        f"Only {', '.join(map(repr, named))} were looked at; none of the other {len(others)} "
        "columns, and no attribute that is not in the data.",
        f"Only {target} was looked at, with one kind of model and one threshold; the models {seen} "
        "the sensitive columns.",
        "Differences are associations. Whether an attribute causes a decision, and whether a "
        "difference is just, no figure here can say.",
        f"About {intervals} intervals are shown. Of intervals that hold at 95 % one by one (those "
        f"in the particulars) about {round(0.05 * intervals)} miss by chance alone even in perfect "
        "data; the figures whose note says so hold for all groups of the section at once.",
        "The real data may be biased themselves: the held-out figure is what the synthetic rows "
        "are compared with, not what would be fair.",
    ]
    return Section("What was not tested", " ".join(lines))


def _surplus(count: int) -> list[str]:
    """A sentence on groups that are too many, where there are any."""
    if not count:
        return []
    return [
        f"{count} more groups are large enough but not compared: only the {MOST} largest of each "
        "attribute or crossing are. Coarser groups (edges=) or fewer crossings (crossed=1) bring "
        "them in."
    ]


def _interval_cells(section: Section) -> int:
    """Intervals among the particulars: a text "a to b", or a pair of cells from and to."""
    count = 0
    for detail in section.details:
        texts = [h == "95 % interval" for h in detail.headers]
        pairs = list(detail.headers).count("to")
        for line in detail.lines:
            shown = sum(1 for t, c in zip(texts, line, strict=True) if t and c != "-")
            count += shown + pairs
    return count
