"""Columns of numbers, from text or from numbers, as the schema wants them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genmodels.data.columns import Texts, as_text
from genmodels.data.numbers import parse_integers, parse_numbers, token_numbers
from genmodels.data.parse_problem import Problem
from genmodels.schema import Column

__all__ = ["parse_number_column"]


def parse_number_column(
    array: pa.Array, column: Column, decimal: str | None, problem: Problem
) -> pa.Array:
    """Float64, or int64 for integer and identifier columns.

    Raises:
        ValueError: for a text that is no number, or a fraction in a column of whole numbers.
    """
    whole = column.kind != "continuous"
    wanted = pa.int64() if whole else pa.float64()
    held = array.type
    if pa.types.is_null(held):
        return pa.nulls(len(array), wanted)
    if pa.types.is_integer(held) or pa.types.is_floating(held):
        array = _without(array, column.missing)
        if not whole or pa.types.is_integer(held):
            return array.cast(wanted)
        if not _has_fraction(array):
            return array.cast(wanted)
    if pa.types.is_string(held) and not column.missing and decimal not in (",", "comma"):
        fast = _cast(array, wanted)
        if fast is not None:
            return fast
    return _from_text(Texts.of(as_text(array)), column, decimal, problem, wanted)


def _cast(texts: pa.Array, wanted: pa.DataType) -> pa.Array | None:
    """All rows at once, or None unless every text is a plain number."""
    try:
        numbers = texts.cast(wanted)
    except pa.ArrowInvalid:
        return None
    finite = pc.all(pc.is_finite(numbers)).as_py()
    return numbers if finite is not False else None


def _without(array: pa.Array, missing: tuple[str, ...]) -> pa.Array:
    """Null where a number is one of the texts that mean missing."""
    unwanted = token_numbers(missing)
    if not len(unwanted):
        return array
    is_one = pc.is_in(array.cast(pa.float64()), value_set=pa.array(unwanted))
    return pc.if_else(is_one, pa.scalar(None, array.type), array)


def _has_fraction(array: pa.Array) -> bool:
    values = np.asarray(array.drop_null())
    whole = np.isfinite(values) & (values == np.rint(values)) & (abs(values) < 2.0**63)
    return not bool(whole.all())


def _from_text(
    texts: Texts, column: Column, decimal: str | None, problem: Problem, wanted: pa.DataType
) -> pa.Array:
    texts = texts.without(texts.tokens(column.missing))
    missing = token_numbers(column.missing)
    if pa.types.is_int64(wanted) and (exact := parse_integers(texts.values)) is not None:
        return _rows(exact, texts, np.isin(exact, missing), wanted)
    values = parse_numbers(texts.values, counts=texts.counts, decimal=decimal)
    if not np.isfinite(values).all():
        problem.refuse(texts, ~np.isfinite(values), "it is no number")
        texts, values = texts.without(~np.isfinite(values)), values[np.isfinite(values)]
    if pa.types.is_int64(wanted):
        if (values != np.rint(values)).any():
            odd = values != np.rint(values)
            problem.refuse(texts, odd, "it is no whole number")
            texts, values = texts.without(odd), values[~odd]
        return _rows(values.astype(np.int64), texts, np.isin(values, missing), wanted)
    return _rows(values, texts, np.isin(values, missing), wanted)


def _rows(values: np.ndarray, texts: Texts, absent: np.ndarray, kind: pa.DataType) -> pa.Array:
    distinct = pa.array(values, kind, mask=absent)
    return distinct.take(pa.array(texts.codes, mask=texts.codes < 0))
