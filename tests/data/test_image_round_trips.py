import numpy as np
import pytest

from genmodels.data.images import check_images, infer_image_schema
from genmodels.data.sources.imagefolder import ImageFolder
from genmodels.data.sources.npz import NPZ
from genmodels.types import Images
from genmodels.writers.imagefolder import ImageFolderWriter
from genmodels.writers.npz import NPZWriter
from tests.writers.whole import write_whole

NAMES = ("T-shirt/top", "Ankle boot", "a trouser")


@pytest.fixture(params=[1, 2, 3, 4])
def images(request):
    rng = np.random.default_rng(request.param)
    pixels = rng.integers(0, 256, (12, request.param, 5, 7), dtype=np.uint8)
    return Images(pixels, np.arange(12) % 3, NAMES)


def test_what_the_npz_writer_writes_the_npz_source_reads(tmp_path, images):
    (file,) = write_whole(NPZWriter(), iter([images]), tmp_path)
    back = NPZ(path=file).load()
    assert (back.pixels == images.pixels).all()
    assert (back.labels == images.labels).all()
    assert back.class_names == NAMES


def test_what_the_folder_writer_writes_the_folder_source_reads(tmp_path, images):
    files = write_whole(ImageFolderWriter(), iter([images]), tmp_path)
    channels = images.pixels.shape[1]
    back = ImageFolder(path=tmp_path, channels=channels, alpha="keep").load()
    order = np.argsort(images.labels, kind="stable")
    assert len(files) == 13
    assert back.class_names == NAMES
    assert (back.labels == images.labels[order]).all()
    assert (back.pixels == images.pixels[order]).all()
    assert check_images(back, infer_image_schema(images)) is back


def test_a_class_that_was_never_drawn_keeps_the_numbers_of_the_others(tmp_path, images):
    some = images.take(np.flatnonzero(images.labels != 0))
    write_whole(ImageFolderWriter(), iter([some]), tmp_path)
    back = ImageFolder(path=tmp_path, channels=images.pixels.shape[1]).load()
    assert back.class_names == NAMES[1:]
    checked = check_images(back, infer_image_schema(images))
    assert np.unique(checked.labels).tolist() == [1, 2]
