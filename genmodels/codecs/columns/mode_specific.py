"""CTGAN's mode-specific normalisation: which mode of a Gaussian mixture, and where in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from genmodels.codecs.columns.mixture import Mixture, compress, fit_mixture
from genmodels.codecs.columns.numbers import Numbers
from genmodels.codecs.columns.point_masses import point_masses
from genmodels.codecs.columns.protocol import Parts, check_finite, check_missing, with_missing
from genmodels.layout import Block
from genmodels.schema import Column

__all__ = ["ModeSpecific"]

_REACH = 0.99  # |alpha| is cut here
_BLOCK = 16384  # rows at a time: the posterior of ten modes stays in the cache


class ModeSpecific:
    """A continuous block "<name>.value" (alpha) and a categorical block "<name>.mode".

        alpha = clip((x - mean_k) / (4 deviation_k), -0.99, 0.99),   k ~ p(mode | x)

    After the modes come one level per point mass (if asked for) and one for missing values
    (nullable columns); their alpha is 0. The mode is drawn among those that reach the value,
    so nothing is cut as long as one does; `fit` sees to it that each training value is reached.

    Args:
        column: from the schema; kind "continuous" or "integer".
        numbers: how its values become offsets.
        mixture: the K modes, in offsets.
        atoms: the point masses, ascending, shape (A,), int64 or float64.
        nullable: whether there is a level for missing values.

    References:
        Modeling tabular data using conditional GAN, L. Xu, M. Skoularidou, A. Cuesta-Infante
        and K. Veeramachaneni, NeurIPS 2019, section 4.2.
    """

    def __init__(
        self,
        *,
        column: Column,
        numbers: Numbers,
        mixture: Mixture,
        atoms: np.ndarray,
        nullable: bool,
    ) -> None:
        self.column = column
        self.numbers = numbers
        self.mixture = mixture
        self.atoms = atoms
        self.nullable = nullable
        self._widths = 4.0 * mixture.deviations
        self._atom_offsets = numbers.offsets(pa.array(atoms))[0]
        outcomes = np.append(self._atom_offsets, np.zeros(int(nullable)))
        self._origins = np.append(mixture.means, outcomes)
        self._scales = np.append(self._widths, np.zeros_like(outcomes))

    @classmethod
    def fit(
        cls,
        column: Column,
        data: pa.ChunkedArray,
        *,
        with_point_masses: bool,
        modes: int,
        min_weight: float,
        concentration: float,
        points: int,
        rng: np.random.Generator,
    ) -> ModeSpecific:
        """Fit the mixture to the training values of one column.

        Args:
            column: from the schema.
            data: the training values, int64 or float64.
            with_point_masses: give values of outstanding frequency a level of their own (not
                in the paper).
            modes: most modes (paper: 10).
            min_weight: lighter modes are dropped (0.005 is usual), except where values would
                then be out of reach.
            concentration: of the Dirichlet process (0.001 is usual).
            points: the mixture is fitted to at most this many weighted points.
            rng: for the start of the fit.
        """
        numbers = Numbers.fit(column, data)
        raw, values, counts = numbers.distinct(data)
        found = point_masses(counts) if with_point_masses else np.empty(0, np.int64)
        atoms = raw[found]
        values, counts = np.delete(values, found), np.delete(counts, found)
        if len(values) == 0:
            mixture = Mixture(np.ones(1), np.zeros(1), np.zeros(1))
        else:
            compact = compress(values, counts, points)
            full = fit_mixture(compact, modes=modes, rng=rng, concentration=concentration)
            mixture = _reaching(full, values, min_weight)
        nullable = column.nullable or data.null_count > 0
        return cls(column=column, numbers=numbers, mixture=mixture, atoms=atoms, nullable=nullable)

    @property
    def modes(self) -> int:
        return len(self.mixture.means)

    @property
    def blocks(self) -> tuple[Block, ...]:
        name, levels = self.column.name, len(self._origins)
        return (
            Block(f"{name}.value", "continuous", 1),
            Block(f"{name}.mode", "categorical", levels),
        )

    @property
    def tolerance(self) -> float:
        error = float(self._widths.max()) * 2.0**-25 + 1e-15 * self.numbers.span
        if self.numbers.stepped:
            return 0.0 if error < 0.5 else self.numbers.size(error + 0.5)
        return self.numbers.size(error)

    def encode(self, array: pa.Array, rng: np.random.Generator) -> Parts:
        return self.place(array, rng.random(len(array)))

    def place(self, array: pa.Array, uniform: np.ndarray) -> Parts:
        """Encode with given random numbers in [0, 1), one per row (N,)."""
        check_finite(self.column, array)
        x, missing = self.numbers.offsets(array)
        check_missing(self.column, missing, self.nullable)
        alpha, codes = np.empty((1, len(x)), np.float32), np.empty((1, len(x)), np.int32)
        for low in range(0, len(x), _BLOCK):
            rows = slice(low, low + _BLOCK)
            alpha[0, rows], codes[0, rows] = self._assign(x[rows], uniform[rows])
        if len(self.atoms):
            at = np.searchsorted(self._atom_offsets, x)
            hit = self._atom_offsets.take(at, mode="clip") == x
            codes[0, hit] = self.modes + at[hit]
        if missing is not None:
            codes[0, missing] = len(self._origins) - 1
        alpha[codes >= self.modes] = 0.0
        return alpha, codes

    def _assign(self, x: np.ndarray, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Alpha and mode of offsets (N,), the mode drawn with the uniform numbers (N,)."""
        flat = self._widths == 0.0
        inverse = np.divide(1.0, self._widths, out=np.zeros_like(self._widths), where=~flat)
        alpha = (x - self.mixture.means[:, None]) * inverse[:, None]
        with np.errstate(divide="ignore"):
            height = np.log(self.mixture.weights) - np.log(np.where(flat, 1.0, self._widths))
        square = np.square(alpha, dtype=np.float32, casting="same_kind")
        reached = square <= np.float32(_REACH**2)
        square *= -8.0  # (x - mean)^2 / (2 deviation^2) = 8 alpha^2
        square += (height - height.max()).astype(np.float32)[:, None]
        density = np.exp(square, out=square)
        density *= reached
        cumulative = np.cumsum(density, axis=0, out=density)
        threshold = cumulative[-1] * (uniform * (1 - 1e-6)).astype(np.float32)
        codes = (cumulative[:-1] <= threshold).sum(axis=0)
        beyond = np.flatnonzero(cumulative[-1] == 0.0)
        codes[beyond] = np.abs(alpha[:, beyond]).argmin(axis=0)
        chosen = np.take_along_axis(alpha, codes[None], axis=0)[0]
        return np.clip(chosen, -_REACH, _REACH, out=chosen), codes

    def decode(
        self, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator, start: int
    ) -> pa.Array:
        code = codes[0]
        offsets = self._scales.take(code, mode="clip")
        offsets *= values[0].astype(np.float64)
        offsets += self._origins.take(code, mode="clip")
        numbers = self.numbers.restore(offsets)
        if len(self.atoms) and not self.numbers.stepped:
            # offsets lose the last digit, and a point mass must come back to the bit
            exact = self.atoms.take(code - self.modes, mode="clip")
            np.copyto(numbers, exact, where=code >= self.modes)
        return with_missing(numbers, code == len(self._origins) - 1 if self.nullable else None)

    def state(self) -> dict[str, Any]:
        return {
            "codec": "mode_specific",
            "numbers": self.numbers.state(),
            "weights": self.mixture.weights.tolist(),
            "means": self.mixture.means.tolist(),
            "deviations": self.mixture.deviations.tolist(),
            "atoms": self.atoms.tolist(),
            "nullable": self.nullable,
        }

    @classmethod
    def from_state(cls, column: Column, state: dict[str, Any]) -> ModeSpecific:
        numbers = Numbers.from_state(state["numbers"])
        mixture = Mixture(*(np.array(state[key]) for key in ("weights", "means", "deviations")))
        return cls(
            column=column,
            numbers=numbers,
            mixture=mixture,
            atoms=np.array(state["atoms"], numbers.dtype),
            nullable=state["nullable"],
        )


def _reaching(mixture: Mixture, values: np.ndarray, min_weight: float) -> Mixture:
    """Drop light modes, but keep or widen so many that each of `values` is in reach of one."""
    reach = 4.0 * 0.985 * mixture.deviations

    def unreached(kept: np.ndarray) -> np.ndarray:
        rest = values
        for k in np.flatnonzero(kept):
            rest = rest[np.abs(rest - mixture.means[k]) > reach[k]]
        return rest

    kept = mixture.weights > min(min_weight, mixture.weights.max() / 2)
    rest = unreached(kept)
    while len(rest) and not kept.all():
        helped = (np.abs(rest - mixture.means[:, None]) <= reach[:, None]).sum(axis=1)
        if not helped.any():
            break
        kept[helped.argmax()] = True
        rest = unreached(kept)
    means, deviations = mixture.means[kept], mixture.deviations[kept].copy()
    if len(rest):
        distance = np.abs(rest - means[:, None])
        nearest = (distance / np.maximum(deviations, 1e-300)[:, None]).argmin(axis=0)
        np.maximum.at(deviations, nearest, distance.min(axis=0) / (4.0 * 0.985))
    order = np.argsort(means, kind="stable")
    weights = mixture.weights[kept] / mixture.weights[kept].sum()
    return Mixture(weights[order], means[order], deviations[order])
