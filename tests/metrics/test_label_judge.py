import numpy as np
import pytest

from genmodels.metrics.label_judge import LabelJudge
from genmodels.types import Images


def stripes(n, seed):
    """Noise with a bright upper (class 0) or lower (class 1) half."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 120, (n, 1, 8, 8), dtype=np.uint8)
    labels = np.arange(n) % 2
    for image, label in zip(pixels, labels, strict=True):
        image[:, 4 * label : 4 * label + 4] += 60
    return Images(pixels, labels, ("up", "down"))


@pytest.fixture(scope="module")
def judge():
    return LabelJudge.fit(stripes(200, 0), stripes(80, 1), 2, seed=0, steps=100, side=32)


def test_a_judge_knows_real_images_that_it_has_not_seen(judge):
    assert judge.facts["accuracy"] > 0.95
    assert (judge.facts["images"], judge.facts["held_out"]) == (200, 80)
    images = stripes(50, 2)
    chances = judge(images)
    assert chances.sum(1) == pytest.approx(np.ones(50), abs=1e-5)
    assert (chances.argmax(1) == images.labels).mean() > 0.9


def test_a_judge_comes_back_from_its_tensors_and_its_state(judge):
    again = LabelJudge.from_state(judge.state(), judge.tensors())
    images = stripes(600, 3)
    assert (again(images) == judge(images)).all()
    assert again.facts == judge.facts


def test_without_classes_there_is_nothing_to_judge():
    images = stripes(20, 0)
    bare = Images(images.pixels)
    with pytest.raises(ValueError, match="the training images have none"):
        LabelJudge.fit(bare, images, 2, seed=0, steps=1, side=8)
    with pytest.raises(ValueError, match="the held-out images have none"):
        LabelJudge.fit(images, bare, 2, seed=0, steps=1, side=8)
    with pytest.raises(ValueError, match="the training images are of one"):
        LabelJudge.fit(images.take(np.arange(0, 20, 2)), images, 2, seed=0, steps=1, side=8)
