from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from genmodels.report.looks.animation import encode_gif


def frames(count, *, noise=0, side=40):
    rng = np.random.default_rng(0)
    made = []
    for k in range(count):
        x = np.full((side, side, 3), 20 + 200 * k // count, np.int64)
        x += rng.integers(0, noise + 1, x.shape)
        made.append(Image.fromarray(x.clip(0, 255).astype(np.uint8)))
    return made


def read(data):
    with Image.open(BytesIO(data)) as gif:
        shown = []
        for k in range(gif.n_frames):
            gif.seek(k)
            shown.append((np.asarray(gif.convert("RGB")).mean(), gif.info["duration"]))
        return shown, gif.info.get("loop"), gif.size


def test_pictures_come_back_in_their_order_and_repeat_for_ever():
    given = frames(6)
    shown, loop, size = read(encode_gif(given, milliseconds=80, most_bytes=100_000))
    assert loop == 0
    assert size == (40, 40)
    assert [duration for _, duration in shown] == [80] * 6
    expected = [np.asarray(frame).mean() for frame in given]
    assert [mean for mean, _ in shown] == pytest.approx(expected, abs=3)


def test_what_is_too_large_loses_colours_and_then_every_second_picture():
    given = frames(16, noise=30)
    rich = encode_gif(given, milliseconds=50, most_bytes=10**9)
    plain = encode_gif(given, milliseconds=50, most_bytes=len(rich) - 1)
    assert len(plain) < len(rich)
    assert len(read(plain)[0]) == 16
    small = encode_gif(given, milliseconds=50, most_bytes=len(rich) // 6)
    shown, _, _ = read(small)
    assert len(small) <= len(rich) // 6
    assert len(shown) < 16
    assert sum(duration for _, duration in shown) == 16 * 50


def test_two_pictures_are_written_whatever_they_need():
    assert len(read(encode_gif(frames(8), milliseconds=50, most_bytes=1))[0]) == 2
