"""Verdicts in the dataset that they are about."""

import json

import pytest

from genmodels.files import write_json
from genmodels.tasks.compose import compose
from genmodels.tasks.evaluate import run as evaluate
from genmodels.tasks.sample import sample
from genmodels.tasks.verify import verify
from genmodels.writers.evaluated import note_evaluation
from genmodels.writers.verify import digest
from tests.tasks.small import train_tiny

AXIS = {"axis": "fidelity", "verdict": "worse", "sentence": "Not alike.", "figure": "C2ST 0.9"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train_tiny(tmp_path_factory.mktemp("run")).path


@pytest.fixture
def made(tmp_path, run):
    return sample(compose("sample", [f"run={run}", "n=150", f"out={tmp_path / 'made'}"]))


def differences(folder):
    return verify(compose("verify", [f"dataset={folder}"]))


def words(folder):
    return (folder / "README.md").read_text(), json.loads((folder / "manifest.json").read_text())


def test_evaluate_notes_its_verdicts_and_the_dataset_is_whole(tmp_path, run, made):
    _, before = words(made)
    asked = [f"run={run}", f"synthetic={made}", f"out={tmp_path / 'report'}", "tensorboard=false"]
    evaluate(compose("evaluate", asked))
    assert differences(made) == []
    card, after = words(made)
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert [x["verdict"] for x in after["evaluation"]["axes"]] == [
        x["verdict"] for x in report["axes"]
    ]
    assert "## How far it can be trusted" in card
    assert f"**fidelity**: {report['axes'][0]['sentence']}" in card
    assert "## Load it" in card
    changed = {key for key in after if after[key] != before.get(key)}
    assert changed == {"evaluation", "documents", "digest"}
    evaluate(compose("evaluate", [*asked, "seed=1"]))  # a later one takes its place
    assert words(made)[1]["evaluation"]["seed"] == 1
    assert words(made)[0].count("How far it can be trusted") == 1


def test_without_the_wish_nothing_is_noted(tmp_path, run, made):
    before = words(made)
    asked = [f"run={run}", f"synthetic={made}", f"out={tmp_path / 'report'}", "note=false"]
    evaluate(compose("evaluate", [*asked, "tensorboard=false"]))
    assert words(made) == before


def test_a_changed_dataset_is_not_signed_anew(tmp_path, run, made, caplog):
    (made / "README.md").write_text("Real data.")
    asked = [f"run={run}", f"synthetic={made}", f"out={tmp_path / 'report'}", "tensorboard=false"]
    evaluate(compose("evaluate", asked))
    assert "are not noted" in caplog.text
    assert (made / "README.md").read_text() == "Real data."
    assert differences(made)


def test_names_of_a_stranger_are_text_on_the_card(made):
    axis = AXIS | {"figure": "<script>`x`\n# big ![x](http://t/p.png)"}
    note_evaluation(made, {"axes": [axis]})
    card, _ = words(made)
    assert "&lt;script&gt;\\`x\\` \\# big \\!\\[x\\](http://t/p.png)" in card
    assert "<script>" not in card


def test_a_manifest_that_says_too_little_is_refused(tmp_path):
    manifest = {"synthetic": True, "rows": 2, "files": []}
    write_json(tmp_path / "manifest.json", manifest | {"digest": digest(manifest)})
    with pytest.raises(ValueError, match="does not say all"):
        note_evaluation(tmp_path, {"axes": [AXIS]})


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(ValueError, match="not a dataset"):
        note_evaluation(tmp_path, {"axes": [AXIS]})
