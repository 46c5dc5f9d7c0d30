from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from genmodels.algorithms.base import GenerativeModel
from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.preview_images import ImagePreview
from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.report.looks.sheet import draw_grid
from genmodels.types import Images

RNG = np.random.default_rng(0)
LABELLED = Condition((ConditionGroup("label", (0.5, 0.25, 0.25), ("a", "bb", "c")),))


class Paint(GenerativeModel):
    """Paints the class index, scaled, and the first latent's sign."""

    noise_dim = 2

    def sample(self, z, c, u):
        self.calls = [*getattr(self, "calls", []), (z, c, u)]
        level = c.argmax(1) * 50 if c.shape[1] else torch.zeros(len(z))
        value = (level + (z[:, 0] > 0) * 20).byte()
        return {"pixels": value[:, None, None, None].expand(-1, *self.layout.shape)}

    def update(self, batch, optimizers, *, measure):
        return torch.zeros(())

    def sampler_modules(self):
        return {}


class PaintAgain(Paint):
    def reconstruct(self, batch, u):
        return {"pixels": batch.x.add(1).mul(127.5).round().byte()}


def images(channels=1, labelled=True):
    pixels = RNG.integers(0, 256, (9, channels, 4, 6), dtype=np.uint8)
    return Images(pixels, np.arange(9) % 3, ("a", "bb", "c")) if labelled else Images(pixels)


def preview(tmp_path, reference, writer=None, **changes):
    options = {"every": 2, "rows": 10, "columns": 4, "seed": 1} | changes
    ledger = Ledger(path=tmp_path / "metrics.jsonl", writer=writer)
    return ImagePreview(ledger=ledger, reference=reference, folder=tmp_path / "pictures", **options)


def trainer(epoch=1):
    return SimpleNamespace(is_global_zero=True, current_epoch=epoch)


def model(kind=Paint, channels=1, condition=LABELLED):
    return kind(layout=ImageLayout(channels, 4, 6), condition=condition, latent_dim=3)


def test_files_and_tensorboard_hold_real_and_fake(tmp_path):
    writer = SummaryWriter(tmp_path / "tensorboard")
    painter, callback = model(), preview(tmp_path, images(), writer)
    painter.num_samples = 640
    callback.on_fit_start(trainer(), painter)
    callback.on_train_epoch_end(trainer(), painter)
    names = sorted(f.name for f in (tmp_path / "pictures").iterdir())
    assert names == ["fake-0000000640.png", "real.png"]
    writer.close()
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert events.Tags()["images"] == ["preview/real", "preview/fake"]
    assert events.Images("preview/fake")[0].step == 640


def test_rows_are_classes_and_columns_share_their_latent(tmp_path):
    painter, callback = model(), preview(tmp_path, images())
    callback.on_fit_start(trainer(), painter)
    callback.on_train_end(trainer(), painter)
    z, c, u = painter.calls[0]
    assert c.argmax(1).tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert torch.equal(z[:4], z[4:8])
    assert torch.equal(u[:4], u[8:])
    assert u.shape == (12, 2)
    assert len({tuple(row) for row in z.tolist()}) == 4


def test_the_same_latents_come_back_and_training_randomness_is_untouched(tmp_path):
    seen = []
    for _ in range(2):
        torch.manual_seed(7)
        painter, callback = model(), preview(tmp_path, images())
        before = torch.get_rng_state()
        callback.on_fit_start(trainer(), painter)
        callback.on_train_epoch_end(trainer(), painter)
        painter.num_samples = 9
        callback.on_train_epoch_end(trainer(), painter)
        assert torch.equal(torch.get_rng_state(), before)
        seen += painter.calls
    assert len(seen) == 4
    assert all(torch.equal(a, b) for call in seen for a, b in zip(call, seen[0], strict=True))


def test_it_comes_every_few_epochs_and_once_at_the_end(tmp_path):
    painter, callback = model(), preview(tmp_path, images(), every=3)
    callback.on_fit_start(trainer(), painter)
    for epoch in range(7):
        painter.num_samples = epoch + 1
        callback.on_train_epoch_end(trainer(epoch=epoch), painter)
    callback.on_train_end(trainer(), painter)
    callback.on_train_end(trainer(), painter)
    names = sorted(f.name for f in (tmp_path / "pictures").glob("fake*"))
    assert names == [f"fake-{n:010d}.png" for n in (3, 6, 7)]


@pytest.mark.parametrize("labelled", [True, False])
def test_an_unconditional_model_fills_the_grid_with_different_latents(tmp_path, labelled):
    painter = model(condition=Condition())
    callback = preview(tmp_path, images(labelled=labelled), rows=3)
    callback.on_fit_start(trainer(), painter)
    callback.on_train_end(trainer(), painter)
    z, c, _ = painter.calls[0]
    assert c.shape == (12, 0)
    assert len({tuple(row) for row in z.tolist()}) == 12


def test_reconstructions_stand_beside_their_originals(tmp_path):
    reference = images()
    painter, callback = model(PaintAgain), preview(tmp_path, reference, columns=2)
    callback.on_fit_start(trainer(), painter)
    callback.on_train_end(trainer(), painter)
    expected = draw_grid(np.repeat(callback.real, 2, axis=0), 3, reference.class_names)
    with Image.open(tmp_path / "pictures" / "reconstruction-0000000000.png") as picture:
        assert (np.asarray(picture) == np.asarray(expected)).all()


def test_of_many_classes_evenly_spaced_ones_are_shown(tmp_path):
    names = tuple(map(str, range(50)))
    reference = Images(np.zeros((50, 1, 4, 4), np.uint8), np.arange(50), names)
    assert preview(tmp_path, reference, rows=3).names == ("0", "24", "49")


def test_only_the_first_process_draws(tmp_path):
    painter, callback = model(), preview(tmp_path, images())
    other = trainer()
    other.is_global_zero = False
    callback.on_fit_start(other, painter)
    callback.on_train_end(other, painter)
    assert not (tmp_path / "pictures").exists()


def test_sizes_are_checked(tmp_path):
    with pytest.raises(ValueError, match="must be at least 1"):
        preview(tmp_path, images(), every=0)
