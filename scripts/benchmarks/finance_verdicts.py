"""What the price section of `evaluate` says of paths whose truth is known, many times."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from genmodels.data.returns import Returns
from genmodels.report.page.verdicts import judge
from genmodels.report.prices.section import price_section
from genmodels.simulators.finance.paths import log_returns
from genmodels.tasks.compose import compose
from genmodels.tasks.parts import instantiate

STEPS, HELD_OUT, MADE = 4_000, 800, 64
"""Returns of the one real series and how many of the last are held out; synthetic paths."""
TRUTH, OTHERS = "garch", ("garch", "gbm")


def returns(model: Any, paths: int, seed: int) -> np.ndarray:
    blocks = [x.numpy() for x in log_returns(model, 0, paths, steps=STEPS, seed=seed)]
    return np.concatenate(blocks, 1)[:, :paths].transpose(1, 0, 2)


def verdicts(repeats: int) -> dict[str, Any]:
    """Each verdict's share, by figure: of the model that made the real series, and of another.

    Both are at the defaults of `configs/simulator/`; the other has the variance of the real one.
    """
    models = {
        name: instantiate(compose("simulate", [f"simulator={name}"]).simulator.model)
        for name in OTHERS
    }
    said: dict[str, dict[str, Counter[str]]] = {name: {} for name in OTHERS}
    for repeat in range(repeats):
        real = returns(models[TRUTH], 1, seed=2 * repeat)
        parts = real[:, : STEPS - HELD_OUT], real[:, STEPS - HELD_OUT :]
        for name, model in models.items():
            made = returns(model, MADE, seed=2 * repeat + 1)
            made = made * (real.std() / made.std())
            train, held, synthetic = (Returns(("close",), x, 0.0) for x in (*parts, made))
            found = price_section(train, held, synthetic, paths=2000, repeats=200, seed=repeat)
            for row in found.rows:
                said[name].setdefault(row.metric, Counter())[judge(row)] += 1
    return {
        "series": repeats,
        "returns": STEPS,
        "paths": MADE,
        "said": {name: {k: dict(v) for k, v in rows.items()} for name, rows in said.items()},
    }
