"""The codec of images with attributes: what it keeps, and what rows are told."""

import json

import numpy as np
import pytest

from genmodels.codecs.image import ImageCodec
from genmodels.codecs.load import codec_from_state
from genmodels.data.images import check_images, infer_image_schema
from genmodels.types import Images
from tests.attributes import barred


def fitted(images):
    schema = infer_image_schema(images, attributes="all")
    images = check_images(images, schema)
    return ImageCodec.fit(images, schema, seed=0), images


def test_what_is_kept_are_rounded_combinations_and_their_shares():
    codec, images = fitted(barred(2000))
    (group,) = codec.condition.groups
    told = codec.condition.combinations
    assert group.name == "attributes"
    assert [facet.name for facet in told.facets] == ["label", "position", "dark"]
    assert codec.condition.width == 2 + (12 + 2) + 2
    places = told.values[:, told.find("position")]
    assert len(np.unique(places)) <= 256
    assert not np.isin(images.attributes["position"], places).any()
    weights = np.array(group.frequencies)
    assert weights.sum() == pytest.approx(1.0)
    dark = told.values[:, told.find("dark")]
    assert weights @ dark == pytest.approx(images.attributes["dark"].mean())


def test_rows_are_told_exact_numbers():
    codec, images = fitted(barred(300))
    condition, codes = codec.combinations(images)
    assert codes.shape == (300, 1)
    labels, attributes = condition.combinations.told(codes[:, 0])
    assert (labels == images.labels).all()
    assert (attributes["position"] == images.attributes["position"]).all()
    assert condition.width == codec.condition.width
    other, _ = codec.combinations(images.take(np.arange(7)))
    assert other.width == codec.condition.width
    assert len(other.combinations) == 7


def test_a_number_with_few_values_has_a_knot_at_each():
    known = {"dose": np.repeat([0.0, 5.1, 50.0], 8)}
    codec, _ = fitted(Images(np.zeros((24, 1, 2, 2), np.uint8), attributes=known))
    told = codec.condition.combinations
    assert told.values[:, 0].tolist() == [0.0, 5.1, 50.0]
    assert told.facets[0].knots == (0.0, 5.1, 50.0)
    assert told.features[:, :3].tolist() == np.eye(3).tolist()


@pytest.mark.parametrize("n", [5, 100, 511, 766, 1531, 2000])
def test_no_number_of_few_rows_is_kept_but_the_ends(n):
    """Quantiles are data points whenever their places in the order are whole."""
    codec, images = fitted(barred(n, upright=True, labelled=False))
    told, exact = codec.condition.combinations, images.attributes["position"]
    kept = told.values[:, told.find("position")]
    assert len(np.unique(kept)) == max(1, min(256, n // 8))
    assert not np.isin(kept, exact).any()
    knots = np.array(told.facets[told.find("position")].knots)
    assert knots[[0, -1]].tolist() == [exact.min(), exact.max()]
    assert not np.isin(knots[1:-1], exact).any()


def test_a_rare_number_joins_its_neighbours():
    ages = np.repeat([20.0, 30.0, 40.0, 41.0, 90.0], [9, 8, 3, 13, 1])
    codec, _ = fitted(Images(np.zeros((34, 1, 2, 2), np.uint8), attributes={"age": ages}))
    told = codec.condition.combinations
    last = (3 * 40 + 13 * 41 + 90) / 17
    assert told.values[:, 0].tolist() == pytest.approx([20.0, 30.0, last])
    assert codec.condition.groups[0].frequencies == pytest.approx((9 / 34, 8 / 34, 17 / 34))
    assert told.facets[0].knots == pytest.approx((20.0, 30.0, last, 90.0))


def test_the_codec_survives_json_and_decodes_what_was_told():
    codec, images = fitted(barred(50))
    again = codec_from_state(json.loads(json.dumps(codec.state())))
    assert again.state() == codec.state()
    rows = np.array([3, 0, 3])
    encoded = codec.encode(images.take(rows), seed=0)
    made = again.decode(encoded, conditions=rows, rng=np.random.default_rng(0))
    values = codec.condition.combinations.values[rows]
    assert made.labels.tolist() == values[:, 0].astype(int).tolist()
    assert made.class_names == images.class_names
    assert made.attributes["position"].tolist() == values[:, 1].tolist()
    assert made.attributes["dark"].dtype == bool


def test_images_without_what_is_told_are_refused():
    codec, images = fitted(barred(50))
    with pytest.raises(ValueError, match="no attribute 'position'"):
        codec.combinations(Images(images.pixels, images.labels, images.class_names))
    with pytest.raises(ValueError, match="no labels"):
        codec.combinations(Images(images.pixels, attributes=images.attributes))
    schema = infer_image_schema(images, attributes="all")
    with pytest.raises(ValueError, match="the schema has the attribute 'position'"):
        ImageCodec.fit(Images(images.pixels, images.labels, images.class_names), schema, seed=0)
