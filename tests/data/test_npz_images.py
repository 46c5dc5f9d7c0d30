import os
from pathlib import Path

import numpy as np
import pytest

from genmodels.data.sources.npz import NPZ
from genmodels.types import Source

RNG = np.random.default_rng(0)


def saved(tmp_path, **arrays):
    file = tmp_path / "x.npz"
    np.savez(file, **arrays)
    return file


def pixels(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def test_nhw_and_nhwc_become_nchw(tmp_path):
    gray = pixels(4, 3, 5)
    loaded = NPZ(path=saved(tmp_path, images=gray)).load()
    assert (loaded.pixels[:, 0] == gray).all()
    assert loaded.labels is None
    for channels in (1, 2, 3, 4, 6):
        colour = pixels(4, 9, 5, channels)
        loaded = NPZ(path=saved(tmp_path, images=colour)).load()
        assert (loaded.pixels == colour.transpose(0, 3, 1, 2)).all()


def test_labels_and_names_are_read(tmp_path):
    file = saved(tmp_path, images=pixels(3, 2, 2), labels=[2, 0, 2], class_names=["x", "y", "z"])
    loaded = NPZ(path=file).load()
    assert loaded.labels.tolist() == [2, 0, 2]
    assert loaded.labels.dtype == np.int64
    assert loaded.class_names == ("x", "y", "z")


@pytest.mark.parametrize("labels", [[7, 3, 7], [[7], [3], [7]]])
def test_without_names_the_labels_name_themselves(tmp_path, labels):
    loaded = NPZ(path=saved(tmp_path, images=pixels(3, 2, 2), labels=labels)).load()
    assert loaded.labels.tolist() == [1, 0, 1]
    assert loaded.class_names == ("3", "7")


def test_labels_may_be_text(tmp_path):
    loaded = NPZ(path=saved(tmp_path, images=pixels(2, 2, 2), labels=["dog", "cat"])).load()
    assert loaded.class_names == ("cat", "dog")
    assert loaded.labels.tolist() == [1, 0]


def test_size_is_applied(tmp_path):
    file = saved(tmp_path, images=pixels(2, 6, 8, 5))
    assert NPZ(path=file, size=[3, 4]).load().pixels.shape == (2, 5, 3, 4)
    assert NPZ(path=file).fingerprint() != NPZ(path=file, size=3).fingerprint()
    assert isinstance(NPZ(path=file), Source)


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"train": np.zeros(3)}, "no `images`, it has train"),
        ({"images": np.zeros((2, 2, 2))}, r"float64 \(2, 2, 2\).*\(images \* 255\)"),
        ({"images": np.full((2, 2, 2), 9)}, "int64.*scaled to 0..255"),
        ({"images": np.zeros((2, 2), np.uint8)}, r"expected \(N, H, W\)"),
        ({"images": np.zeros((0, 2, 2), np.uint8)}, r"expected \(N, H, W\)"),
        ({"images": np.zeros((2, 3, 32, 32), np.uint8)}, r"looks like \(N, C, H, W\)"),
        ({"images": np.array([None, "a"], object)}, "cannot be read.*objects"),
    ],
)
def test_wrong_images_are_refused_with_what_was_found(tmp_path, arrays, complaint):
    with pytest.raises(ValueError, match=complaint):
        NPZ(path=saved(tmp_path, **arrays)).load()


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"labels": [0, 1]}, "3 images but 2 labels"),
        ({"labels": [0.5, 1, 2]}, r"float64 \(3,\), expected whole numbers"),
        ({"labels": [0, 1, 2], "class_names": ["a", "b"]}, "go from 0 to 2, but there are 2"),
        ({"labels": [0, 1, -1], "class_names": ["a", "b"]}, "go from -1 to 1"),
        ({"labels": [0, 1, 1], "class_names": ["a", "a"]}, "distinct texts"),
        ({"labels": ["a", "b", "a"], "class_names": ["a", "b"]}, "must be numbers"),
    ],
)
def test_wrong_labels_are_refused(tmp_path, arrays, complaint):
    with pytest.raises(ValueError, match=complaint):
        NPZ(path=saved(tmp_path, images=pixels(3, 2, 2), **arrays)).load()


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        NPZ(path=tmp_path / "absent.npz").load()
    for content in (b"", b"not a zip archive"):
        (tmp_path / "b.npz").write_bytes(content)
        with pytest.raises(ValueError, match=r"not an \.npz file"):
            NPZ(path=tmp_path / "b.npz").load()
    file = saved(tmp_path, images=pixels(40, 9, 9))
    whole = bytearray(file.read_bytes())
    whole[500:900] = bytes(400)
    file.write_bytes(whole)
    with pytest.raises(ValueError, match="cannot be read"):
        NPZ(path=file).load()


def test_a_path_that_was_not_given_is_asked_for():
    with pytest.raises(ValueError, match=r"give data\.path="):
        NPZ(path=None)


@pytest.mark.data
def test_mnist_is_read():
    if "GENMODELS_DATA" not in os.environ:
        pytest.skip("GENMODELS_DATA is not set")
    file = Path(os.environ["GENMODELS_DATA"]) / "images" / "mnist_train.npz"
    loaded = NPZ(path=file).load()
    assert loaded.pixels.shape == (60000, 1, 28, 28)
    assert loaded.pixels.mean() == pytest.approx(33.3184, abs=1e-3)
    assert loaded.class_names == tuple("0123456789")


def test_parts_are_read_as_one(tmp_path):
    whole = pixels(5, 4, 3)
    names, labels, ages = ["x", "y"], np.array([0, 1, 1, 0, 1]), np.arange(5.0)
    for name, rows in (("a", slice(0, 2)), ("b", slice(2, 5))):
        np.savez(
            tmp_path / f"{name}.npz", images=whole[rows], labels=labels[rows], class_names=names,
            age=ages[rows],
        )  # fmt: skip
    loaded = NPZ(path=tmp_path, attributes="all").load()
    assert (loaded.pixels[:, 0] == whole).all()
    assert loaded.labels.tolist() == labels.tolist()
    assert loaded.class_names == ("x", "y")
    assert loaded.attributes["age"].tolist() == ages.tolist()
    alone = NPZ(path=tmp_path / "a.npz").fingerprint()
    assert NPZ(path=tmp_path).fingerprint() != alone
    np.savez(
        tmp_path / "c.npz", images=pixels(2, 4, 4), labels=[0, 1], class_names=names, age=[1, 2]
    )
    with pytest.raises(ValueError, match=r"c\.npz has images of another shape"):
        NPZ(path=str(tmp_path / "*.npz"), attributes="all").load()
