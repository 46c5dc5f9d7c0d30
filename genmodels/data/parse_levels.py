"""Categorical and boolean columns: values mapped to the levels of the schema."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.columns import Texts, as_text
from genmodels.data.numbers import parse_integers, parse_numbers
from genmodels.data.parse_problem import Problem
from genmodels.schema import Column

__all__ = ["parse_levels"]

TRUE_WORDS = ("true", "t", "yes", "y", "1", "on")
FALSE_WORDS = ("false", "f", "no", "n", "0", "off")


def parse_levels(
    array: pa.Array, column: Column, decimal: str | None, problem: Problem
) -> pa.Array:
    """A dictionary array whose first entries are the schema's levels in their order.

    A closed column has no other entries; in an open one, levels not listed in the schema
    follow in order of appearance. Booleans with the levels False and True become bool.

    Raises:
        ValueError: for a level that a closed column does not have (if strict).
    """
    levels = column.levels or ()
    texts = Texts.of(as_text(array))
    if all(isinstance(level, bool) for level in levels):
        return _bools(texts, column, problem)
    if all(isinstance(level, int) for level in levels):
        place, dictionary = _numbers(texts, levels, decimal)
    else:
        dictionary = pa.array([str(level) for level in levels], pa.string())
        place = _index(texts.values, dictionary)
    is_missing = texts.tokens(column.missing) & (place < 0)
    place, dictionary = _others(texts, place, is_missing, dictionary, column, problem)
    place = np.append(place, -1)  # for code -1
    codes = place[texts.codes]
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, dictionary)


def _index(values: pa.Array, levels: pa.Array) -> np.ndarray:
    """Place of each value among the levels, -1 if it is none."""
    return np.asarray(pc.fill_null(pc.index_in(values, value_set=levels), -1)).astype(np.int64)


def _numbers(texts: Texts, levels: tuple, decimal: str | None) -> tuple[np.ndarray, pa.Array]:
    known = pa.array([int(level) for level in levels], pa.int64())
    exact = parse_integers(texts.values)
    if exact is not None:
        return _index(pa.array(exact), known), known
    values = parse_numbers(texts.values, counts=texts.counts, decimal=decimal)
    values = values + 0.0  # -0.0 is 0
    return _index(pa.array(values, from_pandas=True), known.cast(pa.float64(), safe=False)), known


def _others(
    texts: Texts,
    place: np.ndarray,
    is_missing: np.ndarray,
    dictionary: pa.Array,
    column: Column,
    problem: Problem,
) -> tuple[np.ndarray, pa.Array]:
    """Deal with values that are no listed level: refuse them, or append them to an open set."""
    unknown = (place < 0) & ~is_missing
    if not unknown.any():
        return place, dictionary
    if column.closed or column.kind == "boolean":
        problem.report(texts, unknown, f"the levels are {_shown(column.levels or ())}")
        return place, dictionary
    fresh = texts.values.filter(pa.array(unknown))
    if pa.types.is_int64(dictionary.type):
        numbers = parse_numbers(fresh)
        if not (np.isfinite(numbers) & (numbers == np.rint(numbers))).all():
            problem.refuse(texts, unknown, "the levels are whole numbers")
            return place, dictionary
        fresh = pa.array(numbers.astype(np.int64))
    distinct = fresh.unique()
    place = place.copy()
    place[unknown] = len(dictionary) + _index(fresh, distinct)
    return place, pa.concat_arrays([dictionary, distinct])


def _shown(levels: tuple) -> str:
    more = f" and {len(levels) - 8} more" if len(levels) > 8 else ""
    return ", ".join(map(repr, levels[:8])) + more


def _bools(texts: Texts, column: Column, problem: Problem) -> pa.Array:
    lower = pc.utf8_lower(pc.utf8_trim_whitespace(texts.values))
    yes = np.asarray(pc.is_in(lower, value_set=pa.array(TRUE_WORDS)), bool)
    no = np.asarray(pc.is_in(lower, value_set=pa.array(FALSE_WORDS)), bool)
    unknown = ~(yes | no | texts.tokens(column.missing))
    if unknown.any():
        problem.report(texts, unknown, "it is neither true nor false")
    distinct = pa.array(yes, mask=~(yes | no))
    return distinct.take(pa.array(texts.codes, mask=texts.codes < 0))
