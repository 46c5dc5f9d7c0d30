"""Constraints between columns: which rows break them, and columns computed from others.

A comparison with a missing value is neither true nor false, and breaks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from genmodels.sampling.control.combinations import read_combinations
from genmodels.sampling.control.expressions import Compare, Name, Operation, Parsed, parse
from genmodels.sampling.control.formulas import Formula
from genmodels.sampling.control.truth import check_names, names_in, truth_of
from genmodels.schema import TableSchema
from genmodels.wishes import Cells

__all__ = ["Constraint", "Constraints", "parse_constraints"]

_NUMBERS = ("continuous", "integer")


class Constraint(Protocol):
    """Something that rows keep or break."""

    @property
    def text(self) -> str:
        """As asked."""

    def broken(self, table: pa.Table) -> np.ndarray:
        """Which rows (N,) break it, bool."""


@dataclass(frozen=True)
class Rule:
    """Conditions that hold, everywhere or where others do.

    Args:
        text: as asked.
        parsed: its tree.
        schema: of the columns.
    """

    text: str
    parsed: Parsed
    schema: TableSchema

    def broken(self, table: pa.Table) -> np.ndarray:
        rows = table.num_rows
        where, wrong = np.ones(rows, bool), np.zeros(rows, bool)
        for condition in self.parsed.given:
            where &= truth_of(condition, table, self.schema)[0]
        for condition in self.parsed.then:
            wrong |= truth_of(condition, table, self.schema)[1]
        return where & wrong


class Constraints:
    """All constraints of a sample.

    Args:
        formulas: in the order in which they can be computed.
        others: what is looked at in finished rows.
    """

    def __init__(self, formulas: Sequence[Formula], others: Sequence[Constraint]) -> None:
        self.formulas = tuple(formulas)
        self.others = tuple(others)

    def __bool__(self) -> bool:
        return bool(self.formulas or self.others)

    @property
    def computed(self) -> tuple[str, ...]:
        """The columns that are computed from others."""
        return tuple(formula.target for formula in self.formulas)

    def compute(self, table: pa.Table, cells: Mapping[str, Cells]) -> pa.Table:
        """Write each formula's result into its column, but for cells that were given."""
        for formula in self.formulas:
            given = cells.get(formula.target)
            table = formula.write(table, None if given is None else given.known)
        return table

    def broken(self, table: pa.Table) -> dict[str, np.ndarray]:
        """By constraint, which rows (N,) break it."""
        everything: tuple[Constraint, ...] = (*self.formulas, *self.others)
        return {one.text: one.broken(table) for one in everything}


def parse_constraints(texts: Sequence[str], schema: TableSchema) -> Constraints:
    """Read constraints.

    Args:
        texts: comparisons, formulas (`total = a + b`), implications (`a = x => b missing`) and
            combinations from a file (`city, state in combos.csv`).
        schema: of the columns.

    Raises:
        ValueError: for a text that cannot be read, unknown names, formulas in a circle.
    """
    formulas: list[Formula] = []
    others: list[Constraint] = []
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"constraints must be texts such as 'start <= end', got {text!r}")
        combinations = read_combinations(text, schema)
        if combinations is not None:
            others.append(combinations)
            continue
        parsed = parse(text, schema.names)
        formula = _formula(text, parsed, schema)
        if formula is None:
            check_names(text, parsed, schema)
            others.append(Rule(text, parsed, schema))
        else:
            formulas.append(formula)
    return Constraints(_ordered(formulas), others)


def _formula(text: str, parsed: Parsed, schema: TableSchema) -> Formula | None:
    """`number column = expression of others`, or None."""
    if parsed.given or len(parsed.then) != 1:
        return None
    (only,) = parsed.then
    if not isinstance(only, Compare) or only.sign != "=" or not isinstance(only.left, Name):
        return None
    target = schema[only.left.column]
    if target.kind not in _NUMBERS or not isinstance(only.right, Name | Operation):
        return None
    check_names(text, parsed, schema)
    inputs = names_in(only.right)
    if target.name in inputs or not inputs:
        return None
    return Formula(text, target, only.right, inputs, schema)


def _ordered(formulas: list[Formula]) -> list[Formula]:
    """What others are computed from comes first.

    Raises:
        ValueError: for two formulas of one column, or a circle.
    """
    targets = [formula.target for formula in formulas]
    twice = next((t for t in targets if targets.count(t) > 1), None)
    if twice is not None:
        raise ValueError(f"constraints: column {twice!r} is computed by two formulas; keep one")
    waiting, done = list(formulas), list[Formula]()
    while waiting:
        open_ends = {formula.target for formula in waiting}
        ready = [formula for formula in waiting if not open_ends & set(formula.inputs)]
        if not ready:
            circle = "; ".join(formula.text for formula in waiting)
            raise ValueError(f"constraints: these formulas run in a circle: {circle}")
        done += ready
        waiting = [formula for formula in waiting if formula not in ready]
    return done
