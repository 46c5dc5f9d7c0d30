"""Can a classifier tell two tables apart? One judge for all benchmarks that ask it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from xgboost import XGBClassifier

__all__ = ["auc"]


def auc(real: pd.DataFrame, other: pd.DataFrame, seed: int = 0) -> float:
    """Cross-validated AUC of telling two tables of equal columns apart, 0.5 is best."""
    n = min(len(real), len(other), 10_000)
    both = pd.concat(
        [frame.sample(n, random_state=seed).reset_index(drop=True) for frame in (real, other)]
    )
    text = [c for c in both if not pd.api.types.is_numeric_dtype(both[c])]
    x = both.assign(**{c: both[c].astype(str).astype("category").cat.codes for c in text})
    y = np.r_[np.zeros(n), np.ones(n)]
    learner = XGBClassifier(n_estimators=100, max_depth=6, tree_method="hist", n_jobs=2)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    p = cross_val_predict(learner, x.to_numpy(float), y, cv=folds, method="predict_proba")[:, 1]
    return round(float(roc_auc_score(y, p)), 4)
