"""What a fresh real sample would score in shape and trend, from the training rows alone.

Half of the rows against the other half differ by the noise of two samples of N/2 rows, whose
variance is 4/N; another real sample of N rows would differ from the N training rows by 2/N. So a
fresh sample scores the figure of the halves divided by the square root of two.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import warnings
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

__all__ = ["SPLITS", "fresh_from_halves"]

SPLITS = 10
FUNCTIONS = ("load", "shape_error", "trend_error")


def fresh_from_halves(spec_file: Path, seed: int, splits: int = SPLITS) -> dict[str, float] | None:
    """Shape and trend that another real sample of as many rows would score, in percent.

    Args:
        spec_file: the scorer's `spec.json`; only its training rows are read.
        seed: of the splits.
        splits: random splits into halves, over which the mean is taken.

    Returns:
        The scorer's own names of the figures; None when there is no scorer.
    """
    functions = _scorer()
    if functions is None:
        return None
    spec = json.loads(spec_file.read_text())
    real = functions["load"](spec, spec_file.parent / spec["train"])
    rng = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the scorer's own program does
        found = [_one(functions, spec, real, rng.permutation(len(real))) for _ in range(splits)]
    return {key: round(100 * fmean(one[key] for one in found) / 2**0.5, 3) for key in found[0]}


def _one(
    functions: dict[str, Any], spec: dict[str, Any], real: Any, order: np.ndarray
) -> dict[str, float]:
    """The figures of one half of the rows against the other."""
    middle = len(real) // 2
    pair = real.iloc[order[:middle]], real.iloc[order[middle : 2 * middle]]
    return {
        "shape_err%": functions["shape_error"](spec, *pair),
        "trend_err%": functions["trend_error"](spec, *pair, shared=True),
        "trend_paper%": functions["trend_error"](spec, *pair, shared=False),
    }


def _scorer() -> dict[str, Any] | None:
    """The scorer's functions: its definitions are run, its program is not.

    The whole program learns models, too, which takes a minute; these two figures take a second.
    """
    path = os.environ.get("GENMODELS_YARDSTICK")
    if not path:
        print("GENMODELS_YARDSTICK is not set: not scored")
        return None
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Assign)
    tree.body = [statement for statement in tree.body if isinstance(statement, kept)]
    found: dict[str, Any] = {"__name__": "scorer"}
    exec(compile(tree, path, "exec"), found)
    lacking = [name for name in FUNCTIONS if name not in found]
    if lacking:
        sys.exit(
            f"GENMODELS_YARDSTICK: the halves need a scorer with the functions "
            f"{', '.join(FUNCTIONS)}; {path} has no {', '.join(lacking)}"
        )
    return found
