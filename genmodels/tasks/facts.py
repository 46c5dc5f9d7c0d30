"""What is said of every dataset that is written: by which versions, and how fast."""

from __future__ import annotations

import logging
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from genmodels import __version__

__all__ = ["say_rate", "versions"]

logger = logging.getLogger(__name__)


def versions() -> dict[str, str]:
    """What the bytes of a dataset depend on besides its settings."""
    found = {"genmodels": __version__, "python": platform.python_version()}
    for name in ("torch", "numpy", "pyarrow", "pillow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def say_rate(out: Path, rows: int, seconds: float) -> None:
    """One line for people: where a dataset is, and how fast it came."""
    rate = f"{rows / seconds:,.{0 if rows >= 10 * seconds else 1}f} rows/s"
    logger.info("%s: %s rows in %.1f s (%s)", out, f"{rows:,}", seconds, rate)
