"""What is left of a training of images when it ends: GIFs, neighbours, latents to look at."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.util.img_mime_type_detector import from_bytes
from torch.utils.tensorboard import SummaryWriter

from genmodels.callbacks.checkpoint import read_checkpoint
from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.preview_images import ImagePreview
from genmodels.data.batching import Rows, Shuffled
from genmodels.data.module import DataModule
from genmodels.layout import Condition
from genmodels.report.looks.looks import Looks
from genmodels.run import Run
from genmodels.tasks.compose import compose
from genmodels.tasks.train import train
from genmodels.types import Images
from tests.report.looks.models import LABELLED, Paint, PaintEncoded, model

LOOKS = {
    "rows": 3, "columns": 2, "keys": 2, "steps": 2, "milliseconds": 50, "megabytes": 1.0,
    "made": 3, "nearest": 2, "bank": 20, "side": 16, "projector": 12,
}  # fmt: skip
RNG = np.random.default_rng(0)


def ended(tmp_path, painter, writer=None, **changes):
    """End a training of nothing; the callback's folder."""
    pixels = RNG.integers(0, 256, (12, *painter.layout.shape), dtype=np.uint8)
    labels = np.arange(12) % 3 if painter.condition.groups else None
    codes = np.zeros((12, 0), int) if labels is None else labels[:, None]
    encoded = {"pixels": torch.from_numpy(pixels)}
    rows = Rows.of(encoded, codes, painter.condition, painter.layout)
    batching = Shuffled(batch_size=4, updates_per_step=1)
    data = DataModule(
        train=rows, validation=None, batching=batching, seed=0, validation_batch_size=5
    )
    trainer = SimpleNamespace(is_global_zero=True, current_epoch=0, datamodule=data)
    names = ("a", "bb", "c") if labels is not None else ()
    callback = ImagePreview(
        ledger=Ledger(path=tmp_path / "metrics.jsonl", writer=writer),
        reference=Images(pixels, labels, names),
        folder=tmp_path / "pictures",
        every=1,
        rows=3,
        columns=2,
        seed=0,
        looks=Looks(**{**LOOKS, **changes}),
    )
    painter.num_samples = 640
    callback.on_fit_start(trainer, painter)
    callback.on_train_end(trainer, painter)
    return tmp_path / "pictures"


def test_files_say_what_they_show_and_when(tmp_path):
    names = {f.name for f in ended(tmp_path, model()).iterdir()}
    assert names == {
        "real.png", "fake-0000000640.png", "walk-0000000640.gif", "morph-0000000640.gif",
        "neighbours-0000000640.png",
    }  # fmt: skip


def test_tensorboard_gets_a_gif_as_a_gif(tmp_path):
    writer = SummaryWriter(tmp_path / "tensorboard")
    folder = ended(tmp_path, model(), writer)
    writer.close()
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    (event,) = events.Images("preview/walk")
    assert event.step == 640
    assert event.encoded_image_string == (folder / "walk-0000000640.gif").read_bytes()
    assert from_bytes(event.encoded_image_string) == "image/gif"  # what a browser is told
    assert (event.width, event.height) > (100, 100)


def test_the_projector_gets_latents_with_classes_and_images(tmp_path):
    writer = SummaryWriter(tmp_path / "tensorboard")
    ended(tmp_path, model(PaintEncoded, shape=(1, 8, 8)), writer)
    writer.close()
    folder = tmp_path / "tensorboard"
    from google.protobuf import text_format

    text = (folder / "projector_config.pbtxt").read_text()
    (told,) = text_format.Parse(text, ProjectorConfig()).embeddings
    latents = np.loadtxt(folder / told.tensor_path)
    assert latents.shape == (12, 3)
    assert set((folder / told.metadata_path).read_text().split()) == {"a", "bb", "c"}
    assert (folder / told.sprite.image_path).read_bytes().startswith(b"\x89PNG")
    assert list(told.sprite.single_image_dim) == [8, 8]


@pytest.mark.parametrize("condition", [LABELLED, Condition()])
def test_a_second_end_at_the_same_time_writes_no_latents_again(tmp_path, condition, capsys):
    writer = SummaryWriter(tmp_path / "tensorboard")
    for part in ("one", "two"):
        ended(tmp_path / part, model(PaintEncoded, condition=condition), writer)
    writer.close()
    text = (tmp_path / "tensorboard" / "projector_config.pbtxt").read_text()
    assert text.count("tensor_name") == 1
    assert "warning" not in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "count"), [(PaintEncoded, 0), (Paint, 8)])
def test_without_an_encoder_or_a_wish_there_is_no_projector(tmp_path, kind, count):
    writer = SummaryWriter(tmp_path / "tensorboard")
    ended(tmp_path, model(kind), writer, projector=count)
    writer.close()
    assert not (tmp_path / "tensorboard" / "projector_config.pbtxt").exists()


def test_a_model_without_a_latent_says_so_and_ends_well(tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="genmodels"):
        folder = ended(tmp_path, model(latent_dim=0))
    assert {f.name[:4] for f in folder.iterdir()} == {"real", "fake", "neig"}
    assert "No picture of a walk: this model draws discrete codes" in caplog.text


def test_a_picture_that_cannot_be_made_costs_a_warning_and_not_the_training(
    tmp_path, caplog, monkeypatch
):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Looks, "__call__", fail)
    folder = ended(tmp_path, model())
    assert "could not be made (OSError: [Errno 28] No space left on device)" in caplog.text
    assert (folder / "fake-0000000640.png").exists()


def test_state_and_weights_are_saved_before_the_pictures_at_the_end(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def kill(*args, **kwargs):
        raise Killed

    monkeypatch.setattr(Looks, "__call__", kill)
    np.savez(tmp_path / "some.npz", images=RNG.integers(0, 256, (60, 8, 8), np.uint8))
    words = ["model=dcgan", "data=npz", f"data.path={tmp_path / 'some.npz'}", "logger=none"]
    words += ["trainer.accelerator=cpu", "trainer.max_epochs=2", "validation.select=last"]
    words += ["batching.batch_size=8", "batching.updates_per_epoch=2", f"run={tmp_path / 'run'}"]
    words += ["model.generator.width=4", "model.discriminator.width=4"]
    with pytest.raises(Killed):
        train(compose("train", words))
    run = Run(tmp_path / "run")
    assert read_checkpoint(run)["position"]["epoch"] == 2
    assert run.weights.exists()


@pytest.mark.parametrize("words", [["data=digits", "model=r3gan"], ["data.path=a.csv"]])
def test_nothing_that_saves_comes_after_the_checkpoint(words):
    names = list(compose("train", words).callbacks)
    assert names[names.index("checkpoint") :] == ["checkpoint", "preview"]


def test_the_randomness_of_training_is_left_alone(tmp_path):
    before = torch.get_rng_state()
    ended(tmp_path, model(PaintEncoded), SummaryWriter(tmp_path / "tensorboard"))
    assert torch.equal(torch.get_rng_state(), before)
