"""From the records of a benchmark to verdicts: per arm and learner, and one for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genmodels.metrics.benchmark.comparison import Contrast, Judgement, Verdict, judge
from genmodels.report.benchmark.log import Record
from genmodels.report.benchmark.plan import Trials

__all__ = ["Conclusion", "Finding", "conclude"]


@dataclass(frozen=True)
class Finding:
    """One arm with one learner.

    Args:
        arm, learner: names.
        synthetic: whether rows of a generator took part.
        means: of each score over the splits.
        within: a synthetic arm against the best simple arm of the same learner.
        overall: a synthetic arm against the best simple arm of all learners.
        decides: whether the deciding score can tell it from another arm.
    """

    arm: str
    learner: str
    synthetic: bool
    means: dict[str, float]
    within: Judgement | None = None
    overall: Judgement | None = None
    decides: bool = True


@dataclass(frozen=True)
class Conclusion:
    """What one number of real training rows showed.

    Args:
        size: real training rows; None: all.
        primary: the score that decides; more is better.
        findings: of every arm and learner, in the order of the plan.
    """

    size: int | None
    primary: str
    findings: tuple[Finding, ...]

    def best(self, *, synthetic: bool) -> Finding:
        """With the largest mean of the deciding score."""
        chosen = [f for f in self.findings if f.synthetic == synthetic and f.decides]
        return max(chosen, key=lambda f: f.means[self.primary])

    @property
    def judgement(self) -> Judgement:
        """Of the best synthetic arm, against the best that can be done without."""
        found = self.best(synthetic=True).overall
        assert found is not None
        return found

    @property
    def verdict(self) -> Verdict:
        return self.judgement.verdict


def conclude(trials: Trials, records: Sequence[Record]) -> list[Conclusion]:
    """Judge every synthetic arm, for each number of real training rows.

    All synthetic arms with all learners are one family of Holm's procedure. The overall verdict is
    that of the synthetic arm and learner with the best mean: it helps if it beats every simple arm
    with every learner, so that a model is not called better for synthetic data that is worse than
    another learner on real rows alone.
    """
    return [_conclude(trials, records, size) for size in trials.plan.sizes]


def _conclude(trials: Trials, records: Sequence[Record], size: int | None) -> Conclusion:
    pairs = [(arm, learner) for arm in trials.arms for learner in trials.plan.learners]
    cells = {
        (arm.name, learner): _scores(records, size, arm.name, learner) for arm, learner in pairs
    }
    of = {key: found[trials.primary] for key, found in cells.items()}
    simple = {
        f"{arm.name}, {learner}": (learner, of[arm.name, learner])
        for arm, learner in pairs
        if not arm.synthetic and arm.decides(trials.primary)
    }
    judged = [(arm.name, learner) for arm, learner in pairs if arm.synthetic]
    everywhere = {name: values for name, (_, values) in simple.items()}
    within, overall = [], []
    for key in judged:
        same = {name: values for name, (learner, values) in simple.items() if learner == key[1]}
        within.append(Contrast.of(of[key], same, trials.ratio))
        overall.append(Contrast.of(of[key], everywhere, trials.ratio))
    alpha = trials.plan.alpha
    by_learner = dict(zip(judged, judge(within, alpha=alpha), strict=True))
    by_all = dict(zip(judged, judge(overall, alpha=alpha), strict=True))
    findings = tuple(
        Finding(
            arm.name,
            learner,
            arm.synthetic,
            {name: float(values.mean()) for name, values in cells[arm.name, learner].items()},
            by_learner.get((arm.name, learner)),
            by_all.get((arm.name, learner)),
            arm.decides(trials.primary),
        )
        for arm, learner in pairs
    )
    return Conclusion(size, trials.primary, findings)


def _scores(
    records: Sequence[Record], size: int | None, arm: str, learner: str
) -> dict[str, np.ndarray]:
    """By name, one value per split in the order of the splits."""
    mine = [r for r in records if (r.size, r.arm, r.learner) == (size, arm, learner)]
    mine.sort(key=lambda record: record.split)
    return {name: np.array([r.scores[name] for r in mine]) for name in mine[0].scores}
