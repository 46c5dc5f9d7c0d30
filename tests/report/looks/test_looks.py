from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from genmodels.layout import Condition
from genmodels.report.looks.looks import WHAT, Looks
from genmodels.report.looks.neighbours import neighbour_sheet, pixel_neighbours
from genmodels.types import Images
from tests.report.looks.models import model

NUMBERS = {
    "rows": 3, "columns": 2, "keys": 2, "steps": 2, "milliseconds": 50, "megabytes": 1.0,
    "made": 3, "nearest": 2, "bank": 20, "side": 16, "projector": 8,
}  # fmt: skip
RNG = np.random.default_rng(0)


def training(shape=(1, 4, 6), rows=30):
    return Images(RNG.integers(0, 256, (rows, *shape), dtype=np.uint8))


def opened(look):
    return Image.open(BytesIO(look.data))


@pytest.mark.parametrize("shape", [(1, 4, 6), (3, 20, 9), (2, 8, 8)])
@pytest.mark.parametrize("what", WHAT)
def test_each_picture_is_a_file_of_the_size_that_it_says(what, shape):
    look = Looks(**NUMBERS)(what, model(shape=shape), training=training(shape), seed=0)
    assert look.caption
    with opened(look) as picture:
        assert picture.size == look.size
        assert picture.format.lower() == look.suffix == ("gif" if what[0] in "wm" else "png")
        assert getattr(picture, "n_frames", 1) > 1 or look.suffix == "png"


def test_large_images_are_shown_in_fewer_rows_and_columns():
    looks = Looks(**{**NUMBERS, "rows": 10, "columns": 10})
    assert looks("grid", model(shape=(3, 300, 300)), training=None, seed=0).size[0] < 1100
    assert looks("grid", model(shape=(1, 8, 8)), training=None, seed=0).size[0] > 450


def test_a_seed_decides_what_is_shown():
    looks = Looks(**NUMBERS)
    a, b, c = (looks("grid", model(), training=None, seed=seed).data for seed in (1, 1, 2))
    assert a == b != c


def test_neighbours_need_training_images_and_a_model_without_classes_has_them_too():
    looks = Looks(**NUMBERS)
    with pytest.raises(ValueError, match="no training images"):
        looks("neighbours", model(), training=None, seed=0)
    look = looks("neighbours", model(condition=Condition()), training=training(), seed=0)
    assert "in the median" in look.caption


def test_neighbours_are_the_nearest_by_root_mean_square_in_levels():
    bank = training(rows=40).pixels
    made = np.concatenate([bank[[7]], bank[[3]].clip(0, 245) + 10]).astype(np.uint8)
    index, distance, usual = pixel_neighbours(made, bank, nearest=3, bank=100, side=32, seed=0)
    gaps = made[:, None].astype(float) - bank[None].astype(float)
    all_distances = np.sqrt((gaps**2).mean((2, 3, 4)))
    np.testing.assert_array_equal(index, all_distances.argsort(1)[:, :3])
    np.testing.assert_allclose(distance, np.sort(all_distances, 1)[:, :3], rtol=1e-4, atol=1e-4)
    assert distance[0, 0] == pytest.approx(0, abs=1e-4)
    assert usual > 50


def test_a_bank_that_is_searched_in_part_gives_numbers_of_the_whole():
    bank = training(rows=40).pixels
    index, distance, _ = pixel_neighbours(bank[:5], bank, nearest=1, bank=10, side=32, seed=0)
    gaps = bank[:5].astype(float) - bank[index[:, 0]].astype(float)
    np.testing.assert_allclose(
        distance[:, 0], np.sqrt((gaps**2).mean((1, 2, 3))), rtol=1e-4, atol=1e-4
    )


def test_a_sheet_has_a_row_for_each_made_image():
    made, index = training(rows=3).pixels, np.zeros((3, 4), int)
    sheet = neighbour_sheet(made, training().pixels, index, np.ones((3, 4)), ("a", "b", "c"))
    assert sheet.height == pytest.approx(3 * 62, abs=20)
    assert sheet.width > 5 * 48


@pytest.mark.parametrize("changes", [{"rows": 0}, {"keys": 1}, {"megabytes": 0}, {"projector": -1}])
def test_sizes_are_checked(changes):
    with pytest.raises(ValueError, match="too small"):
        Looks(**{**NUMBERS, **changes})
