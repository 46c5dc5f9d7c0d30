"""The report of a benchmark: does synthetic data help here? In words, tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genmodels.metrics.benchmark.comparison import Judgement
from genmodels.report.benchmark.conclusion import Conclusion, Finding
from genmodels.report.benchmark.plan import Trials
from genmodels.report.page.pictures import curves, grouped_bars
from genmodels.report.page.texts import number
from genmodels.report.rows import Cell, Detail, Picture, Report, Section

__all__ = ["benchmark_report", "sentence"]

TITLE = "Does synthetic data help here?"
STARTS = {
    "helps": "Synthetic data helps here:",
    "no evidence": "There is no evidence that synthetic data helps here:",
    "harms": "Synthetic data harms here:",
}


PROTOCOL = (
    "The real rows are split first, {count} times, {way}; equal rows stay on one side. The "
    "generator is fitted inside the training side of each split and never sees a test row, which "
    "is checked by a fingerprint of each row. All arms of a split are tested on the same real "
    "rows. Differences are paired over the splits; their intervals use Nadeau and Bengio's "
    "corrected variance, as splits share rows. An arm is compared with the best simple arm "
    "without choosing that arm by its test scores: to help it must beat each of them; that one "
    "of them beats it is corrected for their number. All synthetic arms with all learners are one "
    "family of Holm's procedure for each number of real rows: the chance of any wrong verdict in "
    "it is at most {alpha}; intervals and p-values are adjusted. The overall verdict compares the "
    "best synthetic arm and learner with all simple arms and learners. The rule and the score "
    "were fixed before any result."
)
WORDS = {"helps": "these help", "harms": "these harm"}


def benchmark_report(
    trials: Trials, conclusions: Sequence[Conclusion], facts: dict[str, Cell]
) -> Report:
    """Put everything that was found into a report.

    Args:
        trials: what was tried.
        conclusions: one per number of real training rows; the last one gives the answer.
        facts: what else a reader must know to repeat it, such as the generator.
    """
    last = conclusions[-1]
    sections = [_answer(trials, last)]
    if len(conclusions) > 1:
        sections.append(_learning(trials, conclusions))
    sections += [_scores(trials, conclusions), _protocol(trials)]
    own: dict[str, Cell] = {
        "target": trials.task.target,
        "task": trials.task.kind,
        "decided by": trials.primary,
        "real rows": trials.rows.num_rows,
        "splits": len(trials.splits),
        "seed": trials.plan.seed,
    }
    told = " ".join([sentence(last), *_others(last)])
    return Report(TITLE, facts | own, tuple(sections), trials.remarks, answer=told)


def sentence(found: Conclusion) -> str:
    """The verdict on one number of real rows, with its figures."""
    best, simple, judged = found.best(synthetic=True), found.best(synthetic=False), found.judgement
    low, high = judged.interval
    name = found.primary
    return (
        f"{STARTS[judged.verdict]} the best model that learns from it ({_model(best)}) has "
        f"{name} {_short(best.means[name])}, the best one without it ({_model(simple)}) "
        f"{_short(simple.means[name])}; the difference is {_signed(judged.difference)} "
        f"(95 % interval {_signed(low)} to {_signed(high)})."
    )


def _others(found: Conclusion) -> list[str]:
    """What is known of single arms beside the overall verdict."""
    out = []
    for word in ("helps", "harms"):
        arms = [f for f in found.findings if f.within is not None and f.within.verdict == word]
        if arms:
            names = "; ".join(_model(f) for f in arms)
            out.append(f"Against the best simple arm of the same learner {WORDS[word]}: {names}.")
    return out


def _answer(trials: Trials, found: Conclusion) -> Section:
    text = (
        f"The score that decides is {found.primary} (more is better), on real test rows that "
        "neither the generator nor the model has seen. A synthetic arm helps if it beats every "
        "simple arm with the same learner beyond chance, and it harms if one of them beats it."
    ) + _apart(trials)
    judged = [f for f in found.findings if f.synthetic]
    lines = [(f.arm, f.learner, f.means[found.primary], *_judged(f.within)) for f in judged]
    headers = ("trained on", "learner", found.primary, "difference", "from", "to", "p", "verdict")
    title = "Synthetic arms against the best simple arm of the same learner"
    caption = (
        f"Difference in {found.primary} to the best simple arm of the same learner, with adjusted "
        "95 % intervals: right of 0 helps, left of 0 harms."
    )
    picture = Picture(caption, _forest(trials, judged), wide=True)
    return Section("Answer", text, (), (Detail(title, headers, tuple(lines)),), (picture,))


def _apart(trials: Trials) -> str:
    """A sentence on the arms that the deciding score cannot tell from others."""
    names = [arm.name for arm in trials.arms if not arm.decides(trials.primary)]
    if not names:
        return ""
    return (
        f" {trials.primary} looks at the order of the predictions, which a threshold does not "
        f"change: {', '.join(names)} equals real rows there and is not compared with; its F1 "
        "stands under All scores."
    )


def _judged(judged: Judgement | None) -> tuple[Cell, ...]:
    if judged is None:
        return None, None, None, None, "simple arm"
    return judged.difference, *judged.interval, judged.p, judged.verdict


def _forest(trials: Trials, judged: Sequence[Finding]) -> bytes:
    """Differences with their intervals: a group of bars per arm, a bar per learner."""
    arms = list(dict.fromkeys(f.arm for f in judged))
    series: dict[str, np.ndarray] = {}
    errors: dict[str, np.ndarray] = {}
    for learner in trials.plan.learners:
        mine = [f.within for f in judged if f.learner == learner and f.within is not None]
        middle = np.array([j.difference for j in mine])
        ends = np.array([j.interval for j in mine]).T
        series[learner] = middle
        errors[learner] = np.maximum(np.stack([middle - ends[0], ends[1] - middle]), 0.0)
    return grouped_bars(arms, series, errors=errors)


def _learning(trials: Trials, conclusions: Sequence[Conclusion]) -> Section:
    text = (
        "The same with fewer real training rows, on the same test rows. Synthetic data has its "
        "best chance where real rows are few."
    )
    lines = []
    for found in conclusions:
        best, simple = found.best(synthetic=True), found.best(synthetic=False)
        scores = (simple.means[found.primary], best.means[found.primary])
        lines.append((
            _rows(trials, found), _model(simple), scores[0], _model(best), scores[1],
            *_judged(found.judgement),
        ))  # fmt: skip
    headers = ("real rows", "best simple", found.primary, "best synthetic", found.primary,
               "difference", "from", "to", "p", "verdict")  # fmt: skip
    detail = Detail("Best with and best without synthetic rows", headers, tuple(lines))
    caption = f"{trials.primary} by the number of real rows; each arm with its best learner."
    picture = Picture(caption, _curves(trials, conclusions), wide=True)
    return Section("Few real rows", text, (), (detail,), (picture,))


def _curves(trials: Trials, conclusions: Sequence[Conclusion]) -> bytes:
    x = np.array([float(_rows(trials, found)) for found in conclusions])
    lines = []
    for arm in trials.arms:
        if not arm.decides(trials.primary):
            continue  # the same as real rows
        y = [
            max(f.means[trials.primary] for f in found.findings if f.arm == arm.name)
            for found in conclusions
        ]
        lines.append((arm.name, x, np.array(y)))
    return curves(lines, x_label="real training rows", y_label=trials.primary)


def _scores(trials: Trials, conclusions: Sequence[Conclusion]) -> Section:
    text = (
        f"Means over {len(trials.splits)} splits. Chances that are too high or too low show in "
        "the Brier score and the calibration error, lower is better: levelling the classes often "
        "makes them worse."
        if trials.task.kind != "regression"
        else f"Means over {len(trials.splits)} splits. RMSE and MAE: lower is better."
    )
    details = []
    for found in conclusions:
        names = list(found.findings[0].means)
        lines: list[tuple[Cell, ...]] = [
            (f.arm, f.learner, *(f.means[name] for name in names)) for f in found.findings
        ]
        title = f"All scores, {_rows(trials, found):,} real training rows"
        details.append(Detail(title, ("trained on", "learner", *names), tuple(lines)))
    return Section("All scores", text, (), tuple(details))


def _protocol(trials: Trials) -> Section:
    text = PROTOCOL.format(
        count=len(trials.splits), way=_way(trials), alpha=f"{trials.plan.alpha:.0%}"
    )
    described = tuple((arm.name, arm.text) for arm in trials.arms)
    arms = Detail("Arms", ("trained on", "what it is"), described)
    splits = Detail(
        "Splits (SHA-256 over the sorted fingerprints of the rows)",
        ("split", "train rows", "test rows", "train", "test"),
        tuple(split.proof(trials.prints) for split in trials.splits),
    )
    return Section("How it was done", text, (), (arms, splits))


def _way(trials: Trials) -> str:
    plan = trials.plan
    if plan.time is not None:
        return f"in time: what is tested has a later {plan.time} than all that is learnt from"
    if plan.split_by is not None:
        return f"at random, all rows of one {plan.split_by} on one side"
    return "at random" + (", each class in its share" if trials.task.kind != "regression" else "")


def _rows(trials: Trials, found: Conclusion) -> int:
    if found.size is not None:
        return found.size
    return round(float(np.mean([len(split.train) for split in trials.splits])))


def _model(found: Finding) -> str:
    return f"{found.arm}, {found.learner}"


def _short(value: float) -> str:
    return number(float(f"{value:.3g}"))


def _signed(value: float) -> str:
    return f"{value:+.2g}"
