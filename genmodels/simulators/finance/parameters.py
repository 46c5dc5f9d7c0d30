"""Parameters of price models, checked: one clear line for each that cannot be.

A parameter of several assets is a list with one number each; a single number holds for all.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["Numbers", "Rows", "above", "at_least", "cholesky", "count_assets", "finite"]
__all__ += ["mixed", "numbers", "per_asset", "probabilities", "within"]

Numbers = float | Sequence[float]
Rows = Sequence[Sequence[float]]
_CLOSE = 1e-9


def count_assets(correlation: Rows | None, **parameters: Numbers) -> int:
    """How many assets a correlation matrix and lists of parameters speak of; 1 without any.

    Raises:
        ValueError: when they do not agree.
    """
    told = {} if correlation is None else {"correlation": len(_matrix("correlation", correlation))}
    lists = {key: _list(key, x) for key, x in parameters.items()}
    told |= {key: len(x) for key, x in lists.items() if not isinstance(x, float)}
    if len(set(told.values())) > 1:
        said = ", ".join(f"{key} of {count}" for key, count in told.items())
        raise ValueError(f"the parameters speak of different numbers of assets: {said}")
    if 0 in told.values():
        raise ValueError(f"{next(iter(told))} is empty: give one number for each asset")
    return next(iter(told.values()), 1)


def per_asset(key: str, values: Numbers, assets: int) -> Tensor:
    """One number for each asset, shape (A,), float64.

    Raises:
        ValueError: when one is not finite.
    """
    found = torch.tensor(_list(key, values), dtype=torch.float64)
    finite(key, found)
    return found.expand(assets).clone()


def numbers(key: str, values: Sequence[float]) -> Tensor:
    """A list of finite numbers as it is, shape (K,), float64.

    Raises:
        ValueError: when it is none.
    """
    found = torch.tensor(_list(key, values), dtype=torch.float64)
    if found.ndim != 1:
        raise ValueError(f"{key} must be a list of numbers, got {values!r}")
    finite(key, found)
    return found


def _list(key: str, values: Numbers) -> float | list[float]:
    """A number, or a list of numbers, and nothing else."""
    parts = list(values) if isinstance(values, list | tuple) else [values]
    if any(isinstance(x, bool) or not isinstance(x, int | float) for x in parts):
        raise ValueError(f"{key} must be a number, or one for each asset, got {values!r}")
    found = [float(x) for x in parts if isinstance(x, int | float)]
    return found if isinstance(values, list | tuple) else found[0]


def _matrix(key: str, rows: Rows) -> list[list[float]]:
    """Rows of numbers, as many as there are in each.

    Raises:
        ValueError: when they are not.
    """
    told = list(rows) if isinstance(rows, list | tuple) else []
    found = [_list(key, row) for row in told]
    square = [row for row in found if isinstance(row, list) and len(row) == len(found)]
    if not found or len(square) < len(found):
        raise ValueError(f"{key} must be a square matrix, rows of as many numbers, got {rows!r}")
    return square


def finite(key: str, values: Tensor) -> None:
    if not bool(values.isfinite().all()):
        raise ValueError(f"{key} must be finite, got {_told(values)}")


def at_least(key: str, values: Tensor, least: float) -> None:
    if bool((values < least).any()):
        raise ValueError(f"{key} must be at least {least:g}, got {_told(values)}")


def above(key: str, values: Tensor, bound: float) -> None:
    if bool((values <= bound).any()):
        raise ValueError(f"{key} must be above {bound:g}, got {_told(values)}")


def within(key: str, values: Tensor, least: float, most: float) -> None:
    if bool(((values < least) | (values > most)).any()):
        raise ValueError(f"{key} must be in [{least:g}, {most:g}], got {_told(values)}")


def _told(values: Tensor) -> str:
    numbers = values.flatten().tolist()
    return f"{numbers[0]:g}" if len(numbers) == 1 else f"[{', '.join(f'{x:g}' for x in numbers)}]"


def cholesky(correlation: Rows | None, assets: int) -> Tensor | None:
    """The lower triangle L with L L' = correlation, shape (A, A); None for independent assets.

    Raises:
        ValueError: when it is no correlation matrix.
    """
    if correlation is None:
        return None
    found = _matrix("correlation", correlation)
    assert len(found) == assets, "as `count_assets` has found"
    matrix = torch.tensor(found, dtype=torch.float64)
    finite("correlation", matrix)
    if bool((matrix - matrix.T).abs().max() > _CLOSE):
        raise ValueError("correlation must be symmetric: entry (i, j) equals entry (j, i)")
    if bool((matrix.diagonal() - 1).abs().max() > _CLOSE):
        raise ValueError(f"correlation must have ones on its diagonal, got {_told(matrix.diag())}")
    triangle, failed = torch.linalg.cholesky_ex(matrix)
    if int(failed):
        least = float(torch.linalg.eigvalsh(matrix).min())
        raise ValueError(
            f"correlation must be positive definite, its smallest eigenvalue is {least:.3g}: no "
            "prices can be correlated so"
        )
    return triangle


def probabilities(key: str, rows: Rows) -> Tensor:
    """A square matrix of transition probabilities, shape (K, K).

    Raises:
        ValueError: when it is not square, or a row is no distribution.
    """
    matrix = torch.tensor(_matrix(key, rows), dtype=torch.float64)
    finite(key, matrix)
    within(key, matrix, 0.0, 1.0)
    sums = matrix.sum(1)
    for number, total in enumerate(sums.tolist()):
        if abs(total - 1.0) > 1e-6:
            raise ValueError(f"{key}: row {number} must sum to 1, it sums to {total:g}")
    return matrix / sums[:, None]


def mixed(noise: Tensor, triangle: Tensor | None) -> Tensor:
    """Independent normals (T, R, A) made correlated: z L'."""
    return noise if triangle is None else noise @ triangle.to(noise.device).T
