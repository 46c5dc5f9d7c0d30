"""The words of a scene: classes of objects, weathers, times of day, and what ground is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

__all__ = ["CLASSES", "SCENERIES", "STUFF", "TIMES", "WEATHERS", "Shares", "number", "span"]
__all__ += ["one_of", "shares"]

CLASSES = ("car", "truck", "bus", "bicycle", "pedestrian")
WEATHERS = ("clear", "rain", "fog", "snow")
TIMES = ("day", "dusk", "night")
SCENERIES = ("city", "suburb", "open")
STUFF = ("sky", "road", "pavement", "ground", "building", "vegetation", "pole")
"""What a semantic mask holds besides objects: number k is STUFF[k], classes come after them."""

Shares = dict[str, float]
"""How often each name comes; they add up to 1."""


def shares(key: str, told: Any, known: Sequence[str]) -> Shares:
    """Names as shares: of a list as often as they are in it, of a mapping as it says.

    Raises:
        ValueError: when there is none, one is not known, or a frequency is no number from 0.
    """
    if isinstance(told, str):
        told = [told]
    if isinstance(told, Mapping):
        weights = {one_of(key, name, known): number(f"{key}.{name}", w) for name, w in told.items()}
    elif isinstance(told, Sequence):
        weights = dict(Counter(one_of(key, name, known) for name in told))
    else:
        raise ValueError(f"simulator.{key} must be a list of {', '.join(known)}; got {told!r}")
    total = sum(weights.values())
    if total <= 0.0:
        raise ValueError(
            f"simulator.{key} names nothing: give at least one of {', '.join(known)}, with a "
            "share above 0"
        )
    return {name: weights[name] / total for name in known if weights.get(name, 0.0) > 0.0}


def one_of(key: str, name: Any, known: Sequence[str]) -> str:
    """The name, which is one of those known.

    Raises:
        ValueError: when it is not, with the nearest.
    """
    if name in known:
        return str(name)
    close = get_close_matches(str(name), known, n=1, cutoff=0.6)
    advice = f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(known)}"
    raise ValueError(f"simulator.{key}: there is no {name!r}{advice}")


def number(
    key: str, value: Any, *, least: float = 0.0, most: float = 1e6, whole: bool = False
) -> float:
    """The value, a number from `least` to `most`.

    Raises:
        ValueError: when it is none.
    """
    kinds = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        what = "a whole number" if whole else "a number"
        raise ValueError(f"simulator.{key} must be {what} from {least:g} to {most:g}, got {value}")
    return value


def span(key: str, value: Any, *, least: float, most: float) -> tuple[float, float]:
    """A number, or the two ends of a range.

    Raises:
        ValueError: when they are none, or in the wrong order.
    """
    ends = list(value) if isinstance(value, list | tuple) else [value, value]
    if len(ends) != 2:
        raise ValueError(f"simulator.{key} must be a number or [from, to], got {value}")
    low, high = (number(key, end, least=least, most=most) for end in ends)
    if low > high:
        raise ValueError(f"simulator.{key}: [{low:g}, {high:g}] must rise")
    return low, high
