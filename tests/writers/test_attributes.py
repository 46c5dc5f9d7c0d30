"""Attributes go into every format of images and come back from it."""

import json

import numpy as np
import pytest

from genmodels.data.open import open_source
from genmodels.schema import ImageSchema
from genmodels.types import Images
from genmodels.writers.imagefolder import ImageFolderWriter
from genmodels.writers.npz import NPZWriter
from genmodels.writers.parquet import ParquetWriter
from genmodels.writers.webdataset import WebDatasetWriter
from tests.writers.whole import write_whole

WRITERS = {
    "imagefolder": ImageFolderWriter(),
    "npz": NPZWriter(),
    "parquet": ParquetWriter(
        schema=ImageSchema(height=4, width=6, channels=3),
        rows_per_file=10,
        row_group_rows=10,
        compression="none",
        images_per_file=5,
    ),
    "webdataset": WebDatasetWriter(rows_per_file=4),
}


def images(labelled):
    rng = np.random.default_rng(0)
    known = {
        "glasses": rng.random(9) < 0.5,
        "hair": rng.choice(["red", "dark blond", "größer"], 9),
        "age": rng.uniform(0, 90, 9),
        "years": np.arange(9.0),
    }
    pixels = rng.integers(0, 256, (9, 3, 4, 6), dtype=np.uint8)
    named = (np.arange(9) % 2, ("cat", "dog")) if labelled else (None, ())
    return Images(pixels, *named, known)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("kind", WRITERS)
def test_what_is_written_is_read_back(tmp_path, kind, labelled):
    whole = images(labelled)
    blocks = iter([whole.take(np.arange(5)), whole.take(np.arange(5, 9))])
    write_whole(WRITERS[kind], blocks, tmp_path)
    back = open_source(tmp_path).load()
    order = np.arange(9)
    if kind == "imagefolder" and labelled:
        order = np.argsort(whole.labels, kind="stable")
    assert (back.pixels == whole.pixels[order]).all()
    assert (back.labels is None) == (not labelled)
    assert list(back.attributes) == list(whole.attributes)
    for name, values in whole.attributes.items():
        assert back.attributes[name].dtype.kind == values.dtype.kind
        assert back.attributes[name].tolist() == values[order].tolist()


def test_the_list_of_files_says_plain_values(tmp_path):
    write_whole(WRITERS["imagefolder"], iter([images(False)]), tmp_path)
    line = json.loads((tmp_path / "train" / "metadata.jsonl").read_text().splitlines()[3])
    assert isinstance(line["glasses"], bool)
    assert line["years"] == 3.0
    assert line["index"] == 3
