import json

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from torchvision import datasets

from genmodels.types import Images
from genmodels.writers.base import Writer
from genmodels.writers.imagefolder import ImageFolderWriter, folder_names
from tests.writers.whole import write_whole

RNG = np.random.default_rng(0)


def images_of(channels=3, n=9, names=("cat", "dog")):
    pixels = RNG.integers(0, 256, (n, channels, 4, 6), dtype=np.uint8)
    return Images(pixels, np.arange(n) % len(names), names)


def halves(images):
    return iter([images.take(np.arange(5)), images.take(np.arange(5, len(images)))])


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_files_are_named_by_class_and_global_index(tmp_path, channels, mode):
    images = images_of(channels)
    files = write_whole(ImageFolderWriter(workers=2), halves(images), tmp_path)
    names = [f.relative_to(tmp_path).as_posix() for f in files]
    classes = ["cat", "dog"]
    assert names[:-1] == [f"train/{classes[i % 2]}/{i:06d}.png" for i in range(9)]
    assert names[-1] == "train/metadata.jsonl"
    for i, file in enumerate(files[:-1]):
        with Image.open(file) as picture:
            assert picture.mode == mode
            assert "Synthetic" in picture.text["Comment"]
            array = np.asarray(picture)
        array = array[None] if channels == 1 else array.transpose(2, 0, 1)
        assert (array == images.pixels[i]).all()


def test_metadata_lists_files_and_labels(tmp_path):
    files = write_whole(ImageFolderWriter(), halves(images_of(names=("a/b", "ü"))), tmp_path)
    rows = [json.loads(line) for line in files[-1].read_text(encoding="utf-8").splitlines()]
    assert rows[0] == {"file_name": "a_b/000000.png", "label": 0, "class_name": "a/b", "index": 0}
    assert rows[8]["file_name"] == "a_b/000008.png"
    assert rows[1] == {"file_name": "ü/000001.png", "label": 1, "class_name": "ü", "index": 1}
    assert all((files[-1].parent / row["file_name"]).is_file() for row in rows)


def test_torchvision_reads_it(tmp_path):
    images = images_of()
    write_whole(ImageFolderWriter(), halves(images), tmp_path)
    theirs = datasets.ImageFolder(tmp_path / "train")
    assert theirs.classes == ["cat", "dog"]
    assert sorted(theirs.targets) == sorted(images.labels.tolist())
    assert (np.asarray(theirs[0][0]).transpose(2, 0, 1) == images.pixels[0]).all()


def test_unlabelled_images_lie_flat(tmp_path):
    files = write_whole(ImageFolderWriter(), iter([Images(images_of().pixels)]), tmp_path)
    assert files[0] == tmp_path / "train" / "000000.png"
    assert json.loads(files[-1].read_text().splitlines()[0]) == {
        "file_name": "000000.png",
        "index": 0,
    }


def test_labels_without_names_are_their_own_names(tmp_path):
    images = Images(images_of().pixels, np.full(9, 3))
    assert write_whole(ImageFolderWriter(), halves(images), tmp_path)[0].parent.name == "3"


@pytest.mark.parametrize("channels", [5, 9])
def test_other_channel_counts_are_refused_with_advice(tmp_path, channels):
    with pytest.raises(ValueError, match=f"1 to 4 channels, these images have {channels}.*npz"):
        write_whole(ImageFolderWriter(), halves(images_of(channels)), tmp_path)


def test_tables_and_wrong_options_are_refused(tmp_path):
    with pytest.raises(ValueError, match="this run makes tables"):
        write_whole(ImageFolderWriter(), iter([pa.table({"a": [1]})]), tmp_path)
    with pytest.raises(ValueError, match="compress_level must be 0 to 9"):
        ImageFolderWriter(compress_level=-1)
    assert isinstance(ImageFolderWriter(), Writer)


def test_class_names_become_distinct_visible_folders():
    names = ("..", "", "a/b", "a\\b", "A_B", ".x", "é", "tab\there", "end. ", "x" * 300)
    folders = folder_names(names)
    assert folders == (
        *("_", "_-1", "a_b", "a_b-3", "A_B-4", "_x", "é", "tab_here", "end", "x" * 100),
    )
    assert len({f.casefold() for f in folders}) == len(names)
    assert folder_names(tuple("0123456789")) == tuple("0123456789")
