"""Pictures of a report: readable axes, one colour per meaning, no failure on ugly data."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from genmodels.report.page.canvas import REAL, SYNTHETIC, THIRD, ascii_text, canvas, colours_of
from genmodels.report.page.marginals import draw_histogram
from genmodels.report.page.pictures import (
    curves,
    grouped_bars,
    heat_map,
    histogram,
    level_bars,
    scatter,
)

NASTY = ("<script>alert(1)</script>", '"q"', "$x$", "\U0001f600", "y" * 200, "a\nb", "_hidden", "")


def drawn(png):
    with Image.open(BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def near(pixels, colour, reach=40):
    want = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return int((np.abs(pixels - want).sum(-1) < reach).sum())


def x_ticks(values, **options):
    figure, axes = canvas(2.4, 1.5)
    draw_histogram(axes, values, values, **options)
    figure.canvas.draw()
    return axes, [label.get_text() for label in axes.get_xticklabels()]


def test_dates_read_as_dates():
    days = np.array(["2013-01-01", "2014-07-01", "2016-12-31"], "datetime64[s]").astype(float)
    _, ticks = x_ticks(np.repeat(days, 9), dates=True)
    assert {"2014", "2016"} <= set(ticks)


@pytest.mark.parametrize("span", [1.0, 3.6e3, 8.64e4, 3e5, 3e6, 3e7, 3e8, 3e9])
def test_any_span_of_dates_gets_a_few_ticks(span):
    _, ticks = x_ticks(1.4e9 + span * np.linspace(0, 1, 50), dates=True)
    assert 1 <= len([t for t in ticks if t]) <= 8


def test_a_heavy_tail_gets_an_axis_that_shows_its_body():
    values = np.exp(3 * np.random.default_rng(0).normal(size=4000))
    axes, _ = x_ticks(values)
    edges = axes.patches[0].get_data().edges
    counts = np.histogram(values, edges)[0]
    assert axes.get_xscale() == "asinh"
    assert counts.max() < 0.5 * len(values)
    assert x_ticks(np.linspace(0, 1, 100))[0].get_xscale() == "linear"


def test_a_constant_and_another_constant_are_drawn_apart():
    _, axes = canvas(2.4, 1.5)
    draw_histogram(axes, np.full(9, 3.0), np.full(9, 4.0))
    _, real, made = (patch.get_data().values for patch in axes.patches)
    assert real.argmax() != made.argmax()


def test_whole_numbers_get_a_bin_each_or_equally_many_share_one():
    for span in (55, 62, 79, 83, 1000):
        axes, _ = x_ticks(np.repeat(np.arange(float(span)), 40))
        inner = axes.patches[0].get_data().values[1:-2]
        assert inner.max() == pytest.approx(inner.min())
        assert inner.min() > 0


def test_synthetic_is_drawn_in_its_colour_and_real_in_its_own():
    ones, twos = np.ones(50), np.full(50, 2.0)
    pixels = drawn(grouped_bars(["g"], {"real": ones[:1], "synthetic": twos[:1]}))
    assert near(pixels, REAL) > 100
    assert near(pixels, SYNTHETIC) > 1.5 * near(pixels, REAL)
    assert near(drawn(level_bars(ones.astype(int), twos.astype(int), ("a", "b"))), SYNTHETIC) > 100
    empty = np.zeros((0, 2))
    points = np.random.default_rng(0).normal(size=(500, 2))
    full, none = (near(drawn(scatter(points, made)), SYNTHETIC) for made in (points, empty))
    assert full > none + 60


@pytest.mark.parametrize(
    ("names", "colours"),
    [
        (["held-out real", "synthetic"], [REAL, SYNTHETIC]),
        (["training", "held-out real", "synthetic"], [REAL, THIRD, SYNTHETIC]),
        (["trained on synthetic", "hybrid (real + synthetic)"], [SYNTHETIC, THIRD]),
    ],
)
def test_a_name_has_one_colour(names, colours):
    assert colours_of(names) == colours
    assert len(set(colours_of([*"abcdefg", "real"]))) > 4


def test_nasty_names_and_values_never_fail():
    bars = np.array([np.nan, np.inf, 0.0, 1.0, 2.0, -1.0, 3.0, 0.5])
    for k in range(4):
        series = dict.fromkeys(NASTY[:k], bars)
        pictures = [
            grouped_bars(NASTY, series, errors=dict.fromkeys(series, np.abs(bars))),
            curves([(name, bars, bars) for name in NASTY[: 2 * k]], x_label="$", y_label=NASTY[0]),
        ]
        assert all(p.startswith(b"\x89PNG") for p in pictures)
    rows = np.arange(9)
    assert level_bars(rows, rows[:0], NASTY).startswith(b"\x89PNG")
    assert heat_map([np.full((2, 2), np.nan)], ["$x$"]).startswith(b"\x89PNG")
    assert grouped_bars([], {}).startswith(b"\x89PNG")


@pytest.mark.parametrize("dates", [False, True])
@pytest.mark.parametrize(
    "values",
    [[], [np.nan] * 3, [2.0], [-1e300, 1e300], [1e-300, 3e-300], [1e16] * 4, [0.0] * 9 + [1e12]],
)
def test_histograms_of_ugly_numbers_never_fail(values, dates):
    real = np.array(values)
    for made in (real, real[:0], np.array([1e308, -5.0, np.nan])):
        assert histogram(real, made, dates=dates).startswith(b"\x89PNG")


def test_scatter_of_points_that_are_not_finite_leaves_them_out():
    bad = np.array([[np.nan, 1.0], [np.inf, 0.0], [1e300, -1e300], [0.0, 0.0]])
    assert scatter(bad, bad[:0], other=bad).startswith(b"\x89PNG")


def test_pictures_are_small():
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    assert len(histogram(x, x + 0.1)) < 5_000
    assert len(level_bars(rng.integers(0, 9, 99), rng.integers(0, 9, 99), NASTY)) < 6_000
    points = rng.normal(size=(5000, 2))
    assert len(scatter(points, points, other=points)) < 60_000


def test_texts_are_plain_and_short():
    assert ascii_text("caf\u00e9\n$x$", width=20) == "caf? $x$"
    assert ascii_text("_a") == " _a"
    assert len(ascii_text("y" * 200)) == 14
