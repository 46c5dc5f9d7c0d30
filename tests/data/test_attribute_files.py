"""Attributes of images where they are read from: lists beside pictures, arrays of an `.npz`."""

import csv
import json
import logging
import zipfile

import numpy as np
import pytest
from PIL import Image

from genmodels.data.images import infer_image_schema
from genmodels.data.open import open_source
from genmodels.data.sources.imagefolder import ImageFolder
from genmodels.data.sources.npz import NPZ
from tests.data.test_attributes import KNOWN, PIXELS


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


def test_what_nobody_asked_for_does_not_keep_a_folder_from_being_read(tmp_path, caplog):
    root = folder(tmp_path, "jsonl", classes=False)
    for text in ('{"age": 3}', "{"):
        (root / "metadata.jsonl").write_text(text)
        assert open_source(root).load().attributes == {}
        assert open_source(root).fingerprint()
    assert "must say the file_name of each image: read without attributes" in caplog.text


def listed(root, rows):
    """A folder of six pictures and a list with rows that are added to `file_name`."""
    folder(root, "jsonl", classes=False)
    lines = [json.dumps({"file_name": f"{i}.png"} | row) for i, row in enumerate(rows)]
    (root / "metadata.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return ImageFolder(path=root, attributes="all")


def test_what_cannot_be_an_attribute_is_said(tmp_path, caplog):
    rows = [
        {"mixed": [1, "a"][i % 2], "box": [1], "about": "a" * 101, "ok": i, "none": None}
        for i in range(6)
    ]
    with caplog.at_level(logging.WARNING):
        assert list(listed(tmp_path, rows).load().attributes) == ["ok"]
    assert "text of at most 100 letters throughout: mixed, box, about, none" in caplog.text
    for name in ("mixed", "about"):
        with pytest.raises(ValueError, match=f"'{name}' cannot be told: it is neither yes or no"):
            ImageFolder(path=tmp_path, attributes=[name]).load()
    caplog.clear()
    assert list(ImageFolder(path=tmp_path, attributes=["ok"]).load().attributes) == ["ok"]
    assert not caplog.text


def test_a_file_that_is_listed_twice_is_said(tmp_path, caplog):
    source = listed(tmp_path, [{"age": i} for i in range(6)])
    with (tmp_path / "metadata.jsonl").open("a") as file:
        file.write('\n{"file_name": "0.png", "age": 9}\n')
    assert source.load().attributes["age"].tolist() == [9, 1, 2, 3, 4, 5]
    assert "1 files more than once: the last line counts" in caplog.text


def test_a_line_ends_with_a_newline_alone(tmp_path):
    root = folder(tmp_path, "jsonl", classes=False)
    words = ["a\u2028b", "c\u0085d"] * 3
    lines = [
        json.dumps({"file_name": f"{i}.png", "x": x}, ensure_ascii=False)
        for i, x in enumerate(words)
    ]
    (root / "metadata.jsonl").write_bytes("\r\n".join(lines).encode())
    assert ImageFolder(path=root, attributes="all").load().attributes["x"].tolist() == words


def test_words_for_nothing_are_categories_among_words_and_missing_among_numbers(tmp_path):
    root = folder(tmp_path, "jsonl", classes=False)
    (root / "metadata.jsonl").unlink()
    words, ages = ["None", "NA", "null", "N/A", "red", ""], [3, "NA", 4, "None", 5.5, ""]
    lines = [f"{i}.png,{a},{b}" for i, (a, b) in enumerate(zip(words, ages, strict=True))]
    (root / "metadata.csv").write_text("\n".join(["file_name,hair,age", *lines]))
    found = ImageFolder(path=root, attributes="all").load().attributes
    assert found["hair"].tolist() == words
    np.testing.assert_equal(found["age"], [3, np.nan, 4, np.nan, 5.5, np.nan])


@pytest.mark.parametrize("classes", [True, False])
def test_values_stay_with_their_pictures_where_some_are_skipped(tmp_path, classes):
    root = folder(tmp_path, "jsonl", classes=classes)
    (root / ("a/2.png" if classes else "2.png")).write_bytes(b"broken")
    images = ImageFolder(path=root, attributes="all", unreadable="skip").load()
    order = [0, 4, 1, 3, 5] if classes else [0, 1, 3, 4, 5]
    assert (images.pixels == PIXELS[order]).all()
    for name, values in KNOWN.items():
        assert images.attributes[name].tolist() == values[order].tolist()


def test_a_folder_without_a_list_has_no_attributes(tmp_path):
    Image.fromarray(PIXELS[0, 0]).save(tmp_path / "a.png")
    assert ImageFolder(path=tmp_path, attributes="all").load().attributes == {}
    with pytest.raises(ValueError, match=r"has no metadata.jsonl or metadata.csv"):
        ImageFolder(path=tmp_path, attributes=["age"]).load()


def test_further_arrays_of_an_npz_are_attributes(tmp_path):
    file = tmp_path / "a.npz"
    extra = {"embedding": np.zeros((6, 2)), "count": np.arange(6), "few": np.zeros(2)}
    extra["index"] = np.arange(6)  # what datasets use otherwise
    np.savez(file, images=PIXELS[:, 0], labels=np.arange(6) % 2, **KNOWN, **extra)
    found = NPZ(path=file, attributes="all").load()
    assert set(found.attributes) == {*KNOWN, "count"}
    assert found.attributes["count"].dtype == np.float64
    assert found.labels.tolist() == [0, 1] * 3
    assert NPZ(path=file).load().attributes == {}


def test_members_of_an_npz_that_are_no_attributes_are_not_read(tmp_path):
    file = tmp_path / "a.npz"
    paths = np.array([f"{i}.png" for i in range(6)], object)
    np.savez(file, images=PIXELS[:, 0], labels=np.arange(6) % 2, paths=paths, age=KNOWN["age"])
    with zipfile.ZipFile(file, "a") as archive:
        with archive.open("captions.npy", "w") as member:
            np.lib.format.write_array(member, np.full(6, "a" * 101))
        archive.writestr("notes.txt", "no array")
        archive.writestr("broken.npy", "no array")
        archive.writestr("cut.npy", (PIXELS.tobytes() + b"x")[:3])
    for source in (open_source(file), NPZ(path=file, attributes="all")):
        found = source.load()
        assert list(found.attributes) == ["age"]
        assert found.labels.tolist() == [0, 1] * 3
    with pytest.raises(ValueError, match="no attribute 'paths'"):
        NPZ(path=file, attributes=["paths"]).load()


def test_an_npz_is_read_by_wanted_name(tmp_path, monkeypatch):
    file, opened = tmp_path / "a.npz", []
    np.savez(file, images=PIXELS[:, 0], embedding=np.zeros((6, 9)), **KNOWN)
    read = np.lib.npyio.NpzFile.__getitem__
    monkeypatch.setattr(
        np.lib.npyio.NpzFile, "__getitem__", lambda a, name: opened.append(name) or read(a, name)
    )
    NPZ(path=file, attributes="age").load()
    assert opened == ["images", "age"]
    opened.clear()
    NPZ(path=file, attributes="all").load()
    assert set(opened) == {"images", *KNOWN}


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
