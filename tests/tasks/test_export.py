"""Packed datasets of digits: what their manifest says, and that an evaluation reads them."""

import json

import numpy as np
import pytest

from genmodels.data.open import open_source
from genmodels.tasks.compose import compose
from genmodels.tasks.evaluate import evaluate
from tests.tasks.pictures import draw, train_digits
from tests.tasks.small import train_tiny

QUICK = [
    "kinds.images.suite.steps=10",
    "kinds.images.suite.copies=20",
    "kinds.images.suite.subsets=5",
    "kinds.images.suite.shown=2",
    "likelihood.rows=0",
    "tensorboard=false",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train_digits(tmp_path_factory.mktemp("digits") / "run", updates=30)


@pytest.mark.parametrize(
    ("kind", "files"), [("webdataset", "data/train-*.tar"), ("parquet", "data/train-*.parquet")]
)
def test_labels_are_right_in_every_format_and_an_evaluation_reads_it(run, tmp_path, kind, files):
    words = ("per_class=12", "seed=2")
    out = draw(run, tmp_path / "out", *words, f"format={kind}")
    plain = open_source(draw(run, tmp_path / "npz", *words, "format=npz")).load()
    images = open_source(out).load()
    assert (images.pixels == plain.pixels).all()
    assert (images.labels == plain.labels).all()
    assert np.bincount(images.labels).tolist() == [12] * 10
    told = json.loads((out / "manifest.json").read_text())
    assert [f["path"] for f in told["files"]] == [
        p.relative_to(out).as_posix() for p in sorted(out.glob(files))
    ]
    assert told["format"] == kind
    cfg = compose("evaluate", [f"run={run}", f"synthetic={out}", *QUICK])
    report, paths = evaluate(cfg)
    assert report.facts["synthetic images"] == 120
    assert report.facts["asked for"] == "per_class=12"
    assert all(path.is_file() for path in paths)


@pytest.mark.parametrize("kind", ["webdataset", "parquet", "imagefolder"])
def test_one_worker_and_two_write_the_same_bytes(run, tmp_path, kind):
    made = []
    for workers in ("1", "2"):
        words = ("n=60", f"workers={workers}", f"format={kind}")
        out = draw(run, tmp_path / workers, *words)
        made.append([f["sha256"] for f in json.loads((out / "manifest.json").read_text())["files"]])
    assert made[0] == made[1]


def test_a_format_that_does_not_suit_is_refused_with_those_that_do(run, tmp_path):
    with pytest.raises(ValueError, match="use format=imagefolder, format=webdataset, format=parq"):
        draw(run, tmp_path / "out", "format=csv")
    rows = train_tiny(tmp_path).path
    with pytest.raises(ValueError, match="this run makes tables; use format=parquet"):
        draw(rows, tmp_path / "out", "format=webdataset")
    with pytest.raises(ValueError, match="there is no format=webdatasets; did you mean webdataset"):
        draw(rows, tmp_path / "out", "format=webdatasets")
    assert not (tmp_path / "out").exists()
