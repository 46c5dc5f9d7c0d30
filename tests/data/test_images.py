import numpy as np
import pyarrow as pa
import pytest

from genmodels.data.images import check_images, infer_image_schema
from genmodels.schema import ImageSchema, schema_from_state
from genmodels.types import Images

PIXELS = np.zeros((4, 2, 3, 5), np.uint8)
LABELLED = Images(PIXELS, np.array([0, 1, 1, 0]), ("a", "b"))


def test_the_schema_is_shape_and_names_and_survives_json():
    schema = infer_image_schema(LABELLED)
    assert schema == ImageSchema(2, 3, 5, ("a", "b"))
    assert schema_from_state(schema.state()) == schema


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 3, 5), np.uint8), np.zeros((4, 2, 3, 5)), np.zeros((0, 1, 2, 2), "u1")]
)
def test_other_arrays_are_no_images(wrong):
    with pytest.raises(ValueError, match="uint8 array"):
        infer_image_schema(Images(wrong))


def test_a_table_is_no_image():
    with pytest.raises(ValueError, match="is this a table"):
        check_images(pa.table({"a": [1]}), ImageSchema(2, 3, 5))


def test_another_shape_is_refused_with_both_shapes_and_advice():
    with pytest.raises(ValueError, match=r"3x5.*2 channel.*8x5.*data\.size=\[8,5\]"):
        check_images(LABELLED, ImageSchema(2, 8, 5))


def test_unlabelled_images_pass_and_labels_without_classes_are_left_out():
    assert check_images(Images(PIXELS), ImageSchema(2, 3, 5, ("a", "b"))).labels is None
    assert check_images(LABELLED, ImageSchema(2, 3, 5)).labels is None


def test_unknown_classes_are_named_but_only_if_they_occur():
    with pytest.raises(ValueError, match=r"'b' are not in the schema.*'a', 'c'"):
        check_images(LABELLED, ImageSchema(2, 3, 5, ("a", "c")))
    only = Images(PIXELS, np.zeros(4, np.int64), ("a", "b"))
    assert check_images(only, ImageSchema(2, 3, 5, ("c", "a"))).labels.tolist() == [1] * 4
