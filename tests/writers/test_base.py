import numpy as np
import pytest

from genmodels.types import Images
from genmodels.writers.base import MANIFEST, dataset_folder, table_shards


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_dataset_appears_whole_under_its_name(tmp_path):
    out = tmp_path / "new" / "synthetic"
    with dataset_folder(out) as folder:
        (folder / "a").write_text("a")
        assert not out.exists()
        assert folder.parent == out.parent
        assert folder.name.startswith(".")
    assert names(out) == ["a"]
    assert names(out.parent) == ["synthetic"]


@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt()])
def test_an_error_in_the_middle_leaves_nothing_behind(tmp_path, error):
    def interrupted():
        with dataset_folder(tmp_path / "synthetic") as folder:
            (folder / "data").mkdir()
            (folder / "data" / "half").write_text("half")
            raise error

    with pytest.raises(type(error)):
        interrupted()
    assert names(tmp_path) == []


def test_an_empty_folder_is_taken_and_a_full_one_refused(tmp_path):
    out = tmp_path / "synthetic"
    out.mkdir()
    with dataset_folder(out) as folder:
        (folder / "a").write_text("a")
    with pytest.raises(FileExistsError, match="overwrite=true"), dataset_folder(out):
        pass
    assert names(out) == ["a"]


def test_overwrite_replaces_a_dataset_but_nothing_else(tmp_path):
    out = tmp_path / "home"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="not a dataset"), dataset_folder(out, overwrite=True):
        pass
    (out / MANIFEST).write_text("{}")
    with pytest.raises(ValueError, match="late"), dataset_folder(out, overwrite=True):
        raise ValueError("late")
    assert names(out) == [MANIFEST, "thesis.txt"]
    with dataset_folder(out, overwrite=True) as folder:
        (folder / "b").write_text("b")
    assert names(out) == ["b"]
    assert names(tmp_path) == ["home"]


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(FileExistsError, match="not a folder"), dataset_folder(tmp_path / "out"):
        pass
    assert (tmp_path / "out").read_text() == "mine"


def test_images_are_not_rows_of_a_table():
    images = Images(np.zeros((1, 1, 2, 2), np.uint8))
    with pytest.raises(ValueError, match="format=imagefolder"):
        list(table_shards(iter([images]), 10))
