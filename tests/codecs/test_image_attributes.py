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
    kept = np.isin(images.attributes["position"], places)
    assert kept.sum() <= 2  # the ends of the range
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
    known = {"dose": np.array([0.0, 5.0, 50.0, 5.0])}
    codec, _ = fitted(Images(np.zeros((4, 1, 2, 2), np.uint8), attributes=known))
    assert codec.condition.combinations.facets[0].knots == (0.0, 5.0, 50.0)
    assert codec.condition.combinations.features[:, :3].tolist() == np.eye(3).tolist()


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
