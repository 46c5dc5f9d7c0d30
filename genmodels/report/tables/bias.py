"""The short section on bias in a report on a synthetic table; the whole audit is in `audit.py`."""

from __future__ import annotations

from collections.abc import Sequence

from genmodels.metrics.groups.outcomes import Outcome, find_outcome
from genmodels.report.bias.cohorts import Cohort, cohorts
from genmodels.report.bias.labels import amplification_row, label_means
from genmodels.report.bias.models import learn, parity_row
from genmodels.report.bias.shares import compared, representation_rows
from genmodels.report.rows import Row, Section
from genmodels.report.tables.parts import Parts

__all__ = ["bias", "sensitive_of"]

REPEATS = 4
FIRST_MODELS = ("real", "synthetic", "copies")


def sensitive_of(parts: Parts) -> list[str]:
    """The columns that the schema calls sensitive."""
    return [c.name for c in parts.schema.columns if c.role == "sensitive"]


def bias(
    parts: Parts,
    *,
    sensitive: Sequence[str],
    target: str | None,
    minimum: int,
    cases: int,
    rows: int,
    remarks: list[str],
) -> Section | None:
    """Shares of groups, amplification of label gaps, equalised odds of a model trained on each.

    Args:
        parts: the data.
        sensitive: column names.
        target: what is predicted, or None.
        minimum: training and held-out rows that a group needs.
        cases: positives (negatives) that a group needs for its TPR (FPR) to count.
        rows: at most so many to learn from, and to test on.
        remarks: told of what was left out and how to get it.

    Returns:
        None when no two groups are large enough, or a column has none; a remark says so.
    """
    options = {"edges": {}, "bins": 4, "crossed": 1, "minimum": minimum}
    try:
        groups = cohorts(parts, sensitive, **options)  # type: ignore[arg-type]
    except ValueError as error:
        remarks.append(f"Bias between groups was not tested: {error}.")
        return None
    at_once = compared(groups)
    found: list[Row] = [representation_rows(parts, c, at_once)[0] for c in groups if len(c)]
    remarks += [_surplus(c) for c in groups if len(c.surplus)]
    groups = [c for c in groups if len(c) > 1]
    outcome = _outcome(parts, target, sensitive, remarks)
    if outcome is not None:
        for cohort in groups:
            means = label_means(parts, cohort, outcome)
            row = amplification_row(parts, cohort, outcome, means, len(groups))
            found += [] if row is None else [row]
    if outcome is not None and outcome.share:
        models = learn(
            parts, outcome, rows=rows, learner="boosting", repeats=REPEATS, names=FIRST_MODELS
        )
        for cohort in groups if models is not None else []:
            assert models is not None
            row = parity_row(
                parts, models, cohort, "equalised_odds_difference", cases=cases, headline=True
            )
            found += [] if row is None else [row]
    names = ",".join(sensitive)
    text = (
        f"Do the groups of {', '.join(map(repr, sensitive))} fare as in real data? How often they "
        "occur (1 = as often), how much of a real gap in the outcome between two groups shows "
        "(1 = all of it, 2 = twice as much), and whether a model trained on synthetic rows errs "
        "more for one group of real people than for another (0 = alike). Crossings of attributes, "
        "intervals for each group, proxies and copies inside groups: "
        f"genmodels audit bias sensitive=[{names}]"
    )
    return Section("Bias between groups", text, tuple(found))


def _surplus(cohort: Cohort) -> str:
    return (
        f"Bias was tested for the {len(cohort)} largest groups of {cohort.name!r}; "
        f"{len(cohort.surplus)} more are large enough but were left out. Coarser groups bring "
        "them in."
    )


def _outcome(
    parts: Parts, target: str | None, sensitive: Sequence[str], remarks: list[str]
) -> Outcome | None:
    if target is None or target in sensitive:
        return None
    try:
        return find_outcome(parts.train, target, None)
    except ValueError as error:
        remarks.append(f"Bias in outcomes was not tested: {error} (genmodels audit bias).")
        return None
