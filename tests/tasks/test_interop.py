"""What is written loads unchanged where people read it, by the lines that its card gives."""

import json
import pathlib

import numpy as np
import pandas as pd
import pytest

from genmodels.tasks.compose import compose
from genmodels.tasks.sample import sample
from tests.tasks.pictures import train_digits
from tests.tasks.small import train_tiny

TABLES = {
    "parquet": "writer.parquet.rows_per_file=40",
    "csv": "writer.csv.rows_per_file=40",
    "arrow": "writer.arrow.rows_per_file=40",
    "npz": "seed=0",
}
PICTURES = {
    "imagefolder": "seed=0",
    "npz": "seed=0",
    "parquet": "writer.parquet.images_per_file=15",
    "webdataset": "writer.webdataset.rows_per_file=15",
}


def written(run, folder, kinds, *words):
    return {
        kind: sample(
            compose(
                "sample", [f"run={run}", f"format={kind}", f"out={folder / kind}", *words, word]
            )
        )
        for kind, word in kinds.items()
    }


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    return written(train_tiny(folder, "model=tvae").path, folder, TABLES, "n=100")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    return written(train_digits(folder / "run", updates=30), folder, PICTURES, "per_class=4")


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    for name in ("HF_DATASETS_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))


def by_its_card(folder, number, monkeypatch):
    """`data` after the import and the line of the card, or after its line for `datasets`."""
    lines = (folder / "README.md").read_text().split("```python\n")[1].split("\n```")[0].split("\n")
    chosen = lines[-1:] if number == "datasets" else lines[: 1 if ";" in lines[0] else 2]
    monkeypatch.chdir(folder)
    found: dict = {}
    exec("\n".join(chosen), found)
    return found["data"]


@pytest.fixture(scope="module")
def frame(tables):
    return pd.read_parquet(tables["parquet"] / "data")


def same(one, other):
    one = one.assign(city=one["city"].astype(str))
    other = other.assign(city=other["city"].astype(str))
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


@pytest.mark.parametrize("kind", TABLES)
def test_the_lines_of_the_card_load_a_table(tables, frame, monkeypatch, kind):
    data = by_its_card(tables[kind], 0, monkeypatch)
    if kind == "npz":
        data = pd.DataFrame({name: data[name] for name in frame})
    elif kind == "arrow":
        data = data.to_pandas()
    same(data.reset_index(drop=True), frame)


@pytest.mark.parametrize("kind", ["parquet", "csv", "arrow"])
def test_hugging_face_datasets_loads_a_table(tables, frame, monkeypatch, tmp_path, kind):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    data = by_its_card(tables[kind], "datasets", monkeypatch)
    assert list(data) == ["train"]
    same(data["train"].to_pandas(), frame)


@pytest.mark.parametrize("kind", ["parquet", "csv", "arrow"])
def test_polars_loads_a_table(tables, frame, kind):
    polars = pytest.importorskip("polars")
    read = {"parquet": polars.read_parquet, "csv": polars.read_csv, "arrow": polars.read_ipc}
    files = sorted((tables[kind] / "data").iterdir())
    data = polars.concat([read[kind](file) for file in files], how="vertical_relaxed")
    same(data.to_pandas(), frame)


def test_scikit_learn_learns_from_it(tables, frame):
    from sklearn.linear_model import LogisticRegression

    features = frame[["age", "income"]].fillna(0)
    learner = LogisticRegression(max_iter=10_000)
    assert set(learner.fit(features, frame["city"]).classes_) == set(frame["city"])


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.filterwarnings("ignore")
def test_croissant_readers_find_every_record(tables, frame, kind):
    croissant = pytest.importorskip("mlcroissant")
    data = croissant.Dataset(jsonld=tables[kind] / "croissant.json")
    records = list(data.records("records"))
    assert len(records) == 100
    assert [record["records/age"] for record in records] == frame["age"].tolist()
    assert [record["records/city"].decode() for record in records] == frame["city"].tolist()


@pytest.mark.filterwarnings("ignore")
def test_croissant_describes_pictures(pictures):
    croissant = pytest.importorskip("mlcroissant")
    for kind in PICTURES:
        data = croissant.Dataset(jsonld=pictures[kind] / "croissant.json")
        assert "synthetic" in data.metadata.description
    data = croissant.Dataset(jsonld=pictures["imagefolder"] / "croissant.json")
    records = list(data.records("records"))
    assert [record["records/label"] for record in records] == labels(pictures)


def labels(pictures):
    lines = (pictures["imagefolder"] / "train" / "metadata.jsonl").read_text().splitlines()
    return [json.loads(line)["label"] for line in lines]


def test_torchvision_loads_pictures(pictures, monkeypatch):
    data = by_its_card(pictures["imagefolder"], 0, monkeypatch)
    assert len(data) == 40
    assert np.bincount(data.targets).tolist() == [4] * 10


def test_numpy_loads_pictures(pictures, monkeypatch):
    data = by_its_card(pictures["npz"], 0, monkeypatch)
    assert data["images"].shape == (40, 8, 8)
    assert data["labels"].tolist() == labels(pictures)


@pytest.mark.filterwarnings("ignore")
def test_webdataset_loads_pictures(pictures, monkeypatch):
    pytest.importorskip("webdataset")
    data = list(by_its_card(pictures["webdataset"], 0, monkeypatch))
    assert len(data) == 40
    picture, label = data[7]
    with np.load(pictures["npz"] / "data" / "train.npz") as plain:
        assert (np.asarray(picture.convert("L")) == plain["images"][7]).all()
        assert int(label) == plain["labels"][7]


@pytest.mark.parametrize("kind", ["parquet", "imagefolder", "webdataset"])
def test_hugging_face_datasets_loads_pictures(pictures, monkeypatch, tmp_path, kind):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    data = by_its_card(pictures[kind], "datasets", monkeypatch)["train"]
    assert len(data) == 40
    name = {"webdataset": "png"}.get(kind, "image")
    with np.load(pictures["npz"] / "data" / "train.npz") as plain:
        found = sorted(np.asarray(row[name].convert("L")).tobytes() for row in data)
        assert found == sorted(image.tobytes() for image in plain["images"])


def test_every_format_is_loaded_here():
    formats = {path.stem for path in pathlib.Path("configs/writer").glob("*.yaml")}
    annotated = {
        "scenes",
        "coco",
    }  # tests/writers/test_scenes_writer.py, tests/tasks/test_annotated.py
    assert formats == {*TABLES, *PICTURES} | annotated
