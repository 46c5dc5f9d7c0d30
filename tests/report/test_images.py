import numpy as np
import pytest

from genmodels.metrics.images import shuffled_pixels
from genmodels.report.html import to_html
from genmodels.report.images import ImageSuite
from genmodels.report.pictures import image_rows
from genmodels.report.summary import summary, verdict
from genmodels.schema import ImageSchema
from genmodels.types import Images
from tests.metrics.bars import bars

SUITE = ImageSuite(images=300, neighbours=300, k=5, steps=40, side=32, copies=100, shown=6)
SCHEMA = ImageSchema(1, 8, 8, ("vertical", "horizontal"))


def judge(train, holdout, synthetic):
    return SUITE(train, holdout, synthetic, SCHEMA, target=None, seed=0, progress=lambda _: None)


def verdicts(report):
    return {row.metric.split(",")[0]: verdict(row) for row in report.rows}


def test_a_fresh_sample_passes_and_brings_its_picture():
    report = judge(bars(400, 1), bars(300, 2), bars(400, 3))
    assert all("held-out real data" in v and "clearly" not in v for v in verdicts(report).values())
    assert report.sections[0].pictures[0].png.startswith(b"\x89PNG")
    assert not any("FID" in row.metric for row in report.rows)
    assert len(to_html(report)) < 1_000_000


def test_shuffled_pixels_fail():
    other = bars(400, 3)
    made = Images(shuffled_pixels(other.pixels, 0), other.labels, other.class_names)
    found = verdicts(judge(bars(400, 1), bars(300, 2), made))
    assert "shuffled data" in found["FD[domain-cnn]"]
    assert "held-out real data" not in found["accuracy"]


def test_copies_are_the_first_thing_said():
    train = bars(400, 1)
    assert summary(judge(train, bars(300, 2), train))[0].startswith(
        "Memorisation: as bad as copies"
    )


def test_unlabelled_images_get_distances_and_a_remark():
    plain = [Images(bars(n, k).pixels) for n, k in ((60, 1), (50, 2), (40, 3))]
    report = judge(*plain)
    assert any("random-conv" in row.metric for row in report.rows)
    assert any("no labels" in remark for remark in report.remarks)


def test_other_shapes_and_too_few_images_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        judge(bars(20, 1), bars(20, 2), bars(20, 3, side=10))
    with pytest.raises(ValueError, match="too few"):
        judge(bars(20, 1), bars(20, 2), bars(4, 3))


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_pictures_take_any_number_of_channels(channels):
    images = np.zeros((3, channels, 4, 5), np.uint8)
    assert image_rows([images, images[:2]], scale=2).startswith(b"\x89PNG")
