"""Where many pixels live: in memory, or in a file that the system maps into it page by page.

What does not fit would otherwise end the process, or push everything else out to swap. The file
has no name once it is open, so nothing is left behind however the process ends.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

__all__ = ["gather", "room"]

log = logging.getLogger(__name__)
SHARE = 0.25
"""Of the memory that is free: more than this is mapped. A training set is held twice for a while,
as it was read and without the rows that are held out, and a network needs memory, too."""
CHUNK = 1 << 26
"""Bytes copied at a time from one file to another."""
MEMINFO = Path("/proc/meminfo")


def room(shape: tuple[int, ...]) -> np.ndarray:
    """An array of bytes to be written, uint8, mapped when it is more than a share of the memory.

    Raises:
        ValueError: when there is neither so much memory nor so much space for a file.
    """
    size = int(np.prod(shape, dtype=np.int64))
    if size <= SHARE * available():
        return np.empty(shape, np.uint8)
    folder = scratch()
    free = shutil.disk_usage(folder).free
    if size > 0.95 * free:
        raise ValueError(
            f"{shape[0]:,} images of {'x'.join(map(str, shape[1:]))} are {size / 1e9:.1f} GB: too "
            f"much for memory, and {folder} has {free / 1e9:.1f} GB for a temporary file. Choose a "
            "smaller data.size, or set TMPDIR to a folder on a larger disk"
        )
    with tempfile.TemporaryFile(dir=folder, prefix="genmodels-") as file:
        if hasattr(os, "posix_fallocate"):  # a disk that fills up says so here and now
            os.posix_fallocate(file.fileno(), 0, size)
        log.info("%.1f GB of pixels are kept in a temporary file in %s", size / 1e9, folder)
        return np.memmap(file, np.uint8, "w+", shape=shape)


def gather(pixels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`pixels[rows]`, mapped where `room` maps it; memory stays flat then."""
    out = room((len(rows), *pixels.shape[1:]))
    if not isinstance(out, np.memmap):
        return pixels[rows]
    step = max(1, CHUNK // max(1, int(np.prod(pixels.shape[1:]))))
    for start in range(0, len(rows), step):
        out[start : start + step] = pixels[rows[start : start + step]]
    return out


def scratch() -> str:
    """A folder on a disk: /tmp is memory on many machines, /var/tmp is not."""
    large = Path("/var/tmp")
    if "TMPDIR" not in os.environ and large.is_dir() and os.access(large, os.W_OK):
        return str(large)
    return tempfile.gettempdir()


def available() -> int:
    """Bytes of memory that can be taken without pushing anything out."""
    try:
        for line in MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
