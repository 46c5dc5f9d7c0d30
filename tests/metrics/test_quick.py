import numpy as np
import pyarrow as pa
import pytest

from genmodels.metrics.images.copies import shuffled_pixels
from genmodels.metrics.quick import image_score, table_score
from genmodels.types import Images
from tests.metrics.bars import bars
from tests.metrics.simulated import mixed, shuffled


def test_the_table_score_orders_fresh_shuffled_and_shifted():
    real, fresh = mixed(1500, 1), mixed(1500, 2)
    broken = fresh.set_column(0, "size", [np.asarray(fresh["size"]) + 3])
    scores = [table_score(real, other, 0) for other in (fresh, shuffled(fresh, 0), broken)]
    assert scores == sorted(scores)
    assert scores[0] < 0.25
    assert scores[1] > scores[0] + 0.1


def test_the_table_score_survives_wild_values_and_empty_tables():
    real = mixed(500, 1)
    wild = mixed(500, 2)
    sizes = np.asarray(wild["size"]).copy()
    sizes[:3] = [np.inf, np.nan, 1e300]
    plain, odd = (table_score(real, t, 0) for t in (wild, wild.set_column(0, "size", [sizes])))
    assert odd == pytest.approx(plain, abs=0.01)
    assert table_score(real, real.slice(0, 0), 0) == 2.0
    assert table_score(real.select(["unit"]), real.select(["unit"]), 0) == 2.0
    assert table_score(real.select(["size"]), real.select(["size"]), 0) == 0.0


def test_the_table_score_bounds_wide_and_long_tables():
    rng = np.random.default_rng(0)
    wide = pa.table({f"c{i}": rng.normal(size=20_000) for i in range(80)})
    first = table_score(wide, wide, 0)
    assert first == table_score(wide, wide, 0)
    assert first < 0.5


def test_the_image_score_orders_fresh_noisy_collapsed_and_shuffled():
    real, fresh = bars(400, 1), bars(400, 2)
    noise = np.random.default_rng(0).integers(0, 60, fresh.pixels.shape)
    noisy = np.clip(fresh.pixels.astype(int) + noise, 0, 255).astype(np.uint8)
    collapsed = np.repeat(fresh.pixels[:1], 400, axis=0)
    made = [fresh.pixels, noisy, collapsed, shuffled_pixels(fresh.pixels, 0)]
    scores = [image_score(real, Images(p, fresh.labels, real.class_names), 0) for p in made]
    assert min(scores[1:]) > scores[0]
    assert scores[0] < 0.3


def test_the_image_score_sees_swapped_labels_and_takes_unlabelled_images():
    real, fresh = bars(400, 1), bars(400, 2)
    swapped = Images(fresh.pixels, 1 - fresh.labels, fresh.class_names)
    assert image_score(real, swapped, 0) > image_score(real, fresh, 0) + 0.5
    assert image_score(real, Images(fresh.pixels), 0) < 0.3
    assert image_score(real, fresh.take(np.arange(1)), 0) == 2.0
