"""Pixels beyond memory: mapped, equal to what memory holds, and nothing left behind."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genmodels import pixels
from genmodels.codecs.image import ImageCodec
from genmodels.data.batching import Rows
from genmodels.data.images import infer_image_schema
from genmodels.data.sources.imagefolder import ImageFolder
from genmodels.data.splits import Split
from genmodels.pixels import available, gather, room
from genmodels.types import Images


@pytest.fixture
def mapped(monkeypatch, tmp_path):
    """A machine without free memory."""
    monkeypatch.setattr(pixels, "available", lambda: 0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def test_a_small_array_is_in_memory():
    assert not isinstance(room((10, 1, 8, 8)), np.memmap)
    assert available() > 1 << 20


def test_a_large_array_is_a_file_without_a_name(mapped):
    array = room((10, 3, 8, 8))
    assert isinstance(array, np.memmap)
    assert (array.shape, array.dtype) == ((10, 3, 8, 8), np.uint8)
    array[:] = 7
    assert int(array.sum()) == 7 * array.size
    assert list(mapped.iterdir()) == []


def test_rows_of_a_mapped_array_are_those_of_the_array(mapped, monkeypatch):
    monkeypatch.setattr(pixels, "CHUNK", 100)
    whole = np.random.default_rng(0).integers(0, 256, (50, 2, 5, 7), np.uint8)
    rows = np.random.default_rng(1).permutation(50)[:33]
    found = gather(whole, rows)
    assert isinstance(found, np.memmap)
    assert np.array_equal(found, whole[rows])


def test_a_folder_gives_the_same_rows_from_a_map_as_from_memory(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for i in range(6):
            picture = rng.integers(0, 256, (9, 7, 3), np.uint8)
            Image.fromarray(picture).save(tmp_path / label / f"{i}.png")
    source = ImageFolder(path=tmp_path)
    in_memory = encoded(source)
    monkeypatch.setattr(pixels, "available", lambda: 0)
    images = source.load()
    assert isinstance(images.pixels, np.memmap)
    assert isinstance(images.take(np.arange(5)).pixels, np.memmap)
    from_map = encoded(source)
    assert (from_map.encoded["pixels"] == in_memory.encoded["pixels"]).all()
    assert (from_map.codes == in_memory.codes).all()


def encoded(source):
    images = source.load()
    train, _, _ = Split(rows=len(images), seed=0).take(images)
    codec = ImageCodec.fit(train, infer_image_schema(images), seed=0)
    codes = codec.condition_codes(train)
    return Rows.of(codec.encode(train, seed=0), codes, codec.condition, codec.layout)


def test_a_folder_for_temporary_files_is_the_users_or_on_a_disk(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert pixels.scratch() == str(tmp_path)
    monkeypatch.delenv("TMPDIR")
    assert Path(pixels.scratch()).is_dir()


def test_neither_memory_nor_disk_is_one_clear_error(mapped):
    with pytest.raises(ValueError, match=r"for a temporary file. Choose a smaller"):
        room((1 << 40, 3, 256, 256))


KILLED = """
import os, signal, sys
import numpy as np
from genmodels import pixels
from genmodels.types import Images
pixels.available = lambda: 0
part = Images(pixels.room((8, 1, 1024, 1024))).take(np.arange(0, 8, 2))
assert isinstance(part.pixels, np.memmap)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_leaves_no_file(tmp_path):
    env = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", KILLED], env=env, capture_output=True)
    assert done.returncode == -9, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_images_are_taken_without_a_map_where_memory_is():
    images = Images(np.zeros((4, 1, 2, 2), np.uint8))
    assert not isinstance(images.take(np.array([0, 2])).pixels, np.memmap)
