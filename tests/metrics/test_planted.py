import numpy as np
import pytest

from genmodels.metrics.planted import FAILURES, SCHEMA, table_world
from genmodels.metrics.planted_images import IMAGE_FAILURES, image_world
from genmodels.types import Images

WORLD = table_world(400, 0)
NAMES = {failure.name: failure for failure in FAILURES}


def planted(name, seed=0):
    return NAMES[name].plant(WORLD, seed)


def test_the_world_repeats_itself_and_has_the_columns_of_its_schema():
    again = table_world(400, 0)
    assert again.train.equals(WORLD.train)
    assert not WORLD.train.equals(WORLD.holdout)
    assert tuple(WORLD.train.column_names) == SCHEMA.names


@pytest.mark.parametrize("failure", FAILURES, ids=lambda f: f.name)
def test_a_failure_keeps_types_and_numbers_of_rows(failure):
    broken = failure.plant(WORLD, 0)
    for part in ("train", "holdout", "synthetic"):
        assert getattr(broken, part).schema == WORLD.train.schema
        assert getattr(broken, part).num_rows == 400
    assert failure.caught_by


def test_failures_are_what_they_are_called():
    assert set(planted("a dropped mode").synthetic["region"].to_pylist()) == {
        "north", "east", "west", "island"
    }  # fmt: skip
    assert planted("copies of the training rows").synthetic.num_rows == 400
    spent = WORLD.synthetic["spending"].to_numpy()
    cut = planted("cut tails").synthetic["spending"].to_numpy()
    assert cut.max() <= np.quantile(spent, 0.98)
    assert cut.min() >= np.quantile(spent, 0.02)
    labels = [w.synthetic["returns"].to_numpy() for w in (WORLD, planted("flipped labels"))]
    assert 0.25 < (labels[0] != labels[1]).mean() < 0.45
    leaked = planted("a test row leaked into training")
    rows = {str(row) for row in leaked.holdout.to_pylist()}
    assert sum(str(row) in rows for row in leaked.train.to_pylist()) == 1


def test_image_failures_keep_shape_and_number():
    rng = np.random.default_rng(0)
    images = Images(
        rng.integers(0, 255, (90, 1, 8, 8)).astype(np.uint8), rng.integers(0, 5, 90), tuple("abcde")
    )
    world = image_world(images, 0)
    for failure in IMAGE_FAILURES:
        made = failure.plant(world, 0).synthetic
        assert made.pixels.shape == world.synthetic.pixels.shape
        assert made.pixels.dtype == np.uint8
    dropped = next(failure for failure in IMAGE_FAILURES if failure.name == "a dropped class")
    made = dropped.plant(world, 0).synthetic
    assert 3 not in made.labels


def test_few_distinct_rows_are_one_in_twenty():
    rows = [str(row) for row in planted("few distinct rows repeated").synthetic.to_pylist()]
    assert len(set(rows)) == 20
    assert {rows.count(row) for row in set(rows)} == {20}
