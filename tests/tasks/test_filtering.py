"""Filtering digits by a classifier of the run's real data."""

import json
import shutil

import numpy as np
import pytest

from genmodels.data.open import open_source
from genmodels.tasks import filtering
from tests.tasks.pictures import draw, train_digits
from tests.tasks.small import train_tiny

QUICK = ("format=npz", "filter.steps=100")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train_digits(tmp_path_factory.mktemp("digits") / "run", updates=300)


@pytest.fixture(scope="module")
def half(run, tmp_path_factory):
    """A dataset of which half the candidates were kept."""
    return draw(run, tmp_path_factory.mktemp("made") / "half", "per_class=20", "filter.keep=0.5",
                *QUICK)  # fmt: skip


def facts_of(out):
    return json.loads((out / "manifest.json").read_text())


def test_the_manifest_and_the_card_say_what_was_filtered(run, half):
    told = facts_of(half)
    found = told["filter"]
    assert told["rows"] == found["kept"] == 200
    assert found["candidates"] == found["kept"] + found["rejected"]
    assert 390 <= found["candidates"] <= 440  # rounded up in each class of each block
    assert found["classes"]["3"]["kept"] == 20
    assert found["agreement_after"] > found["agreement_before"] + 0.05
    judge = found["classifier"]
    assert judge["accuracy"] > 0.85
    assert (judge["images"], judge["held_out"]) == (1294, 359)
    card = (half / "README.md").read_text()
    assert "**Filtered** (keep=0.5): 200 of" in card
    assert "trades variety for agreement" in card
    images = open_source(half).load()
    assert np.bincount(images.labels).tolist() == [20] * 10


def test_the_classifier_is_trained_once_and_again_when_its_settings_change(
    run, half, tmp_path, monkeypatch
):
    trainings = []
    fit = filtering.LabelJudge.fit
    monkeypatch.setattr(
        filtering.LabelJudge, "fit", lambda *a, **k: trainings.append(k) or fit(*a, **k)
    )
    again = draw(run, tmp_path / "again", "per_class=20", "filter.keep=0.5", *QUICK, "workers=1")
    assert trainings == []
    assert (again / "data/train.npz").read_bytes() == (half / "data/train.npz").read_bytes()
    other = shutil.copytree(run, tmp_path / "other")
    draw(other, tmp_path / "a", "per_class=2", "filter.agree=true", *QUICK, "filter.seed=1")
    assert len(trainings) == 1
    (other / "classifier.safetensors").write_bytes(b"broken")
    draw(other, tmp_path / "b", "per_class=2", "filter.agree=true", *QUICK, "filter.seed=1")
    assert len(trainings) == 2
    names = {p.name for p in other.iterdir() if p.name.startswith("classifier")}
    assert names == {"classifier.safetensors", "classifier.json"}


def test_only_what_the_classifier_agrees_with_can_be_kept(run, half, tmp_path):
    out = draw(run, tmp_path / "out", "n=60", "filter.agree=true", *QUICK, "shortfall=drop")
    found = facts_of(out)["filter"]
    assert found["agreement_after"] == 1.0
    assert found["kept"] + found["dropped"] == 60
    assert facts_of(out)["rows"] == found["kept"] == len(open_source(out).load())


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("filter.keep=2", "filter.keep must be null or a number from 0.01 to 1, got 2"),
        ("filter.confidence=sure", "filter.confidence must be null or a number"),
        ("filter.agree=1", "filter.agree must be true or false"),
    ],
)
def test_what_cannot_be_asked_is_named(run, tmp_path, word, message):
    with pytest.raises(ValueError, match=message):
        draw(run, tmp_path / "out", word)


def test_a_run_without_classes_cannot_be_filtered(tmp_path):
    rows = train_tiny(tmp_path).path
    with pytest.raises(ValueError, match="filter chooses among pictures of classes"):
        draw(rows, tmp_path / "out", "filter.agree=true")


def test_without_the_real_data_it_is_said_where_to_name_them(run, tmp_path):
    bare = shutil.copytree(run, tmp_path / "bare", ignore=shutil.ignore_patterns("classifier.*"))
    manifest = json.loads((bare / "manifest.json").read_text())
    manifest["split"]["fingerprint"] = "other"
    (bare / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=r"filter needs the real data .*changed.* filter.real"):
        draw(bare, tmp_path / "out", "filter.agree=true", *QUICK)
