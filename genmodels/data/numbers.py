"""Numbers written as text: which texts are numbers, in which style, with how many decimals.

Styles: "1234.5" (plain), "1,234.5" (grouped) and "1.234,5" (decimal comma). The style is
found from the values at hand and never stored, because what is written out is plain; who reads
a table piece by piece finds it once and names it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "MISSING_WORDS",
    "STYLES",
    "Style",
    "codes_like",
    "decimals_of",
    "looks_numeric",
    "parse_integers",
    "parse_numbers",
    "style_of",
    "token_numbers",
]

MISSING_WORDS = (
    *("?", "na", "n/a", "#n/a", "#na", "<na>", "nan", "nat", "null", "none", "nil", "missing"),
    *("-", "--", "---", ".", "..", "inf", "-inf", "+inf", "infinity", "-infinity"),
    *("#value!", "#div/0!", "#ref!", "#null!", "#num!"),
)

Style = Literal["plain", "grouped", "comma"]
STYLES: tuple[Style, ...] = get_args(Style)
PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
GROUPED = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
COMMA = r"^[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d*)?$"


def parse_numbers(
    texts: pa.Array, *, counts: np.ndarray | None = None, decimal: str | None = None
) -> np.ndarray:
    """Float64 values, shape (U,), NaN where a text is no number.

    Args:
        texts: distinct texts, shape (U,).
        counts: rows per text, to weigh the styles; None: one each.
        decimal: "," when the file is known to write decimal commas, which decides "1.234"; or one
            of `STYLES`, and no other is tried.
    """
    if decimal not in (",", "comma") and (fast := _cast(texts)) is not None:
        return fast
    styles = _styles(texts)
    return styles[next((s for s in STYLES if s == decimal), _best(styles, counts, decimal))]


def style_of(texts: pa.Array, *, counts: np.ndarray, decimal: str | None = None) -> Style:
    """The style in which most rows are numbers; see `parse_numbers`."""
    if decimal != "," and _cast(texts) is not None:
        return "plain"
    return _best(_styles(texts), counts, decimal)


def _styles(texts: pa.Array) -> dict[Style, np.ndarray]:
    """The values in each style."""
    trimmed = pc.utf8_trim_whitespace(texts)
    plain = _where(trimmed, PLAIN, _plain)
    grouped = _filled(plain, _where(trimmed, GROUPED, _grouped))
    return {"plain": plain, "grouped": grouped, "comma": _where(trimmed, COMMA, _comma)}


def _best(styles: dict[Style, np.ndarray], counts: np.ndarray | None, decimal: str | None) -> Style:
    """The style that reads most rows; of equals the first, or the last in files with commas."""
    names = list(styles)[:: -1 if decimal == "," else 1]
    weights = np.ones(len(styles["plain"])) if counts is None else counts
    return max(names, key=lambda name: float(weights[np.isfinite(styles[name])].sum()))


def looks_numeric(texts: pa.Array) -> np.ndarray:
    """Which texts are numbers in one style or another; bool, shape (U,)."""
    trimmed = pc.utf8_trim_whitespace(texts)
    return np.asarray(pc.match_substring_regex(trimmed, f"{PLAIN}|{GROUPED}|{COMMA}"), bool)


def _cast(texts: pa.Array) -> np.ndarray | None:
    """All at once, or None when some text is no plain number."""
    try:
        values = np.asarray(pc.cast(texts, pa.float64()))
    except pa.ArrowInvalid:
        return None
    return values if np.isfinite(values).all() else None


def _where(texts: pa.Array, pattern: str, parse: Callable[[pa.Array], np.ndarray]) -> np.ndarray:
    fits = pc.match_substring_regex(texts, pattern)
    out = np.full(len(texts), np.nan)
    values = parse(texts.filter(fits))
    values[~np.isfinite(values)] = np.nan  # such as 1e999
    out[np.asarray(fits, bool)] = values
    return out


def _plain(texts: pa.Array) -> np.ndarray:
    unsigned = pc.utf8_ltrim(texts, "+")
    return np.array(pc.cast(unsigned, pa.float64()))


def _grouped(texts: pa.Array) -> np.ndarray:
    return _plain(pc.replace_substring(texts, ",", ""))


def _comma(texts: pa.Array) -> np.ndarray:
    return _plain(pc.replace_substring(pc.replace_substring(texts, ".", ""), ",", "."))


def _filled(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(first), second, first)


def parse_integers(texts: pa.Array) -> np.ndarray | None:
    """Exact int64 values, shape (U,), or None unless all texts are plain whole numbers."""
    try:
        return np.asarray(pc.cast(pc.utf8_ltrim(pc.utf8_trim_whitespace(texts), "+"), pa.int64()))
    except pa.ArrowInvalid:
        return None


def token_numbers(missing: tuple[str, ...]) -> np.ndarray:
    """The numbers among texts that mean missing, infinite ones too; shape (any,)."""
    values = parse_numbers(pa.array(missing, pa.string())) if missing else np.empty(0)
    infinite = [t for t in missing if t.strip().lower().lstrip("+-") in ("inf", "infinity")]
    return np.concatenate([values[np.isfinite(values)], [float(t) for t in infinite]])


def codes_like(texts: pa.Array) -> np.ndarray:
    """Which texts are digits that a number would not keep: leading zeros, or over 18 digits."""
    return np.asarray(pc.match_substring_regex(texts, r"^\s*(0\d+|\d{19,})\s*$"), bool)


def decimals_of(values: np.ndarray, most: int = 10) -> int | None:
    """Digits after the point that write all values, or None if they use full precision.

    The smallest d with |round(v 10^d) / 10^d - v| within a few units in the last place.

    Args:
        values: finite float64, any shape.
        most: digits beyond which a value counts as full precision.
    """
    values = values.ravel()
    slack = 8 * np.finfo(np.float64).eps
    for part in (values[:1000], values):
        digits = 0
        while len(part):
            scale = 10.0**digits
            off = np.abs(np.rint(part * scale) / scale - part) > slack * np.abs(part)
            part = part[off]
            digits += len(part) > 0
            if digits > most:
                return None
    largest = float(np.abs(values).max(initial=0.0))
    return digits if 10.0**-digits > 100 * slack * largest else None
