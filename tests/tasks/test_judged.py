"""What a dataset says of itself is read from its manifest, and no other file is taken for one."""

import json

import pytest
from omegaconf import OmegaConf

from genmodels.tasks.judged import Named, calibrated_by


def told(place):
    return calibrated_by(Named(OmegaConf.create({"synthetic": str(place)}), {}))


def test_a_dataset_and_a_file_in_it_say_how_they_were_calibrated(tmp_path):
    manifest = {"files": [{"path": "data/a.csv"}], "calibrated": {"calibrate": "pin"}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    for place in (tmp_path, tmp_path / "data", tmp_path / "data" / "a.csv"):
        assert told(place) == "pin"
    assert told(tmp_path / "other.csv") is None


@pytest.mark.parametrize(
    "text",
    ['{"files": 3}', '{"files": {"a": 1}}', '{"files": [3]}', "[1]", "{", "", "\udcff", "null"],
)
def test_a_manifest_of_something_else_says_nothing(tmp_path, text):
    (tmp_path / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert told(tmp_path / "made.csv") is None
    assert told(tmp_path) is None


def test_a_manifest_that_cannot_be_opened_says_nothing(tmp_path):
    (tmp_path / "manifest.json").mkdir()
    assert told(tmp_path) is None
