import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from genmodels.codecs.image import ImageCodec
from genmodels.layout import Condition, Expand, ImageLayout
from genmodels.schema import ImageSchema
from genmodels.types import Images

RNG = np.random.default_rng(0)
SCHEMA = ImageSchema(2, 3, 5, ("a", "b", "c"))
PIXELS = RNG.integers(0, 256, (4, 2, 3, 5), dtype=np.uint8)
IMAGES = Images(PIXELS, np.array([0, 1, 1, 0]), SCHEMA.class_names)


@pytest.fixture
def codec():
    return ImageCodec.fit(IMAGES, SCHEMA, seed=0)


def test_decode_of_encode_is_the_identity(codec):
    encoded = codec.encode(IMAGES, seed=3)
    assert encoded["pixels"].dtype == torch.uint8
    back = codec.decode(encoded, conditions=IMAGES.labels, rng=RNG, start=7)
    assert (back.pixels == PIXELS).all()
    assert back.labels.tolist() == [0, 1, 1, 0]
    assert back.labels.dtype == np.int64
    assert back.class_names == SCHEMA.class_names


def test_the_layout_expands_what_the_codec_encodes(codec):
    dense = Expand(codec.layout)(codec.encode(IMAGES, seed=0))
    assert codec.layout == ImageLayout(2, 3, 5)
    assert torch.equal(dense, torch.from_numpy(PIXELS) / 127.5 - 1)


def test_the_condition_is_the_label_with_training_frequencies(codec):
    (group,) = codec.condition.groups
    assert (group.name, group.code, group.start) == ("label", None, None)
    assert group.frequencies == (0.5, 0.5, 0.0)
    assert group.levels == ("a", "b", "c")
    codes = codec.condition_codes(IMAGES)
    assert codes.dtype == np.int32
    assert codes.tolist() == [[0], [1], [1], [0]]


def test_unlabelled_images_have_no_condition():
    images = Images(PIXELS)
    codec = ImageCodec.fit(images, ImageSchema(2, 3, 5), seed=0)
    assert codec.condition == Condition()
    assert codec.condition_codes(images).shape == (4, 0)
    back = codec.decode(codec.encode(images, seed=0), conditions=None, rng=RNG)
    assert back.labels is None
    assert back.class_names == ()


def test_the_state_is_json_and_rebuilds_the_codec(codec):
    state = json.loads(json.dumps(codec.state()))
    assert state["codec"] == "image"
    again = ImageCodec.from_state(state)
    assert again.layout == codec.layout
    assert again.condition == codec.condition
    assert again.state() == codec.state()


def test_read_only_images_are_encoded_without_a_warning(codec):
    frozen = PIXELS.copy()
    frozen.flags.writeable = False
    encoded = codec.encode(Images(frozen), seed=0)
    encoded["pixels"].zero_()
    assert frozen.any()


def test_wrong_inputs_are_refused(codec):
    with pytest.raises(ValueError, match="the data is a table"):
        ImageCodec.fit(pa.table({"a": [1]}), SCHEMA, seed=0)
    with pytest.raises(ValueError, match=r"expected uint8 images of shape \(2, 3, 5\)"):
        codec.encode(Images(PIXELS[:, :1]), seed=0)
    with pytest.raises(ValueError, match="names 3 classes, but the images have no labels"):
        ImageCodec.fit(Images(PIXELS), SCHEMA, seed=0)
    with pytest.raises(ValueError, match="training split is empty"):
        ImageCodec.fit(Images(PIXELS[:0], np.zeros(0, int), ("a",)), SCHEMA, seed=0)
    with pytest.raises(ValueError, match="have no labels, but the model is told"):
        codec.condition_codes(Images(PIXELS))
    with pytest.raises(TypeError, match="hold no labels"):
        codec.condition_codes(codec.encode(IMAGES, seed=0))
