import datetime

import numpy as np
import pyarrow as pa
import pytest

from genmodels.types import Images
from genmodels.writers.base import Shard, Writer
from genmodels.writers.npz import NPZWriter
from tests.writers.whole import write_whole

RNG = np.random.default_rng(0)


def read(file):
    with np.load(file, allow_pickle=False) as archive:
        return dict(archive)


def written(folder, blocks, **options):
    folder.mkdir()
    files = write_whole(NPZWriter(**options), iter(blocks), folder)
    assert files == [folder / "data" / "train.npz"]
    assert [f for f in folder.rglob("*") if f.is_file()] == files
    return read(files[0])


def blocks_of(images, rows):
    return [
        images.take(np.arange(i, min(i + rows, len(images)))) for i in range(0, len(images), rows)
    ]


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_images_are_nhw_or_nhwc_with_labels_and_names(tmp_path, channels):
    pixels = RNG.integers(0, 256, (7, channels, 3, 5), dtype=np.uint8)
    images = Images(pixels, RNG.integers(0, 2, 7), ("T-shirt/top", "Hose"))
    arrays = written(tmp_path / "out", blocks_of(images, 3))
    expected = pixels[:, 0] if channels == 1 else pixels.transpose(0, 2, 3, 1)
    assert (arrays["images"] == expected).all()
    assert arrays["images"].shape == expected.shape
    assert arrays["labels"].dtype == np.int64
    assert (arrays["labels"] == images.labels).all()
    assert arrays["class_names"].tolist() == ["T-shirt/top", "Hose"]


def test_unlabelled_images_have_no_labels(tmp_path):
    images = Images(np.zeros((2, 3, 4, 4), np.uint8))
    assert set(written(tmp_path / "out", [images])) == {"images"}


def test_equal_data_gives_equal_bytes_whatever_the_blocks(tmp_path):
    images = Images(
        RNG.integers(0, 256, (9, 1, 4, 4), dtype=np.uint8), RNG.integers(0, 2, 9), ("a", "b")
    )
    for name, rows in (("a", 2), ("b", 9)):
        written(tmp_path / name, blocks_of(images, rows))
    a, b = ((tmp_path / name / "data" / "train.npz").read_bytes() for name in ("a", "b"))
    assert a == b


def table():
    when = [datetime.datetime(2020, 1, 2, 3, 4, 5, 6), None]
    return pa.table(
        {
            "file": pa.array([1.5, None]),
            "whole": pa.array([1, 2], pa.int64()),
            "whole missing": pa.array([1, None], pa.int64()),
            "level": pa.array(["b", None]).dictionary_encode(),
            "number level": pa.array([7, 9]).dictionary_encode(),
            "yes": pa.array([True, False]),
            "perhaps": pa.array([None, True]),
            "when": pa.array(when, pa.timestamp("us")),
            "zoned": pa.array(when, pa.timestamp("us", "Europe/Berlin")),
            "text": pa.array(["", "größer"]),
            "nothing": pa.nulls(2),
        }
    )


def test_a_table_is_one_array_per_column(tmp_path):
    arrays = written(tmp_path / "out", [table(), table()])
    first = {name: array[:2].tolist() for name, array in arrays.items()}
    assert all(len(array) == 4 and array.dtype != object for array in arrays.values())
    when = datetime.datetime(2020, 1, 2, 3, 4, 5, 6)
    assert first["file"] == pytest.approx([1.5, np.nan], nan_ok=True)
    assert first["whole"] == [1, 2]
    assert arrays["whole"].dtype == np.int64
    assert first["whole missing"] == pytest.approx([1, np.nan], nan_ok=True)
    assert first["level"] == ["b", ""]
    assert first["level.missing"] == [False, True]
    assert first["number level"] == [7, 9]
    assert first["yes"] == [True, False]
    assert first["perhaps.missing"] == [True, False]
    assert first["when"] == [when, None] == first["zoned"]
    assert first["text"] == ["", "größer"]
    assert np.isnan(first["nothing"]).all()
    assert "text.missing" not in arrays


def test_dictionaries_may_differ_between_blocks(tmp_path):
    blocks = [pa.table({"a": pa.array(v).dictionary_encode()}) for v in (["x", "y"], ["z", "x"])]
    assert written(tmp_path / "out", blocks)["a"].tolist() == ["x", "y", "z", "x"]


def test_wrong_uses_are_refused(tmp_path):
    images = Images(np.zeros((2, 3, 4, 4), np.uint8))
    for blocks in ([images, table()], [table(), images]):
        folder = tmp_path / type(blocks[0]).__name__
        folder.mkdir()
        with pytest.raises(ValueError, match="later"):
            NPZWriter().write(iter(blocks), folder, Shard(number=0, of=1, start=0))
        assert not list((folder / "data").glob("*.spool"))
    with pytest.raises(ValueError, match="compress_level must be 0 to 9"):
        NPZWriter(compress_level=10)
    assert isinstance(NPZWriter(), Writer)
