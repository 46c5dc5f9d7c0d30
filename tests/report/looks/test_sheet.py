import numpy as np
import pytest

from genmodels.report.looks.sheet import cell_side, draw_grid, to_rgb

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
def test_the_grid_places_every_image_enlarged_by_whole_factors(channels):
    pixels = RNG.integers(0, 256, (6, channels, 8, 16), dtype=np.uint8)
    grid = np.asarray(draw_grid(pixels, 2))
    cells = to_rgb(pixels)
    assert grid.shape == (2 * 34 + 2, 3 * 66 + 2, 3)
    for i in range(6):
        y, x = 2 + 34 * (i // 3), 2 + 66 * (i % 3)
        assert (grid[y : y + 32 : 4, x : x + 64 : 4] == cells[i]).all()


def test_names_widen_the_grid_on_the_left():
    pixels = np.zeros((4, 1, 8, 8), np.uint8)
    plain, named = draw_grid(pixels, 2), draw_grid(pixels, 2, ("short", "much longer"))
    left = named.width - plain.width
    assert left > 40
    assert (np.asarray(named)[:, left:] == np.asarray(plain)).all()
    assert (np.asarray(named)[:, :left] < 128).any()


def test_transparency_is_shown_over_white():
    pixels = np.array([100, 200, 50, 0], np.uint8).reshape(1, 4, 1, 1)
    assert to_rgb(pixels).ravel().tolist() == [255, 255, 255]
    assert to_rgb(pixels[:, :3]).ravel().tolist() == [100, 200, 50]
    assert to_rgb(pixels[:, :1]).ravel().tolist() == [100, 100, 100]


def test_what_is_written_above_below_and_at_the_foot_moves_no_image_within_its_row():
    pixels = RNG.integers(0, 256, (6, 1, 32, 32), dtype=np.uint8)
    plain = np.asarray(draw_grid(pixels, 2))
    told = draw_grid(pixels, 2, above=("a", "b", "c"), below=["1"] * 6, foot="a line")
    drawn = np.asarray(told)
    assert drawn.shape[0] == plain.shape[0] + 12 + 2 * 12 + 16
    assert (drawn[12 : 12 + 34] == plain[:34]).all()
    assert (drawn[12 + 34 + 12 : 12 + 34 + 12 + 34] == plain[34:68]).all()
    for part in (drawn[:12], drawn[46:58], drawn[-16:]):
        assert (part < 128).any()


def test_the_first_columns_can_stand_apart():
    pixels = np.zeros((3, 1, 32, 32), np.uint8)
    gap = np.asarray(draw_grid(pixels, 1, first=1)).shape[1]
    assert gap == np.asarray(draw_grid(pixels, 1)).shape[1] + 12


@pytest.mark.parametrize(("smallest", "side"), [(32, 32), (48, 48), (33, 40)])
def test_images_are_as_large_as_asked(smallest, side):
    grid = draw_grid(np.zeros((1, 3, 8, 8), np.uint8), 1, smallest=smallest)
    assert grid.size == (side + 4, side + 4)
    assert cell_side(8, 8, smallest) == side + 2
