import hashlib
import json

import numpy as np
import pytest

from genmodels.types import Images
from genmodels.writers.base import file_entry
from genmodels.writers.imagefolder import ImageFolderWriter
from genmodels.writers.manifest import manifest_of, wishes_of, write_card, write_manifest
from tests.writers.whole import write_whole

FACTS = {
    "rows": 1234,
    "format": "parquet",
    "seed": 7,
    "conditions": {"income": ">50K"},
    "run": {"name": "adult", "model_sha256": "0" * 64},
    "versions": {"genmodels": "0.1.0"},
}


def written_manifest(folder, files, facts):
    return write_manifest(folder, manifest_of(files, facts))


@pytest.fixture
def files(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    paths = [data / f"train-0000{i}-of-00002.parquet" for i in range(2)]
    for i, path in enumerate(paths):
        path.write_bytes(bytes([i]) * 1000)
    return [file_entry(tmp_path, path) for path in paths]


def test_the_manifest_holds_the_hash_of_every_file_and_says_that_the_data_is_synthetic(
    tmp_path, files
):
    written_manifest(tmp_path, files, FACTS)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["synthetic"] is True
    assert "synthetic" in manifest["statement"]
    assert manifest["seed"] == 7
    assert len(manifest["files"]) == 2
    for entry in manifest["files"]:
        data = (tmp_path / entry["path"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        assert entry["bytes"] == len(data) == 1000


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("parquet", "pandas.read_parquet('data')"),
        ("csv", "pandas.read_csv"),
        ("imagefolder", "torchvision.datasets import ImageFolder"),
        ("npz", "numpy.load("),
        ("webdataset", "webdataset.WebDataset("),
    ],
)
def test_the_card_says_how_to_load_each_format(tmp_path, files, kind, words):
    manifest = written_manifest(tmp_path, files, FACTS | {"format": kind})
    write_card(tmp_path, manifest)
    card = (tmp_path / "README.md").read_text()
    assert words in card
    assert "1,234" in card
    assert "income = >50K" in card


def test_the_card_of_calibrated_data_says_so(tmp_path, files):
    told = {"calibrate": "pin", "pilot_rows": 100, "meaning": "ends are reached"}
    manifest = written_manifest(tmp_path, files, FACTS | {"calibrated": told})
    write_card(tmp_path, manifest)
    assert (
        "**Calibrated** (`calibrate=pin`): ends are reached" in (tmp_path / "README.md").read_text()
    )


@pytest.mark.parametrize(
    ("control", "told"),
    [
        ({"given": {"job": "judge", "age": None}}, "given.job=judge, given.age=missing"),
        ({"given": {"job": ["clerk", "> 3"]}, "redraws": 9}, "given.job=[clerk, > 3]"),
        ({"balance": "job"}, "balance=job"),
        ({"shares": {"job": {"judge": 0.5}}, "temper": 1.2}, "shares.job={judge: 0.5}, temper=1.2"),
        ({"complete": {"path": "one.csv"}}, "complete=one.csv"),
        ({"constraints": ["a <= b", "c = d"]}, "constraints=[a <= b, c = d]"),
        (
            {"scenario": {"tail": {"share": 0.2, "given": {"age": "> 80"}}}},
            "scenario={tail: {share: 0.2, given: {age: > 80}}}",
        ),
    ],
)
def test_the_card_of_rows_that_were_asked_for_says_what_was_asked(tmp_path, files, control, told):
    facts = FACTS | {"conditions": "empirical", "control": control}
    manifest = written_manifest(tmp_path, files, facts)
    write_card(tmp_path, manifest)
    card = (tmp_path / "README.md").read_text()
    assert f"**Asked for**: `{told}`" in card
    assert "empirical" not in card
    assert wishes_of(manifest) == told


def test_another_way_to_draw_was_asked_for(tmp_path, files):
    facts = FACTS | {"conditions": "empirical", "drawing": {"truncation": 0.5, "temper": 0.9}}
    manifest = written_manifest(tmp_path, files, facts)
    assert wishes_of(manifest) == "truncation=0.5, temper=0.9"


@pytest.mark.parametrize("control", [None, {}, {"redraws": 9}, "given", {"given": None}])
def test_where_nothing_was_asked_nothing_is_said(tmp_path, files, control):
    manifest = written_manifest(
        tmp_path, files, FACTS | {"conditions": "empirical", "control": control}
    )
    write_card(tmp_path, manifest)
    assert "sked for" not in (tmp_path / "README.md").read_text()
    assert wishes_of(manifest) == ""
    assert wishes_of({"conditions": "of use", "control": {"balance": "x"}}) == ""


def test_a_told_condition_was_asked_for(tmp_path, files):
    assert wishes_of(written_manifest(tmp_path, files, FACTS)) == "condition.income=>50K"
    facts = FACTS | {"conditions": "balanced"}
    assert wishes_of(written_manifest(tmp_path, files, facts)) == "condition=balanced"


def test_the_card_of_filtered_records_says_how_far_the_classifier_is_right(tmp_path, files):
    told = {
        "keep": 0.5, "agree": True, "confidence": None, "candidates": 2500, "kept": 1234,
        "rejected": 1266, "dropped": 7, "agreement_before": 0.8, "agreement_after": 0.99,
        "classifier": {"accuracy": 0.975, "held_out": 359},
    }  # fmt: skip
    manifest = written_manifest(
        tmp_path, files, FACTS | {"conditions": "empirical", "filter": told}
    )
    assert wishes_of(manifest) == "filter.keep=0.5, filter.agree=True"
    write_card(tmp_path, manifest)
    card = (tmp_path / "README.md").read_text()
    assert "**Filtered** (keep=0.5, agree=True): 1,234 of 2,500 candidates" in card
    assert "names 97.5% of 359 held-out real records rightly" in card
    assert "80.0% of the labels" in card
    assert "7 records found none" in card


def test_the_card_of_images_in_parquet_says_what_is_in_it(tmp_path, files):
    facts = FACTS | {"format": "parquet", "schema": {"kind": "images"}}
    write_card(tmp_path, written_manifest(tmp_path, files, facts))
    assert "image: bytes of a PNG file" in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize(
    ("kind", "labelled", "flat"),
    [
        ("webdataset", "to_tuple('png', 'cls')", "to_tuple('png')"),
        ("imagefolder", "torchvision.datasets import ImageFolder", "pathlib.Path('train').glob("),
    ],
)
def test_the_card_loads_classes_only_where_there_are_some(tmp_path, files, kind, labelled, flat):
    for names, words, others in ((["cat"], labelled, flat), ([], flat, labelled)):
        schema = {"kind": "images", "class_names": names}
        write_card(
            tmp_path, written_manifest(tmp_path, files, FACTS | {"format": kind, "schema": schema})
        )
        card = (tmp_path / "README.md").read_text()
        assert words in card
        assert others not in card


@pytest.mark.parametrize("guard", [True, False, None])
def test_the_card_says_what_is_done_to_texts_that_a_spreadsheet_would_run(tmp_path, files, guard):
    write_card(tmp_path, written_manifest(tmp_path, files, FACTS | {"formula_guard": guard}))
    assert ("apostrophe" in (tmp_path / "README.md").read_text()) == (guard is True)


def test_the_lines_of_the_card_read_a_flat_folder(tmp_path, monkeypatch):
    images = Images(np.arange(24, dtype=np.uint8).reshape(2, 1, 3, 4))
    written = write_whole(ImageFolderWriter(), iter([images]), tmp_path)
    files = [file_entry(tmp_path, file) for file in written]
    schema = {"kind": "images", "class_names": []}
    facts = FACTS | {"format": "imagefolder", "schema": schema}
    write_card(tmp_path, written_manifest(tmp_path, files, facts))
    lines = (tmp_path / "README.md").read_text().split("```python\n")[1].split("\n")[:2]
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    exec("\n".join(lines), found)
    assert [np.asarray(picture).tolist() for picture in found["data"]] == images.pixels[
        :, 0
    ].tolist()
    for picture in found["data"]:
        picture.close()
