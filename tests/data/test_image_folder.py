import json
import logging

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets

from genmodels.data.images import check_images, infer_image_schema
from genmodels.data.sources.imagefolder import ImageFolder
from genmodels.types import Source


def draw(file, size=(5, 7), mode="RGB", seed=0):
    file.parent.mkdir(parents=True, exist_ok=True)
    shape = size if mode == "L" else (*size, len(mode))
    array = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(array).save(file)
    return array


@pytest.fixture
def folder(tmp_path):
    for i, name in enumerate(["cat/a.png", "cat/deep/er/b.PNG", "dog/c.png"]):
        draw(tmp_path / name, seed=i)
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    (tmp_path / ".hidden" / "x.png").parent.mkdir()
    draw(tmp_path / ".hidden" / "x.png")
    draw(tmp_path / "cat" / "._a.png")
    return tmp_path


def test_classes_are_folders_and_files_may_lie_deeper(folder):
    images = ImageFolder(path=folder).load()
    assert images.pixels.shape == (3, 3, 5, 7)
    assert images.class_names == ("cat", "dog")
    assert images.labels.tolist() == [0, 0, 1]
    assert infer_image_schema(images).state() == {
        "kind": "images",
        "channels": 3,
        "height": 5,
        "width": 7,
        "class_names": ["cat", "dog"],
    }


def test_it_agrees_with_torchvision(folder):
    for hidden in (folder / ".hidden" / "x.png", folder / "cat" / "._a.png"):
        hidden.unlink()
    (folder / ".hidden").rmdir()
    theirs = datasets.ImageFolder(folder)
    ours = ImageFolder(path=folder).load()
    assert ours.labels.tolist() == theirs.targets
    assert all(
        (ours.pixels[i] == np.asarray(theirs[i][0]).transpose(2, 0, 1)).all() for i in (0, 2)
    )


def test_a_flat_folder_is_unlabelled(tmp_path):
    arrays = [draw(tmp_path / f"{i}.png", mode="L", seed=i) for i in range(3)]
    images = ImageFolder(path=tmp_path).load()
    assert images.labels is None
    assert images.class_names == ()
    assert (images.pixels[:, 0] == np.stack(arrays)).all()


def test_a_folder_of_splits_is_read_as_its_train_part(tmp_path, caplog):
    draw(tmp_path / "train" / "cat" / "a.png")
    draw(tmp_path / "test" / "cat" / "b.png")
    with caplog.at_level(logging.INFO):
        images = ImageFolder(path=tmp_path).load()
    assert images.class_names == ("cat",)
    assert "reading train" in caplog.text


def test_metadata_gives_the_order_and_the_exact_names(tmp_path):
    rows = [("b/0.png", 0, "b/b"), ("a/1.png", 1, "a?")]
    for file, _, _ in rows:
        draw(tmp_path / file)
    lines = [json.dumps({"file_name": f, "label": label, "class_name": n}) for f, label, n in rows]
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines))
    assert ImageFolder(path=tmp_path).load().class_names == ("b/b", "a?")


@pytest.mark.parametrize("text", ["", "nonsense", '{"file_name": "a/1.png"}\n', '{"file_name": 3}'])
def test_other_metadata_is_left_alone(tmp_path, text):
    draw(tmp_path / "b" / "0.png")
    draw(tmp_path / "a" / "1.png")
    (tmp_path / "metadata.jsonl").write_text(text)
    assert ImageFolder(path=tmp_path).load().class_names == ("a", "b")


def test_sizes_that_differ_are_refused_with_files_and_advice(folder):
    draw(folder / "dog" / "odd.png", size=(9, 9))
    with pytest.raises(ValueError, match=r"odd\.png 9x9.*data\.size=5"):
        ImageFolder(path=folder).load()
    assert ImageFolder(path=folder, size=[4, 6]).load().pixels.shape == (4, 3, 4, 6)
    assert ImageFolder(path=folder, size=4).load().pixels.shape == (4, 3, 4, 4)


def test_mixed_modes_are_decided_aloud(folder, caplog):
    draw(folder / "dog" / "gray.png", mode="L")
    draw(folder / "dog" / "clear.png", mode="RGBA")
    with caplog.at_level(logging.INFO):
        assert ImageFolder(path=folder).load().pixels.shape[1] == 3
    assert "1 gray, 4 colour, 1 of them with transparency" in caplog.text
    assert ImageFolder(path=folder, alpha="keep").load().pixels.shape[1] == 4
    assert ImageFolder(path=folder, channels=1).load().pixels.shape[1] == 1


def test_gray_with_alpha_has_one_channel_or_two(tmp_path):
    Image.fromarray(np.full((2, 3, 2), 9, np.uint8)).save(tmp_path / "a.png")
    assert ImageFolder(path=tmp_path).load().pixels.shape == (1, 1, 2, 3)
    assert (ImageFolder(path=tmp_path, alpha="keep").load().pixels == 9).all()


def test_unreadable_files_are_all_counted_and_ten_are_named(folder):
    for i in range(12):
        (folder / "dog" / f"broken{i:02d}.png").write_bytes(b"no picture")
    whole = (folder / "cat" / "a.png").read_bytes()
    (folder / "cat" / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="12 of 16 files cannot be read") as error:
        ImageFolder(path=folder).load()
    assert str(error.value).count("broken") >= 10
    assert "and 2 more" in str(error.value)
    assert "broken11" not in str(error.value)
    assert "data.unreadable=skip" in str(error.value)


def test_unreadable_files_may_be_skipped(folder, caplog):
    whole = (folder / "cat" / "a.png").read_bytes()
    (folder / "cat" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "dog" / "broken.png").write_bytes(b"no picture")
    clean = ImageFolder(path=folder, unreadable="skip").load()
    assert clean.labels.tolist() == [0, 0, 1]
    assert "broken.png" in caplog.text
    assert "cut.png" in caplog.text
    sized = ImageFolder(path=folder, unreadable="skip", size=[5, 7], channels=3).load()
    assert (sized.pixels == clean.pixels).all()


def test_a_class_that_loses_all_its_files_is_refused(folder):
    (folder / "dog" / "c.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="class dog has no readable image"):
        ImageFolder(path=folder, unreadable="skip").load()


def test_nothing_readable_is_refused_even_when_skipping(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match="1 of 1 files cannot be read"):
        ImageFolder(path=tmp_path, unreadable="skip").load()


def test_errors_about_the_folder_are_one_clear_line(tmp_path, folder):
    with pytest.raises(FileNotFoundError, match="no folder"):
        ImageFolder(path=tmp_path / "absent").load()
    with pytest.raises(ValueError, match="is a file"):
        ImageFolder(path=folder / "cat" / "a.png").load()
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match=r"1 class folder.*empty; fill or remove"):
        ImageFolder(path=folder).load()
    draw(folder / "loose.png")
    with pytest.raises(ValueError, match="neither flat nor one folder per class"):
        ImageFolder(path=folder).load()


def test_a_folder_without_images_says_what_it_holds(tmp_path):
    with pytest.raises(ValueError, match=r"it is empty; known are \.png"):
        ImageFolder(path=tmp_path).load()
    (tmp_path / "a.gif").write_bytes(b"")
    with pytest.raises(ValueError, match=r"1 x \.gif"):
        ImageFolder(path=tmp_path).load()


@pytest.mark.parametrize(
    "wrong", [{"resize": "zoom"}, {"alpha": "black"}, {"channels": 5}, {"unreadable": "ask"}]
)
def test_options_are_checked(tmp_path, wrong):
    with pytest.raises(ValueError, match=f"data.{next(iter(wrong))} must be one of"):
        ImageFolder(path=tmp_path, **wrong)


def test_a_path_that_was_not_given_is_asked_for():
    with pytest.raises(ValueError, match=r"give data\.path="):
        ImageFolder(path=None)


def test_links_in_a_circle_end(folder):
    (folder / "cat" / "deep" / "again").symlink_to(folder / "cat")
    assert len(ImageFolder(path=folder).load()) == 3


def test_fingerprint_follows_content_names_and_options(folder):
    source = ImageFolder(path=folder)
    assert isinstance(source, Source)
    before = source.fingerprint()
    assert before == ImageFolder(path=str(folder), workers=1).fingerprint()
    assert before != ImageFolder(path=folder, size=4).fingerprint()
    draw(folder / "dog" / "c.png", seed=9)
    changed = source.fingerprint()
    assert changed != before
    (folder / "dog" / "c.png").rename(folder / "dog" / "d.png")
    assert source.fingerprint() not in (before, changed)


def test_rows_do_not_depend_on_the_number_of_threads(tmp_path):
    for i in range(150):
        draw(tmp_path / f"{i:03d}.png", size=(2, 2), seed=i)
    one, many = (ImageFolder(path=tmp_path, workers=w).load().pixels for w in (1, 4))
    assert (one == many).all()


def test_labels_of_a_folder_are_renumbered_to_the_schema(folder):
    images = ImageFolder(path=folder).load()
    schema = infer_image_schema(images)
    assert check_images(images, schema) is images
    turned = type(schema)(3, 5, 7, ("dog", "bird", "cat"))
    checked = check_images(images, turned)
    assert checked.class_names == ("dog", "bird", "cat")
    assert checked.labels.tolist() == [2, 2, 0]
