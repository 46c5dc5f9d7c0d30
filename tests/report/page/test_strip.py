"""The strip beside a figure: left is good, whatever the direction of the figure."""

import re

import pytest

from genmodels.report.page.strip import strip
from tests.report.made import row


def places(svg):
    disc = float(re.search(r'class="synthetic" cx="([\d.]+)"', svg).group(1))
    square = re.search(r'class="independent" d="M([\d.]+)', svg)
    ends = re.search(r'class="range" d="M([\d.]+) \d+H([\d.]+)"', svg)
    floor = None if square is None else float(square.group(1)) + 3.5
    return disc, floor, None if ends is None else tuple(map(float, ends.groups()))


@pytest.mark.parametrize(
    ("better", "ceiling", "floor", "good", "bad"),
    [
        ("lower", 0.0, 1.0, 0.1, 0.9),
        ("higher", 0.9, 0.5, 0.86, 0.54),
        ("near", 0.5, 1.0, 0.45, 0.95),
    ],
)
def test_better_is_further_left_in_every_direction(better, ceiling, floor, good, bad):
    found = [
        places(strip(row(v, ceiling=ceiling, independent=floor, better=better)))
        for v in (ceiling, good, bad, floor)
    ]
    discs = [disc for disc, _, _ in found]
    assert discs == sorted(discs)
    assert discs[0] == pytest.approx(14.0)
    assert discs[-1] == pytest.approx(136.0) == pytest.approx(found[0][1])
    assert (discs[1] - 14) / 122 == pytest.approx(0.1)


def test_values_far_beyond_the_floor_stay_on_the_strip():
    disc, floor, _ = places(strip(row(50.0)))
    assert disc == 136.0
    assert 60 < floor < 136


def test_chance_does_not_fill_the_track_where_the_floor_says_nothing():
    disc, _, _ = places(strip(row(0.002, independent=0.0, scale=0.2)))
    assert disc < 14 + 0.05 * 122


def test_the_interval_lies_around_the_value():
    disc, _, (low, high) = places(strip(row(0.4, interval=(0.3, 0.55))))
    assert low < disc < high


def test_a_figure_without_reference_has_no_strip_and_names_are_escaped():
    assert strip(row(1.0, ceiling=None)) == ""
    assert "<script" not in strip(row(1.0, metric='"><script>'))
