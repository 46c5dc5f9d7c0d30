"""Attributes from data to samples: what is asked for, what a run says of it, what is refused."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest

from genmodels import Synthesizer, SyntheticImages
from genmodels.combinations import Combinations, Facet
from genmodels.data.open import open_source
from genmodels.data.splits import Split
from genmodels.layout import Condition, ConditionGroup
from genmodels.run import Run
from genmodels.tasks.attributes import by_attributes
from genmodels.tasks.compose import compose
from genmodels.tasks.control import Asked
from genmodels.tasks.evaluate import evaluate
from genmodels.tasks.look import look
from genmodels.tasks.schema import draft
from genmodels.tasks.train import train
from genmodels.writers.imagefolder import ImageFolderWriter
from genmodels.writers.npz import NPZWriter
from tests.attributes import barred
from tests.tasks.pictures import TINY, draw
from tests.writers.whole import write_whole

FAST = [
    "trainer.accelerator=cpu", "logger=none", "trainer.max_epochs=1", "data.preview.looks=null",
    "batching.updates_per_epoch=20", "batching.batch_size=16",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bars")
    (folder / "data").mkdir()
    write_whole(ImageFolderWriter(), iter([barred(200)]), folder / "data")
    words = [
        "model=conv_vae", "data=imagefolder", f"data.path={folder / 'data'}", "data.attributes=all",
        f"run={folder / 'run'}", *TINY["conv_vae"].split(), *FAST,
    ]  # fmt: skip
    return train(compose("train", words)).path


def made(run, out, *words):
    folder = draw(run, out, "n=300", "format=npz", *words)
    return open_source(folder).load(), json.loads((folder / "manifest.json").read_text())


def test_by_default_attributes_come_as_in_training(run, tmp_path):
    images, manifest = made(run, tmp_path / "out")
    assert list(images.attributes) == ["position", "dark"]
    assert abs(images.attributes["dark"].mean() - 0.4) < 0.1
    assert abs(images.attributes["position"].mean() - 5.5) < 0.5
    assert manifest["conditions"] == "empirical"
    assert [a["name"] for a in manifest["schema"]["attributes"]] == ["position", "dark"]


def test_several_values_are_asked_for_at_once(run, tmp_path):
    words = ("condition.dark=yes", "condition.position=4.5")
    images, manifest = made(run, tmp_path / "out", *words)
    assert images.attributes["dark"].all()
    assert set(images.attributes["position"]) == {4.5}
    assert len(set(images.labels.tolist())) == 2
    assert manifest["conditions"] == {"dark": "yes", "position": "4.5"}
    card = (tmp_path / "out" / "README.md").read_text()
    assert "dark = yes" in card


def test_levels_are_balanced_or_shared_out(run, tmp_path):
    images, manifest = made(run, tmp_path / "a", "balance=dark")
    assert abs(images.attributes["dark"].mean() - 0.5) < 0.1
    assert manifest["control"] == {"balance": "dark"}
    images, _ = made(run, tmp_path / "b", "shares.dark={yes: 0.9}")
    assert abs(images.attributes["dark"].mean() - 0.9) < 0.07
    images, _ = made(run, tmp_path / "c", "balance=label")
    assert abs(images.labels.mean() - 0.5) < 0.1


def test_classes_come_in_turn_with_what_is_asked_besides(run, tmp_path):
    out = draw(run, tmp_path / "out", "per_class=20", "format=npz", "condition.dark=yes")
    images = open_source(out).load()
    assert np.bincount(images.labels).tolist() == [20, 20]
    assert images.attributes["dark"].all()
    assert len(set(images.attributes["position"].tolist())) > 10
    assert "`condition.dark=yes, per_class=20`" in (out / "README.md").read_text()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["condition.drak=yes"], "condition.drak: .* did you mean 'dark'"),
        (["condition.dark=perhaps"], "no such level; known are no, yes"),
        (["condition.position=11"], "position must be a number from 2.* to 8.9"),
        (["condition.label=leaning"], "known are upright, lying"),
        (["balance=position"], "position is a number and has no levels"),
        (["balance=dark", "condition.label=lying"], "condition and balance cannot be combined"),
        (["balance=dark", "shares.dark={yes: 0.5}"], "balance and shares cannot be combined"),
        (["per_class=3", "n=50"], "n=50 and per_class=3 cannot be combined"),
        (["per_class=3", "balance=dark"], "balance and per_class cannot be combined"),
        (["per_class=3", "condition.label=lying"], "condition.label and per_class cannot be"),
        (["filter.keep=0.5"], "filter chooses among pictures by their class alone"),
        (["given.dark=yes"], "given: only data with named attributes"),
    ],
)
def test_what_cannot_be_asked_for_is_named(run, tmp_path, words, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw(run, tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


def test_a_class_that_does_not_come_with_what_is_asked_for_is_named():
    facets = (Facet("label", "class", ("cat", "dog")), Facet("wet", "boolean", ("no", "yes")))
    told = Combinations(facets, np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    condition = Condition((ConditionGroup("attributes", (0.5, 0.25, 0.25), combinations=told),))
    with pytest.raises(ValueError, match=r"condition.wet=yes .* row of class 'dog' has that"):
        by_attributes(condition, Asked(per_class=3), {"wet": "yes"})
    left, _, _ = by_attributes(condition, Asked(per_class=3), {"wet": "no"})
    assert left.groups[0].frequencies == pytest.approx((2 / 3, 1 / 3))


def test_pictures_of_the_run_have_rows_of_attributes(run, tmp_path):
    assert (run / "pictures" / "real.png").is_file()
    assert list((run / "pictures").glob("fake-*.png"))
    assert list((run / "pictures").glob("reconstruction-*.png"))
    words = [f"run={run}", f"out={tmp_path}", "what=[grid,morph]", "kinds.images.steps=2"]
    assert len(look(compose("look", words))) == 3


def test_images_for_training_elsewhere_come_with_a_dict(run):
    images = SyntheticImages(run, 5, overrides=["condition.position=3"])
    _, known = images[0]
    assert known["position"] == 3.0
    assert set(known) == {"label", "position", "dark"}


def test_without_the_setting_nothing_is_told_but_the_class(run, tmp_path):
    data = f"data.path={run.parent / 'data'}"
    words = ["model=conv_vae", "data=imagefolder", data, f"run={tmp_path / 'run'}", *FAST]
    plain = train(compose("train", [*words, *TINY["conv_vae"].split()]))
    codec = json.loads(plain.codec.read_text())
    assert [group["name"] for group in codec["condition"]] == ["label"]
    assert "combinations" not in codec["condition"][0]
    assert "attributes" not in json.loads(plain.schema.read_text())


def test_a_schema_says_what_attributes_are_and_can_be_corrected(run, tmp_path, capsys):
    file = tmp_path / "bars.yaml"
    words = ["data=imagefolder", f"data.path={run.parent / 'data'}"]
    schema = draft(compose("schema", [*words, "data.attributes=[dark]", f"out={file}"]))
    assert [a.name for a in schema.attributes] == ["dark"]
    assert "boolean" in capsys.readouterr().out
    more = [*words, f"run={tmp_path / 'run'}", f"schema={file}", "model=conv_vae", *FAST]
    with pytest.raises(ValueError, match="has the attribute 'dark', but the images have no"):
        train(compose("train", more))
    trained = train(compose("train", [*more, *TINY["conv_vae"].split(), "data.attributes=all"]))
    assert [a["name"] for a in json.loads(trained.schema.read_text())["attributes"]] == ["dark"]


def test_images_in_memory_are_told_and_asked_for(tmp_path, caplog):
    overrides = ["data.attributes=[dark]", *TINY["conv_vae"].split(), *FAST]
    synthesizer = Synthesizer("conv_vae", run=tmp_path / "run", overrides=overrides)
    synthesizer.fit(barred(120, labelled=False))
    images = synthesizer.sample(40, condition={"dark": True})
    assert list(images.attributes) == ["dark"]
    assert images.attributes["dark"].all()
    assert images.labels is None
    again = Synthesizer.load(tmp_path / "run").sample(40, condition={"dark": "yes"})
    assert (again.pixels == images.pixels).all()
    images = synthesizer.sample(200, balance="dark")
    assert abs(images.attributes["dark"].mean() - 0.5) < 0.15
    with caplog.at_level(logging.WARNING):
        synthesizer.sample(3, condition={"dark": "no"})
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_mixture_after_training_is_one_for_all(run, tmp_path):
    (file,) = write_whole(NPZWriter(), iter([barred(150)]), tmp_path)
    words = [
        "model=conv_vae", "data=npz", f"data.path={file}", "data.attributes=all", "ex_post=mixture",
        "model.ex_post.least=20", f"run={tmp_path / 'run'}", *TINY["conv_vae"].split(), *FAST,
    ]  # fmt: skip
    out = draw(train(compose("train", words)).path, tmp_path / "out", "n=10", "format=npz")
    assert len(open_source(out).load()) == 10


def test_a_stopped_run_goes_on_with_the_attributes_it_had(run, tmp_path):
    (file,) = write_whole(NPZWriter(), iter([barred(100)]), tmp_path)
    words = [
        "model=conv_vae", "data=npz", f"data.path={file}", "data.attributes=all",
        f"run={tmp_path / 'run'}", *TINY["conv_vae"].split(), *FAST,
    ]  # fmt: skip
    train(compose("train", words))
    more = train(compose("train", [*words, "trainer.max_epochs=2", "resume=auto"]))
    assert Run.open(more.path).read_manifest()["finished"]
    images = open_source(draw(more.path, tmp_path / "o", "n=8", "condition.dark=no")).load()
    assert len(images) == 8
    assert not images.attributes["dark"].any()


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_training_goes_without_validation_images(tmp_path, share):
    """None are held out, or none of them has a level that training had."""
    dose = np.array(["low", "high"])[np.arange(60) % 2].astype("<U9")
    dose[Split(rows=60, seed=0, holdout=0.1, validation=share).val] = "other"
    images = replace(barred(60), attributes={"dose": dose})
    (file,) = write_whole(NPZWriter(), iter([images]), tmp_path)
    words = [
        "model=conv_vae", "data=npz", f"data.path={file}", "data.attributes=all", "seed=0",
        "data.holdout=0.1", f"data.validation={share}", f"run={tmp_path / 'run'}",
        *TINY["conv_vae"].split(), *FAST,
    ]  # fmt: skip
    (told,) = json.loads(train(compose("train", words)).schema.read_text())["attributes"]
    assert told["levels"] == ["high", "low"]


def test_a_report_says_how_far_samples_show_what_they_were_told(run, tmp_path):
    out = draw(run, tmp_path / "out", "n=120", "format=npz")
    words = [
        f"run={run}", f"synthetic={out}", "kinds.images.suite.steps=10", "tensorboard=false",
        "kinds.images.suite.copies=20", "kinds.images.suite.subsets=5",
    ]  # fmt: skip
    report, _ = evaluate(compose("evaluate", words))
    found = {row.metric: row for row in report.rows if row.metric.startswith("agreement on")}
    assert set(found) == {"agreement on position", "agreement on dark"}
    assert found["agreement on dark"].ceiling > 0.9


def test_a_report_without_a_run_judges_attributes_when_asked(tmp_path):
    words = ["tensorboard=false", f"out={tmp_path / 'report'}", "kinds.images.infer.attributes=all"]
    for seed, name in enumerate(("real", "holdout", "synthetic")):
        (tmp_path / name).mkdir()
        (file,) = write_whole(NPZWriter(), iter([barred(60, seed)]), tmp_path / name)
        words.append(f"{name}={file}")
    fast = ("steps=10", "copies=20", "subsets=5")
    report, _ = evaluate(compose("evaluate", words + [f"kinds.images.suite.{x}" for x in fast]))
    assert "agreement on dark" in {row.metric for row in report.rows}
