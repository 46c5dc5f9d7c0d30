"""scikit-learn's learners behind one face, over rows with gaps and category codes.

Inputs are (N, F) float arrays as `metrics.tables.trees.TreeFeatures` makes them: numbers with NaN
for missing, and whole codes for categories. Each learner prepares them in its own way, and none
fails on a constant target, a feature without values, an unseen category or on a few rows.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any, Literal, Protocol, cast, final

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from genmodels.metrics.learning.designs import Design, Whole, Wide

__all__ = ["LEARNERS", "Features", "Kind", "Learner", "LearnerName", "make_learner"]

LearnerName = Literal["logistic", "forest", "boosting"]
Kind = Literal["binary", "multiclass", "regression"]
LEARNERS: tuple[LearnerName, ...] = ("logistic", "forest", "boosting")

TREES, LEAF = 60, 3
ROUNDS, RATE, LEAVES, PATIENCE = 200, 0.15, 15, 5
STOPPING_ROWS = 200
"""With fewer rows boosting does not hold any back to decide when to stop."""


class Features(Protocol):
    """What a learner must know about its inputs; `TreeFeatures` is one."""

    @property
    def categorical(self) -> np.ndarray:
        """Which features are category codes, bool (F,)."""


class Learner(Protocol):
    """Learns y from x."""

    def fit(self, x: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Learner:
        """Learn.

        Args:
            x: shape (N, F), N at least 1; NaN is missing.
            y: class numbers from 0 (bool is fine for binary), or finite values; shape (N,).
            sample_weight: not negative, shape (N,).

        Returns:
            Itself.

        Raises:
            ValueError: without a row.
        """

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Class numbers or values, shape (N,)."""

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Chance of each class, shape (N, K); classes that were not learnt get 0.

        Raises:
            ValueError: for regression.
        """


def make_learner(
    name: LearnerName,
    kind: Kind,
    features: Features,
    seed: int,
    weights: Literal["none", "balanced"] = "none",
    classes: int | None = None,
) -> Learner:
    """A learner that is ready to fit.

    Args:
        name: "logistic" (logistic or ridge regression on standardised numbers and one-hot
            categories), "forest" (random forest) or "boosting" (histogram gradient boosting that
            stops early on a tenth of the rows).
        kind: what y is.
        features: says which features are categories.
        seed: of the learner.
        weights: "balanced" weighs a row by N / (K N_class).
        classes: K of `predict_proba`; without it 2 for binary and the largest class seen + 1.

    Raises:
        ValueError: for a name or kind that does not exist, or balanced weights of a regression.
    """
    if name not in LEARNERS:
        raise ValueError(f"learner {name!r} is not known; there are {', '.join(LEARNERS)}")
    categorical = features.categorical
    design: Design = (
        Wide(categorical)
        if name == "logistic"
        else Whole(single=name == "forest", categorical=categorical)
    )
    if kind == "regression":
        if weights != "none":
            raise ValueError("balanced weights need classes; a regression has none")
        return _Regressor(design=design, make=lambda n: _regressor(name, categorical, n, seed))
    if kind not in ("binary", "multiclass"):
        raise ValueError(f"kind {kind!r} is not binary, multiclass or regression")
    return _Classifier(
        design=design,
        make=lambda counts: _classifier(name, categorical, counts, seed),
        classes=2 if kind == "binary" else classes,
        balanced=weights == "balanced",
    )


@final
class _Classifier:
    def __init__(
        self,
        *,
        design: Design,
        make: Callable[[np.ndarray], Any],
        classes: int | None,
        balanced: bool,
    ) -> None:
        self.design, self.make = design, make
        self.classes, self.balanced = classes, balanced

    def fit(
        self, x: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> _Classifier:
        _check(x, y)
        y = y.astype(np.int64)
        self.width = max(self.classes or 0, int(y.max()) + 1)
        self.known, y, counts = np.unique(y, return_inverse=True, return_counts=True)
        if self.balanced:
            balance = len(y) / (len(counts) * counts[y])
            sample_weight = balance if sample_weight is None else sample_weight * balance
        self.model = None
        if len(self.known) > 1 and x.shape[1]:
            self.model = _quiet_fit(self.make(counts), self.design.fit(x)(x), y, sample_weight)
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        share = np.bincount(y, weights=weight, minlength=len(counts))
        self.share = share / share.sum() if share.sum() > 0 else counts / len(y)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return cast(np.ndarray, self.predict_proba(x).argmax(1))

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        out = np.zeros((len(x), self.width))
        if self.model is None or not len(x):
            out[:, self.known] = self.share
        else:
            out[:, self.known] = self.model.predict_proba(self.design(x))
        return out


@final
class _Regressor:
    """Learns the target divided by its largest size, then standardised: no unit is too large."""

    def __init__(self, *, design: Design, make: Callable[[int], Any]) -> None:
        self.design, self.make = design, make

    def fit(
        self, x: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> _Regressor:
        _check(x, y)
        self.unit = float(np.abs(y).max()) or 1.0
        small = y / self.unit
        self.centre, self.scale = float(small.mean()), float(small.std())
        self.model = None
        if self.scale > 1e-12 and x.shape[1]:
            z = (small - self.centre) / self.scale
            self.model = _quiet_fit(self.make(len(y)), self.design.fit(x)(x), z, sample_weight)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        z = np.zeros(len(x))
        if self.model is not None and len(x):
            z = self.model.predict(self.design(x))
        return (z * self.scale + self.centre) * self.unit

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        raise ValueError("a regression has values, no classes")


def _classifier(
    name: LearnerName, categorical: np.ndarray, counts: np.ndarray, seed: int
) -> object:
    if name == "logistic":
        return LogisticRegression(max_iter=200, tol=1e-3)
    if name == "forest":
        return RandomForestClassifier(
            TREES, min_samples_leaf=LEAF, random_state=seed, n_jobs=_threads()
        )
    # One tree per class and round: many classes get fewer rounds. Longer steps would diverge.
    rounds = ROUNDS if len(counts) <= 4 else max(30, 2 * ROUNDS // len(counts))
    # The rows held back are stratified: each class needs one of them, and one to learn from.
    stops = int(counts.sum()) >= max(STOPPING_ROWS, 20 * len(counts)) and int(counts.min()) >= 2
    return HistGradientBoostingClassifier(**_boosting(rounds, stops, categorical, seed))


def _boosting(rounds: int, stops: bool, categorical: np.ndarray, seed: int) -> dict[str, Any]:
    return {
        "max_iter": rounds if stops else rounds // 4,
        "learning_rate": RATE,
        "max_leaf_nodes": LEAVES,
        "early_stopping": stops,
        "n_iter_no_change": PATIENCE,
        "categorical_features": categorical,
        "random_state": seed,
    }


def _regressor(name: LearnerName, categorical: np.ndarray, n: int, seed: int) -> object:
    if name == "logistic":
        return Ridge(alpha=1.0)
    if name == "forest":
        return RandomForestRegressor(
            TREES, min_samples_leaf=LEAF, max_features=0.5, random_state=seed, n_jobs=_threads()
        )
    return HistGradientBoostingRegressor(**_boosting(ROUNDS, n >= STOPPING_ROWS, categorical, seed))


def _quiet_fit(model: Any, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> Any:
    with warnings.catch_warnings():
        # A logistic regression that stops at its limit of steps is good enough to compare with.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, y, sample_weight=weight)


def _check(x: np.ndarray, y: np.ndarray) -> None:
    if not len(x) or len(x) != len(y):
        raise ValueError(f"a learner needs as many answers as rows, got {len(y)} for {len(x)}")


def _threads() -> int:
    """Threads that this process may use: OMP_NUM_THREADS, else the processors it may run on."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
