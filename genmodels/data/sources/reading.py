"""Many image files into one array: what `auto` comes to, decoding in threads, unreadable files."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from genmodels.data.sources.decode import (
    BROKEN,
    Alpha,
    Header,
    Policy,
    Resize,
    decode,
    read_header,
)
from genmodels.data.sources.parallel import for_chunks
from genmodels.pixels import gather, room

__all__ = ["common_size", "decide_channels", "quiet_pillow", "read_files"]

log = logging.getLogger(__name__)
T = TypeVar("T")
NAMED = 10


def read_files(
    files: list[str],
    *,
    size: tuple[int, int] | None,
    resize: Resize,
    channels: Literal["auto"] | int,
    alpha: Alpha,
    unreadable: Literal["error", "skip"],
    max_pixels: int,
    workers: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Decode every file under one policy; the options are those of `ImageFolder`.

    Returns:
        pixels (N, C, H, W) uint8 and, for each of its rows, the index of the file (N,).

    Raises:
        ValueError: sizes that differ while `size` is None, or unreadable files.
    """
    kept = np.arange(len(files))
    bad: dict[int, str] = {}
    shape, depth = size, 0 if channels == "auto" else int(channels)
    with quiet_pillow():
        if size is None or channels == "auto":
            headers = _each(files, lambda f: read_header(f, max_pixels), bad, workers, "scanning")
            _report(files, bad, unreadable)
            shape = size or common_size(files, headers)
            depth = depth or decide_channels(headers, alpha)
            kept = np.array(sorted(headers))
        assert shape is not None
        policy = Policy(
            size=size, resize=resize, channels=depth, alpha=alpha, max_pixels=max_pixels
        )
        pixels = room((len(kept), depth, *shape))

        def store(row: int) -> None:
            array = decode(files[kept[row]], policy)
            if array.shape != pixels.shape[1:]:
                raise ValueError(f"is {array.shape[1]}x{array.shape[2]} once decoded")
            pixels[row] = array

        broken: dict[int, str] = {}
        done = _each(range(len(kept)), store, broken, workers, "reading")
    bad |= {int(kept[row]): reason for row, reason in broken.items()}
    if broken:
        _report(files, bad, unreadable)
        good = np.array(sorted(done))
        pixels, kept = gather(pixels, good), kept[good]
    return pixels, kept


def _each(
    items: list[str] | range,
    call: Callable[..., T],
    bad: dict[int, str],
    workers: int | None,
    verb: str,
) -> dict[int, T]:
    """`call` on every item; what cannot be read goes to `bad` with the reason."""

    def work(start: int, stop: int) -> list[tuple[int, T | None, str]]:
        out: list[tuple[int, T | None, str]] = []
        for i in range(start, stop):
            try:
                out.append((i, call(items[i]), ""))
            except BROKEN as error:
                out.append((i, None, str(error) or type(error).__name__))
        return out

    good = {}
    for chunk in for_chunks(work, len(items), workers=workers, what=f"{verb} images"):
        for i, result, reason in chunk:
            if reason:
                bad[i] = reason
            else:
                good[i] = result
    return good  # type: ignore[return-value]


def _report(files: list[str], bad: dict[int, str], unreadable: str) -> None:
    """Name the files that cannot be read, and raise unless they may be skipped."""
    if not bad:
        return
    lines = [f"{files[i]}: {bad[i].removeprefix(f'{files[i]} ')}" for i in sorted(bad)[:NAMED]]
    more = f" (and {len(bad) - NAMED} more)" if len(bad) > NAMED else ""
    text = f"{len(bad)} of {len(files)} files cannot be read: {'; '.join(lines)}{more}"
    if unreadable == "error" or len(bad) == len(files):
        raise ValueError(f"{text}; repair or remove them, or set data.unreadable=skip")
    log.warning("%s; skipped", text)


def common_size(files: list[str], headers: dict[int, Header]) -> tuple[int, int]:
    """The (height, width) of all images.

    Args:
        files: what each image is called, for the message.
        headers: by index into `files`; at least one.

    Raises:
        ValueError: when they differ.
    """
    sizes = Counter((h.height, h.width) for h in headers.values())
    common = sizes.most_common(1)[0][0]
    odd = [i for i, h in headers.items() if (h.height, h.width) != common]
    if odd:
        some = ", ".join(
            f"{Path(files[i]).name} {headers[i].height}x{headers[i].width}" for i in odd[:3]
        )
        raise ValueError(
            f"images differ in size: most are {common[0]}x{common[1]} (height x width), "
            f"{len(odd)} are not ({some}, ...); set data.size={min(common)} or "
            f"data.size=[{common[0]},{common[1]}] to bring all to one size"
        )
    return common


def decide_channels(headers: dict[int, Header], alpha: Alpha) -> int:
    """Channels for `auto`: colour if any file has colour, alpha if kept and any file has it."""
    gray = sum(h.gray for h in headers.values())
    clear = sum(h.alpha for h in headers.values())
    channels = (1 if gray == len(headers) else 3) + (alpha == "keep" and clear > 0)
    if gray not in (0, len(headers)) or clear:
        log.info(
            "modes are mixed: %d gray, %d colour, %d of them with transparency; data.channels=auto "
            "and data.alpha=%s make %d channel(s)",
            *(gray, len(headers) - gray, clear, alpha, channels),
        )
    return channels


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Pillow's warnings about odd but readable files would come once per file."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield
