"""Section of a bias audit: each group's own figures under each model, and the parity of groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genmodels.metrics.groups.parity import around, of_model
from genmodels.metrics.groups.representation import group_means, quantile
from genmodels.metrics.intervals import Interval, auc, auc_interval, wilson
from genmodels.report.bias.cohorts import Cohort
from genmodels.report.bias.models import FIGURES, Models, parity_detail, parity_row
from genmodels.report.bias.shares import DRAWN
from genmodels.report.page.pictures import grouped_bars
from genmodels.report.rows import Cell, Detail, Picture, Points, Row, Section
from genmodels.report.tables.parts import Parts

__all__ = ["treatment"]

SHOWN = ("real", "synthetic", "hybrid")


def treatment(parts: Parts, models: Models, cohorts: Sequence[Cohort], *, cases: int) -> Section:
    """How models treat real groups, by what they learnt from.

    Args:
        parts: the data.
        models: their predictions for held-out real rows.
        cohorts: with at least two groups each.
        cases: rates count in groups with at least so many rows behind them.
    """
    if not models.outcome.share:
        return _errors(parts, models, cohorts)
    rows: list[Row] = []
    for cohort in cohorts:
        for figure in FIGURES:
            headline = cohort.single and figure == "equalised_odds_difference"
            row = parity_row(parts, models, cohort, figure, cases=cases, headline=headline)
            rows += [] if row is None else [row]
    details = [parity_detail(parts, models, cohorts, cases=cases)]
    details += [_per_group(models, cohort, cases) for cohort in cohorts]
    pictures = tuple(_picture(models, cohort, cases) for cohort in cohorts if cohort.single)
    text = (
        f"Models learn to predict {models.outcome.label!r} from {models.rows:,} training rows, "
        "from as many synthetic ones, and from both; all are tested on the same "
        f"{len(models.test):,} held-out real rows. The held-out real figure is that of the model "
        "trained on real rows: data alone make groups differ, so the question is whether synthetic "
        "rows add to it. Each model says yes as often as its own training side has the outcome, "
        "measured on a fifth of the rows that it did not learn from. A TPR (FPR) counts in groups "
        f"with at least {cases} positives (negatives). The intervals of the figures "
        f"cover the chance of the test rows and, by {len(models.again)} more trainings on other "
        "draws of training rows, that of training; those of the particulars only the former."
    )
    return Section("Are groups treated alike?", text, tuple(rows), tuple(details), pictures)


def _per_group(models: Models, cohort: Cohort, cases: int) -> Detail:
    """AUC, selection rate, TPR, FPR and calibration of each group and model."""
    groups, joint = cohort.codes(models.test), models.joint(cohort)
    lines: list[tuple[Cell, ...]] = []
    for g, name in enumerate(cohort.names):
        inside = groups == g
        truth = models.truth[inside] > 0.5
        for model in SHOWN:
            counts = of_model(joint, models.names.index(model))[g]
            score = models.scores(model)[inside]
            lines.append((name, model, len(truth), int(truth.sum()), *_own(counts, truth, score,
                                                                           cases)))  # fmt: skip
    headers = (
        "group", "trained on", "rows", "positive", "AUC", "95 % interval", "chosen",
        "95 % interval", "TPR", "95 % interval", "FPR", "95 % interval", "observed - predicted",
        "95 % interval",
    )  # fmt: skip
    return Detail(f"{cohort.name}: each group under each model", headers, tuple(lines))


def _own(counts: np.ndarray, truth: np.ndarray, score: np.ndarray, cases: int) -> list[Cell]:
    """Figures of one group; those with fewer than `cases` rows behind them are left out."""
    (tn, fp), (fn, tp) = counts.tolist()
    out: list[Cell] = [None, "-"]
    if min(tn + fp, fn + tp) >= cases:
        out = [auc(truth, score), _range(auc_interval(truth, score))]
    for hits, n in ((tp + fp, tn + fp + fn + tp), (tp, fn + tp), (fp, tn + fp)):
        out += [hits / n, _range(wilson(hits, n))] if n >= cases else [None, "-"]
    off = truth - score
    sd = float(off.std(ddof=1)) / len(off) ** 0.5 if len(off) > 1 else float("inf")
    return [*out, float(off.mean()), _range(around(float(off.mean()), sd))]


def _picture(models: Models, cohort: Cohort, cases: int) -> Picture:
    joint = models.joint(cohort)
    positives = joint.sum(-1)[:, 1]
    shown = [int(g) for g in np.argsort(-positives, kind="stable") if positives[g] >= cases]
    shown = sorted(shown[:DRAWN])
    series, errors = {}, {}
    for model in SHOWN:
        counts = of_model(joint, models.names.index(model))[shown]
        hits, n = counts[:, 1, 1], counts[:, 1].sum(-1)
        series[f"trained on {model}"] = hits / n
        ends = np.array([wilson(int(x), int(m)) for x, m in zip(hits, n, strict=True)])
        ends = ends.reshape(-1, 2)
        errors[f"trained on {model}"] = np.abs(ends - (hits / n)[:, None]).T
    caption = f"True positive rate on held-out real rows, by {cohort.name}"
    return Picture(caption, grouped_bars([cohort.names[g] for g in shown], series, errors=errors))


def _errors(parts: Parts, models: Models, cohorts: Sequence[Cohort]) -> Section:
    """For a number: the mean error of each group, predicted less observed."""
    rows, details = [], []
    unit = float(np.abs(models.truth).max(initial=0.0)) or 1.0
    unit *= float((models.truth / unit).std()) or 1.0
    for cohort in cohorts:
        groups = cohort.codes(models.test)
        means = {
            name: group_means(
                groups, (models.scores(name) - models.truth) / unit, len(cohort), share=False
            )
            for name in models.names
        }
        spread = {name: _widest(m.mean) for name, m in means.items()}
        rng = np.random.default_rng([parts.seed, 142])
        m = means["synthetic"]
        drawn = [_widest(m.mean + m.se * rng.standard_normal(len(cohort))) for _ in range(500)]
        rows.append(
            parts.row(
                "bias",
                f"difference of group mean errors, {cohort.name}: {models.outcome.target}, "
                "trained on synthetic",
                Points(spread["synthetic"], spread["real"], None, spread.get("copies")),
                "lower",
                n=len(models.test),
                interval=around(spread["synthetic"], float(np.std(drawn)), 0.0),
                note="In standard deviations of the target: how much more one group is "
                "over-estimated than another; 0 = alike.",
                headline=cohort.single,
                scale=0.3,
            )
        )
        details.append(_error_lines(cohort, {n: means[n] for n in SHOWN if n in means}))
    text = (
        f"Models learn to predict {models.outcome.target!r} from {models.rows:,} training rows, "
        f"from as many synthetic ones, and from both; all are tested on {len(models.test):,} "
        "held-out real rows. Mean error of a group: predicted less observed."
    )
    return Section("Are groups treated alike?", text, tuple(rows), tuple(details))


def _widest(means: np.ndarray) -> float:
    known = means[np.isfinite(means)]
    return float(known.max() - known.min()) if len(known) else 0.0


def _error_lines(cohort: Cohort, means: dict) -> Detail:
    half = quantile(1)
    lines = tuple(
        (name, model, int(m.n[g]), float(m.mean[g]),
         _range((m.mean[g] - half * m.se[g], m.mean[g] + half * m.se[g])))
        for g, name in enumerate(cohort.names)
        for model, m in means.items()
        if np.isfinite(m.mean[g])
    )  # fmt: skip
    headers = ("group", "trained on", "rows", "mean error", "95 % interval")
    title = f"{cohort.name}: mean error of each group, in standard deviations of the target"
    return Detail(title, headers, lines)


def _range(interval: Interval) -> str:
    low, high = interval
    return f"{low:.3g} to {high:.3g}" if np.isfinite([low, high]).all() else "-"
