"""What is known of each example, and data sets below each other whatever their files."""

import numpy as np
import pyarrow as pa
import pytest

from genmodels.data.known import known_of, stacked
from genmodels.data.sources.memory import Memory
from genmodels.types import Images
from tests.attributes import barred


def test_images_are_rows_of_class_and_attributes():
    images = barred(20)
    table = known_of(Memory(raw=images))
    assert table.column_names == ["label", "position", "dark"]
    assert table["label"].to_pylist() == [images.class_names[k] for k in images.labels]
    assert table["dark"].to_pylist() == images.attributes["dark"].tolist()


def test_missing_attributes_are_null():
    known = {"kind": np.array(["a", "", "b"]), "size": np.array([1.0, np.nan, 3.0])}
    images = Images(np.zeros((3, 1, 2, 2), np.uint8), attributes=known)
    table = known_of(Memory(raw=images))
    assert table["kind"].to_pylist() == ["a", None, "b"]
    assert table["size"].to_pylist() == [1.0, None, 3.0]


def test_images_of_which_nothing_is_known_are_refused():
    with pytest.raises(ValueError, match="nothing is known of these images"):
        known_of(Memory(raw=Images(np.zeros((3, 1, 2, 2), np.uint8))))


def test_columns_of_different_types_become_what_a_schema_reads():
    text = pa.table({"n": ["1", "2"], "x": ["a", "b"], "f": [1, 2]})
    typed = pa.table(
        {"n": [3, 4], "x": pa.array(["b", None]).dictionary_encode(), "f": [0.5, None]}
    )
    both = stacked([text, typed], ["n", "x", "f"])
    assert both["n"].to_pylist() == ["1", "2", "3", "4"]
    assert both["x"].to_pylist() == ["a", "b", "b", None]
    assert both["f"].to_pylist() == [1.0, 2.0, 0.5, None]


def test_a_column_that_one_lacks_is_named():
    with pytest.raises(ValueError, match=r"the reference has no 'b'; it has 'a'"):
        stacked([pa.table({"a": [1], "b": [1]}), pa.table({"a": [2]})], ["a", "b"])
