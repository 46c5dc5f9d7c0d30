"""Attributes of images: what they are taken for, where they are read from, what is refused."""

import csv
import json
import logging

import numpy as np
import pytest
from PIL import Image

from genmodels.data.describe import describe_images, draft_images, explain_images, load_image_schema
from genmodels.data.images import check_images, infer_image_schema
from genmodels.data.open import open_source
from genmodels.data.sources.imagefolder import ImageFolder
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


def folder(root, kind, *, classes):
    """Six pictures and a list of them in another order."""
    rows = []
    for i, pixels in enumerate(PIXELS):
        name = f"{'ab'[i % 2]}/{i}.png" if classes else f"{i}.png"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[0]).save(root / name)
        row = {"file_name": name, "label": i % 2} | {k: v[i].item() for k, v in KNOWN.items()}
        rows.insert(0, row)
    if kind == "jsonl":
        lines = [json.dumps(row | {"box": [1, 2]}) for row in rows]
        (root / "metadata.jsonl").write_text("\n".join(lines), encoding="utf-8")
    else:
        with (root / "metadata.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return root


@pytest.mark.parametrize("classes", [True, False])
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_list_beside_the_pictures_is_read(tmp_path, kind, classes):
    root = folder(tmp_path, kind, classes=classes)
    found = ImageFolder(path=root, attributes="all").load()
    order = [0, 2, 4, 1, 3, 5] if classes else list(range(6))
    assert (found.pixels == PIXELS[order]).all()
    assert list(found.attributes) == list(KNOWN)
    for name, values in KNOWN.items():
        assert found.attributes[name].tolist() == values[order].tolist()
    assert ImageFolder(path=root).load().attributes == {}
    assert list(ImageFolder(path=root, attributes=["age"]).load().attributes) == ["age"]
    assert set(open_source(root).load().attributes) == set(KNOWN)
    with pytest.raises(ValueError, match="did you mean 'age'"):
        ImageFolder(path=root, attributes=["agee"]).load()


def test_the_fingerprint_of_a_folder_knows_the_attributes_that_are_read(tmp_path):
    root = folder(tmp_path, "jsonl", classes=False)
    plain, some = (ImageFolder(path=root, attributes=a).fingerprint() for a in (None, ["age"]))
    file = root / "metadata.jsonl"
    file.write_text(file.read_text().replace("63.0", "64.0"))
    assert ImageFolder(path=root).fingerprint() == plain
    assert ImageFolder(path=root, attributes=["age"]).fingerprint() not in (plain, some)


def test_a_picture_that_is_not_in_the_list_misses_its_values(tmp_path):
    root = folder(tmp_path, "jsonl", classes=False)
    file = root / "metadata.jsonl"
    file.write_text("\n".join(file.read_text().splitlines()[:-1]))
    images = ImageFolder(path=root, attributes=["glasses", "hair"]).load()
    assert np.isnan(images.attributes["glasses"][0])
    with pytest.raises(ValueError, match="'glasses' is missing for 1 of 6"):
        infer_image_schema(images, attributes="all")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("{", "metadata.jsonl cannot be read"), ('{"age": 3}', "must say the file_name")],
)
def test_a_list_that_cannot_be_read_is_named(tmp_path, text, complaint):
    root = folder(tmp_path, "csv", classes=False)
    (root / "metadata.jsonl").write_text(text)
    assert len(ImageFolder(path=root).load()) == 6
    with pytest.raises(ValueError, match=complaint):
        ImageFolder(path=root, attributes="all").load()


def test_a_folder_without_a_list_has_no_attributes(tmp_path):
    Image.fromarray(PIXELS[0, 0]).save(tmp_path / "a.png")
    assert ImageFolder(path=tmp_path, attributes="all").load().attributes == {}
    with pytest.raises(ValueError, match=r"has no metadata.jsonl or metadata.csv"):
        ImageFolder(path=tmp_path, attributes=["age"]).load()


def test_further_arrays_of_an_npz_are_attributes(tmp_path):
    file = tmp_path / "a.npz"
    extra = {"embedding": np.zeros((6, 2)), "count": np.arange(6), "few": np.zeros(2)}
    np.savez(file, images=PIXELS[:, 0], labels=np.arange(6) % 2, **KNOWN, **extra)
    found = NPZ(path=file, attributes="all").load()
    assert set(found.attributes) == {*KNOWN, "count"}
    assert found.attributes["count"].dtype == np.float64
    assert found.labels.tolist() == [0, 1] * 3
    assert NPZ(path=file).load().attributes == {}


def test_several_labels_per_image_are_as_many_attributes(tmp_path):
    file, labels = tmp_path / "a.npz", np.arange(12).reshape(6, 2) % 3 == 0
    np.savez(file, images=PIXELS[:, 0], labels=labels.astype(int), class_names=["flu", "cold"])
    found = NPZ(path=file, attributes="all").load()
    assert found.labels is None
    assert found.attributes["cold"].tolist() == labels[:, 1].tolist()
    with pytest.raises(ValueError, match=r"data.attributes=all takes 0 and 1"):
        NPZ(path=file).load()
    np.savez(file, images=PIXELS[:, 0], labels=labels.astype(int))
    with pytest.raises(ValueError, match="`class_names` must be 2 texts"):
        NPZ(path=file, attributes="all").load()
    np.savez(file, images=PIXELS[:, 0], labels=labels + 1, class_names=["flu", "cold"])
    with pytest.raises(ValueError, match="must be 0 and 1"):
        NPZ(path=file, attributes="all").load()


def test_the_fingerprint_in_memory_knows_attributes():
    other = Images(PIXELS, attributes=KNOWN | {"age": KNOWN["age"] + 1})
    prints = {Memory(raw=raw).fingerprint() for raw in (ALL, other, Images(PIXELS))}
    assert len(prints) == 3
