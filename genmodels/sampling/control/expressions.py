"""Constraints between columns as text: from signs and names to a tree of plain data.

    start <= end            0 <= rate <= 1            total = a + b * 2
    married = no => spouse_income missing             `net pay` < gross and age >= 18

A name is the longest column name that the text goes on with; backquotes make any text a name,
quotes make it a level. What holds in a table is `constraints.py`'s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from genmodels.sampling.control.wishes import near

__all__ = ["Compare", "Empty", "Expression", "Literal", "Name", "Operation", "Parsed", "parse"]


@dataclass(frozen=True)
class Name:
    """The values of a column."""

    column: str


@dataclass(frozen=True)
class Literal:
    """A number, a date or a level, as written."""

    text: str
    number: bool = False


@dataclass(frozen=True)
class Operation:
    """left sign right, of numbers; sign is one of + - * /."""

    sign: str
    left: Expression
    right: Expression


Expression: TypeAlias = Name | Literal | Operation


@dataclass(frozen=True)
class Compare:
    """left sign right; sign is one of < <= > >= = !=."""

    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Empty:
    """Whether a column has no value (or, `negated`, has one)."""

    column: str
    negated: bool


Condition: TypeAlias = Compare | Empty


@dataclass(frozen=True)
class Parsed:
    """All of `then` hold wherever all of `given` hold.

    Args:
        then: what must hold.
        given: where; empty: everywhere.
    """

    then: tuple[Condition, ...]
    given: tuple[Condition, ...] = ()


_TOKEN = re.compile(
    r"(?P<name>`[^`]+`)|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<date>\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?)(?!\w)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])"
    r"|(?P<sign>=>|<=|>=|==|!=|[<>=+\-*/()])|(?P<word>[^\s<>=!+\-*/()`'\",]+)"
)
_COMPARISONS = ("<", "<=", ">", ">=", "=", "!=")


def parse(text: str, columns: Sequence[str]) -> Parsed:
    """Read one constraint.

    Args:
        text: as above.
        columns: the names that there are.

    Raises:
        ValueError: saying where the text cannot be read, or which name is unknown.
    """
    return _Parser(text, columns).whole()


class _Parser:
    """Recursive descent: => binds least, then `and`, comparisons, + and -, * and /, minus."""

    def __init__(self, text: str, columns: Sequence[str]) -> None:
        self.text = text
        self.columns = columns
        self.tokens = _tokens(text, columns)
        self.at = 0

    def whole(self) -> Parsed:
        first = self.conditions()
        if self.taken("=>"):
            then = self.conditions()
            self.end()
            return Parsed(then, first)
        self.end()
        return Parsed(first)

    def end(self) -> None:
        if self.at < len(self.tokens):
            raise self.wrong(f"{self.tokens[self.at][1]!r} is not expected there")

    def conditions(self) -> tuple[Condition, ...]:
        found = [*self.condition()]
        while self.taken("and", kind="word"):
            found += self.condition()
        return tuple(found)

    def condition(self) -> list[Condition]:
        """A chain of comparisons, or `column [is] [not] missing`."""
        left = self.sum()
        if isinstance(left, Name):
            self.taken("is", kind="word")
            negated = self.taken("not", kind="word")
            if self.taken("missing", kind="word"):
                return [Empty(left.column, negated)]
            if negated:
                raise self.wrong("`missing` must follow `not`")
        found: list[Condition] = []
        while (sign := self.sign(*_COMPARISONS, "==")) is not None:
            right = self.sum()
            found.append(Compare("=" if sign == "==" else sign, left, right))
            left = right
        if not found:
            raise self.wrong("a comparison such as <= or `missing` is expected")
        return found

    def sum(self) -> Expression:
        left = self.product()
        while (sign := self.sign("+", "-")) is not None:
            left = Operation(sign, left, self.product())
        return left

    def product(self) -> Expression:
        left = self.factor()
        while (sign := self.sign("*", "/")) is not None:
            left = Operation(sign, left, self.factor())
        return left

    def factor(self) -> Expression:
        if self.taken("-"):
            return Operation("-", Literal("0", number=True), self.factor())
        if self.taken("("):
            inner = self.sum()
            if not self.taken(")"):
                raise self.wrong("a closing bracket is missing")
            return inner
        if self.at >= len(self.tokens):
            raise self.wrong("it ends too early")
        kind, word = self.tokens[self.at]
        self.at += 1
        match kind:
            case "name":
                return Name(word)
            case "number":
                return Literal(word, number=True)
            case "date" | "text" | "word":
                return Literal(word)
        raise self.wrong(f"{word!r} is not expected there")

    def sign(self, *signs: str) -> str | None:
        return next((sign for sign in signs if self.taken(sign)), None)

    def taken(self, word: str, *, kind: str = "sign") -> bool:
        """Whether the next token is this one; then it is passed."""
        found = self.at < len(self.tokens) and self.tokens[self.at] == (kind, word)
        self.at += found
        return found

    def wrong(self, why: str) -> ValueError:
        return ValueError(f"constraints: {self.text!r} cannot be read: {why}")


def _tokens(text: str, columns: Sequence[str]) -> list[tuple[str, str]]:
    """Kinds and texts."""
    names = sorted(columns, key=len, reverse=True)
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        name = next((name for name in names if _starts(text, at, name)), None)
        if name is not None:
            found.append(("name", name))
            at += len(name)
            continue
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"constraints: {text!r} cannot be read from {text[at:]!r} on")
        found.append(_token(match, text, columns))
        at = match.end()
    return found


def _starts(text: str, at: int, name: str) -> bool:
    """Whether a name stands there, and not the beginning of a longer word."""
    if not name or not text.startswith(name, at):
        return False
    after = text[at + len(name) : at + len(name) + 1]
    before = text[at - 1 : at] if at else ""
    return not (_joins(name[-1], after) or _joins(before, name[0]))


def _joins(left: str, right: str) -> bool:
    return bool(re.fullmatch(r"\w\w", left + right))


def _token(match: re.Match[str], text: str, columns: Sequence[str]) -> tuple[str, str]:
    kind, word = str(match.lastgroup), match[0]
    if kind == "name":
        word = word[1:-1]
        if word not in columns:
            raise ValueError(
                f"constraints: {text!r}: there is no column {word!r}{near(word, columns)}"
            )
    return kind, word[1:-1] if kind == "text" else word
