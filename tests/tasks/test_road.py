"""Datasets of traffic scenes: whole, the same however they are made, and good to train on."""

import json

import pytest
from torchvision.datasets import ImageFolder

from genmodels.cli import main
from genmodels.data.open import open_source
from genmodels.tasks.compose import compose
from genmodels.tasks.verify import verify
from tests.tasks import simulated
from tests.tasks.pictures import TINY
from tests.tasks.simulated import hashes, manifest_of
from tests.tasks.small import left

SMALL = ("simulator=road", "simulator.height=32", "simulator.width=32", "simulator.samples=1")
QUICK = (
    "data=imagefolder", "trainer.accelerator=cpu", "logger=none", "trainer.max_epochs=1",
    "callbacks.preview=null", "batching.updates_per_epoch=4",
)  # fmt: skip


def made(out, *words):
    return simulated.made(out, *SMALL, *words)


def test_a_dataset_of_scenes_is_whole_and_says_what_it_is(tmp_path):
    out = made(tmp_path / "out", "n=20")
    assert verify(compose("verify", [f"dataset={out}"])) == []
    told = manifest_of(out)
    assert (told["format"], told["rows"], told["simulator"]["name"]) == ("scenes", 20, "road")
    assert told["simulator"]["cannot_make"]
    assert "CocoDetection" in (out / "README.md").read_text()
    listed = json.loads((out / "croissant.json").read_text())["distribution"]
    assert {"images", "labels", "masks", "depth", "data"} <= {one["@id"] for one in listed}
    images = open_source(out).load()
    assert images.pixels.shape == (20, 3, 32, 32)
    assert set(images.attributes) == {"weather", "time", "density"}


def test_chunks_shards_workers_and_more_rows_change_no_picture(tmp_path):
    whole = made(tmp_path / "whole", "n=20")
    other = made(tmp_path / "other", "n=20", "chunk_rows=3", "workers=2")
    assert hashes(other) == hashes(whole)
    parts = made(tmp_path / "parts", "n=20", "writer.scenes.images_per_shard=6", "workers=1")
    assert hashes(parts) == hashes(whole)
    fewer = made(tmp_path / "fewer", "n=9")
    assert hashes(fewer)[: 9 * 5] == hashes(whole)[: 9 * 5]


def test_processes_change_no_picture(tmp_path, monkeypatch):
    whole = made(tmp_path / "whole", "n=40", "workers=1")
    monkeypatch.setattr("genmodels.tasks.simulate._WORTH_PROCESSES", 2)
    assert hashes(made(tmp_path / "apart", "n=40", "workers=2")) == hashes(whole)


@pytest.mark.parametrize("form", ["imagefolder", "npz", "parquet", "webdataset"])
@pytest.mark.parametrize("rows", ["scene", "crop"])
def test_other_formats_hold_pictures_with_one_label(tmp_path, form, rows):
    words = (f"simulator.rows={rows}", "simulator.crop=24", f"format={form}", "n=24")
    out = made(tmp_path / "out", *words)
    assert verify(compose("verify", [f"dataset={out}"])) == []
    images = open_source(out).load()
    side = 24 if rows == "crop" else 32
    assert images.pixels.shape == (24, 3, side, side)
    known = {"car", "truck", "bus", "bicycle", "pedestrian"}
    known = known if rows == "crop" else {"clear", "rain", "fog", "snow"}
    assert set(images.class_names) <= known
    assert len(images.class_names) >= 3


@pytest.mark.parametrize("rows", ["scene", "crop"])
def test_labels_are_those_of_imagefolder(tmp_path, rows):
    words = (f"simulator.rows={rows}", "simulator.crop=24", "format=imagefolder", "n=40")
    out = made(tmp_path / "out", *words)
    lines = (out / "train" / "metadata.jsonl").read_text().splitlines()
    told = {one["class_name"]: one["label"] for one in map(json.loads, lines)}
    assert len(told) >= 3
    assert told == ImageFolder(out / "train").class_to_idx


def test_work_that_was_interrupted_ends_in_the_same_bytes(tmp_path, monkeypatch):
    from genmodels.writers.scenes import ScenesWriter

    whole = made(tmp_path / "whole", "n=20", "writer.scenes.images_per_shard=6")
    write, calls = ScenesWriter.write, []

    def interrupted(self, pieces, folder, shard):
        calls.append(shard.number)
        if len(calls) == 3:
            next(pieces)
            raise KeyboardInterrupt
        return write(self, pieces, folder, shard)

    monkeypatch.setattr(ScenesWriter, "write", interrupted)
    words = ("n=20", "writer.scenes.images_per_shard=6")
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "out", *words)
    assert hashes(made(tmp_path / "out", *words)) == hashes(whole)
    assert calls == [0, 1, 2, 2, 3]


@pytest.mark.parametrize("model", ["dcgan", "conv_vae"])
def test_a_gan_and_a_vae_train_on_crops_and_are_evaluated(tmp_path, model):
    words = ("simulator.rows=crop", "simulator.crop=16", "simulator.classes=[car,pedestrian]")
    real = made(tmp_path / "real", *words, "n=80")
    held = made(tmp_path / "held", *words, "seed=1", "n=60")
    run = tmp_path / "run"
    train = [f"data.path={real / 'train'}", f"run={run}", f"model={model}", *QUICK]
    train += TINY[model].split()
    assert main(["train", *train]) == 0
    drawn = tmp_path / "drawn"
    assert main(["sample", f"run={run}", "n=60", f"out={drawn}"]) == 0
    report = [f"real={real}", f"holdout={held}", f"synthetic={drawn}", "tensorboard=false"]
    assert main(["evaluate", *report, f"out={tmp_path / 'report'}"]) == 0
    assert (tmp_path / "report" / "report.json").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["simulator.classes=[]"], "simulator.classes names nothing"),
        (["simulator.density=-1"], "simulator.density must be a number from 0 to 200, got -1"),
        (["simulator.weather=fogg"], "did you mean fog"),
        (["simulator.weather=[clear,hail]"], "no 'hail'; there are: clear, rain, fog, snow"),
        (["simulator.time=noon"], "no 'noon'; there are: day, dusk, night"),
        (["simulator.focus=tram"], "simulator.focus: there is no 'tram'"),
        (["simulator.rows=crops"], "simulator.rows must be scene or crop"),
        (["simulator.samples=2"], "simulator.samples must be odd"),
        (["simulator.height=4"], "simulator.height must be a whole number from 16"),
        (["simulator.camera_height=[3,1]"], "[3, 1] must rise"),
        (["simulator.fog_sight=[1,2,3]"], "a number or [from, to]"),
        (["simulator.fog_sight=null"], "a number from 5 to 1000, got None"),
        (["simulator.fog_sight=abc"], "a number from 5 to 1000, got abc"),
        (["simulator.fog_sight=5", "simulator.weather=fog", "simulator.focus=car"], "raise"),
        (["simulator.most_hidden=2"], "simulator.most_hidden must be a number from 0 to 0.99"),
        (["simulator.pairwise=[]"], "must be a list of densities"),
        (["simulator.pairwise=3"], "must be a list of densities"),
        (["simulator.least_pixels=100000", "simulator.focus=car"], "no scene was found"),
        (["simulator.denstiy=3"], "did you mean simulator.density"),
        (["format=csv"], "format=imagefolder"),
        (["format=scenes", "simulator.rows=crop"], "use format=imagefolder"),
        (["simulator=raod"], "did you mean road"),
    ],
)
def test_a_mistake_is_one_clear_line_and_leaves_nothing(
    tmp_path, monkeypatch, capsys, words, message
):
    monkeypatch.chdir(tmp_path)
    code = main(["simulate", *SMALL, "n=4", *words])
    out, err = capsys.readouterr()
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in out + err
    assert left(tmp_path) == []
