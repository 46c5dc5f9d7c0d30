"""Attributes of images: what they are taken for, and what is refused."""

import json
import logging

import numpy as np
import pytest
import yaml

from genmodels.data.describe import describe_images, draft_images, explain_images, load_image_schema
from genmodels.data.images import check_images, infer_image_schema, with_known_attributes
from genmodels.data.sources.memory import Memory
from genmodels.data.sources.npz import NPZ
from genmodels.schema import Attribute, ImageSchema, schema_from_state
from genmodels.types import Images, join_images

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 1, 4, 4), dtype=np.uint8)
KNOWN = {
    "glasses": np.array([True, False, True, False, False, True]),
    "hair": np.array(["red", "blond", "red", "grey", "red", "blond"]),
    "age": np.array([20.0, 31.5, 44.0, 20.0, 63.0, 18.0]),
    "sick": np.array([0.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
    "sign": np.array([-1.0, 1.0, 1.0, -1.0, -1.0, 1.0]),
}
ALL = Images(PIXELS, attributes=KNOWN)
SCHEMA = infer_image_schema(ALL, attributes="all")


def test_kinds_follow_from_the_values():
    assert SCHEMA.attributes == (
        Attribute("glasses", "boolean"),
        Attribute("hair", "categorical", ("blond", "grey", "red")),
        Attribute("age", "continuous", minimum=18.0, maximum=63.0),
        Attribute("sick", "boolean"),
        Attribute("sign", "boolean"),
    )
    found = check_images(ALL, SCHEMA).attributes
    assert found["sign"].tolist() == [False, True, True, False, False, True]
    assert found["sick"].dtype == bool
    assert infer_image_schema(ALL).attributes == ()
    assert check_images(ALL, infer_image_schema(ALL)).attributes == {}
    assert [a.name for a in infer_image_schema(ALL, attributes=["age", "hair"]).attributes] == [
        "age",
        "hair",
    ]


def test_rows_are_taken_and_joined_with_their_attributes():
    one, two = ALL.take(np.array([4, 1])), ALL.take(np.array([0]))
    assert one.attributes["age"].tolist() == [63.0, 31.5]
    joined = join_images([one, two])
    assert joined.attributes["hair"].tolist() == ["red", "blond", "red"]
    assert (joined.pixels == PIXELS[[4, 1, 0]]).all()


def test_a_schema_survives_json_and_yaml(tmp_path):
    assert schema_from_state(json.loads(json.dumps(SCHEMA.state()))) == SCHEMA
    (tmp_path / "a.yaml").write_text(draft_images(SCHEMA), encoding="utf-8")
    assert load_image_schema(tmp_path / "a.yaml") == SCHEMA
    plain = {"kind": "images", "channels": 1, "height": 4, "width": 5, "class_names": ["a"]}
    assert ImageSchema(1, 4, 5, ("a",)).state() == plain
    assert schema_from_state(plain) == ImageSchema(1, 4, 5, ("a",))


def test_a_schema_is_described():
    assert "5 attributes (glasses, hair, age, sick, sign)" in describe_images(SCHEMA)
    text = explain_images(SCHEMA, ALL)
    assert "yes 3, no 3" in text
    assert "18 to 63" in text
    assert "3 levels: blond 2, grey 1, red 3" in text


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (np.array([1.0, np.nan, 2.0, np.nan, 3.0, 4.0]), "'x' is missing for 2 of 6 images"),
        (np.array(["", "a", "b", "a", "b", "b"]), "missing for 1 of 6"),
        (np.array([1.0, np.inf, 2.0, 5.0, 3.0, 4.0]), "'x' has infinite values"),
    ],
)
def test_values_that_cannot_be_told_are_refused(values, complaint):
    with pytest.raises(ValueError, match=complaint):
        infer_image_schema(Images(PIXELS, attributes={"x": values}), attributes="all")


def test_text_with_many_levels_is_refused():
    images = Images(
        np.zeros((101, 1, 2, 2), np.uint8), attributes={"x": np.arange(101).astype(str)}
    )
    with pytest.raises(ValueError, match="text with 101 levels, at most 100"):
        infer_image_schema(images, attributes=["x"])


def test_names_that_are_not_there_are_named_with_near_ones():
    with pytest.raises(ValueError, match=r"no attribute 'glases'; did you mean 'glasses'\?"):
        infer_image_schema(ALL, attributes=["age", "glases"])
    with pytest.raises(ValueError, match="these images have no attributes"):
        infer_image_schema(Images(PIXELS), attributes="all")


@pytest.mark.parametrize("values", [[1, 2, 3, 4, 5, 6], np.zeros(5), np.zeros((6, 2))])
def test_an_attribute_is_an_array_with_a_value_per_image(values):
    with pytest.raises(ValueError, match=r"'x' must be an array of shape \(6,\), got"):
        infer_image_schema(Images(PIXELS, attributes={"x": values}), attributes="all")


def test_a_name_that_datasets_use_otherwise_is_refused():
    images = Images(PIXELS, attributes={"label": KNOWN["age"]})
    with pytest.raises(ValueError, match="cannot be called 'label'"):
        infer_image_schema(images, attributes="all")


@pytest.mark.parametrize("wanted", [True, 5, {"age": 1}])
def test_a_wish_that_is_no_name_is_refused(tmp_path, wanted):
    complaint = "data.attributes must be all, a name or a list of names"
    with pytest.raises(ValueError, match=complaint):
        infer_image_schema(ALL, attributes=wanted)
    np.savez(tmp_path / "a.npz", images=PIXELS[:, 0], **KNOWN)
    with pytest.raises(ValueError, match=complaint):
        NPZ(path=tmp_path / "a.npz", attributes=wanted).load()


@pytest.mark.parametrize("values", [["a", None] * 3, ["a", np.nan] * 3, [b"a", b"b"] * 3])
def test_an_attribute_of_objects_is_refused_with_advice(values):
    kind = "S1" if isinstance(values[0], bytes) else object
    images = Images(PIXELS, attributes={"x": np.array(values, kind)})
    for call in (lambda: infer_image_schema(images), lambda: check_images(images, SCHEMA)):
        with pytest.raises(ValueError, match=r"'x' must be .* give text as values.astype\(str\)"):
            call()


def test_no_images_have_any_schema():
    none = ALL.take(np.arange(0))
    found = check_images(none, SCHEMA)
    assert len(found) == 0
    assert set(found.attributes) == set(KNOWN)
    strange = Images(PIXELS, attributes=KNOWN | {"hair": np.full(6, "green")})
    dropped = check_images(strange, SCHEMA, unfit="drop")
    assert len(with_known_attributes(dropped, ALL, SCHEMA)) == 0
    with pytest.raises(ValueError, match="with at least one image"):
        infer_image_schema(none)
    text = Images(PIXELS[:0], attributes=KNOWN | {"age": KNOWN["hair"]}).attributes
    with pytest.raises(ValueError, match="'age' is text"):
        check_images(Images(PIXELS[:0], attributes={k: v[:0] for k, v in text.items()}), SCHEMA)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([{"name": "label", "kind": "continuous"}], "cannot be called 'label'"),
        ([{"name": 3, "kind": "boolean"}], "must be text, got 3"),
        ([{"name": "a", "kind": "boolean"}] * 2, "attributes occur more than once: 'a'"),
        ([{"name": "a", "kind": "categorical", "levels": ["x", "x"]}], "a level occurs more"),
        ([{"name": "a", "kind": "categorical", "levels": [True, "x"]}], "must be text, got True"),
        ([{"name": "a", "kind": "categorical"}], "needs `levels`"),
    ],
)
def test_a_schema_of_the_user_is_checked(tmp_path, rows, complaint):
    state = ImageSchema(1, 4, 4).state() | {"attributes": rows}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(state), encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        load_image_schema(tmp_path / "a.yaml")


def test_levels_of_a_schema_may_be_whole_numbers():
    row = {"name": "a", "kind": "categorical", "levels": [1, 2]}
    state = ImageSchema(1, 4, 4).state() | {"attributes": [row]}
    assert schema_from_state(state).attributes[0].levels == ("1", "2")


def test_what_never_changes_is_left_out_with_a_warning(caplog):
    images = Images(PIXELS, attributes=KNOWN | {"same": np.full(6, 3.0)})
    with caplog.at_level(logging.WARNING):
        assert infer_image_schema(images, attributes="all") == SCHEMA
    assert "attribute 'same' is always 3.0" in caplog.text


def test_images_that_training_had_not_are_an_error_dropped_or_kept():
    other = Images(PIXELS, attributes=KNOWN | {"hair": np.array(["red"] * 4 + ["green", "red"])})
    with pytest.raises(ValueError, match=r"'hair': 1 of 6 images .* the first 'green'"):
        check_images(other, SCHEMA)
    assert check_images(other, SCHEMA, unfit="drop").attributes["age"].tolist() == [
        20,
        31.5,
        44,
        20,
        18,
    ]
    assert check_images(other, SCHEMA, unfit="keep").attributes["hair"][4] == "green"
    gaps = Images(PIXELS, attributes=KNOWN | {"age": np.where(KNOWN["age"] > 40, np.nan, 1.0)})
    kept = check_images(gaps, SCHEMA, unfit="keep")
    assert (len(kept), set(kept.attributes)) == (6, set(KNOWN) - {"age"})
    assert len(check_images(gaps, SCHEMA, unfit="drop")) == 4
    with pytest.raises(ValueError, match="has the attribute 'glasses', but the images have no"):
        check_images(Images(PIXELS), SCHEMA)
    assert check_images(Images(PIXELS), SCHEMA, unfit="keep").attributes == {}
    text = Images(PIXELS, attributes=KNOWN | {"age": KNOWN["hair"]})
    with pytest.raises(ValueError, match="'age' is text such as 'red'"):
        check_images(text, SCHEMA)


def test_numbers_can_be_categories_and_words_yes_or_no():
    schema = ImageSchema(
        1,
        4,
        4,
        (),
        (Attribute("n", "categorical", ("0.5", "2000000")), Attribute("word", "boolean")),
    )
    known = {"n": np.array([2e6, 0.5]), "word": np.array(["Yes", "false"])}
    found = check_images(Images(PIXELS[:2], attributes=known), schema).attributes
    assert found["n"].tolist() == ["2000000", "0.5"]
    assert found["word"].tolist() == [True, False]


def test_the_fingerprint_in_memory_knows_attributes():
    other = Images(PIXELS, attributes=KNOWN | {"age": KNOWN["age"] + 1})
    prints = {Memory(raw=raw).fingerprint() for raw in (ALL, other, Images(PIXELS))}
    assert len(prints) == 3
