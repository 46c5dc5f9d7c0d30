"""`genmodels look`: pictures of a finished run."""

import numpy as np
import pytest

from genmodels.cli import main
from genmodels.tasks.compose import compose
from genmodels.tasks.look import look
from genmodels.tasks.train import train
from tests.tasks.small import train_tiny

SMALL = [
    "model=conv_vae", "data=npz", "trainer.accelerator=cpu", "trainer.max_epochs=1",
    "logger=none", "callbacks.preview=null", "batching.batch_size=8",
    "batching.updates_per_step=2", "batching.updates_per_epoch=4", "model.latent_dim=4",
    "model.encoder.width=8", "model.decoder.width=8", "model.encoder.features=16",
    "model.decoder.features=16",
]  # fmt: skip
FEW = [
    f"kinds.images.{word}" for word in ("rows=2", "columns=2", "keys=2", "steps=2", "made=2")
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of small images, and a run on them."""
    folder = tmp_path_factory.mktemp("looked")
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = rng.integers(0, 120, (60, 8, 8)) + 120 * labels[:, None, None]
    np.savez(folder / "images.npz", images=images.astype(np.uint8), labels=labels)
    words = [*SMALL, f"data.path={folder / 'images.npz'}", f"run={folder / 'run'}"]
    train(compose("train", words))
    return folder


def looked(folder, *words):
    return look(compose("look", [f"run={folder / 'run'}", *FEW, *words]))


def test_all_pictures_and_a_page_with_them_are_written_into_the_run(made):
    paths = looked(made)
    names = ["grid.png", "walk.gif", "morph.gif", "neighbours.png", "index.html"]
    assert [p.name for p in paths] == names
    assert {p.parent for p in paths} == {made / "run" / "pictures" / "look"}
    page = paths[-1].read_text()
    assert all(f'src="{name}"' in page for name in names[:-1])


def test_what_is_asked_for_is_made_and_by_the_seed(made, tmp_path):
    pictures = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (path, _) = looked(made, "what=grid", f"out={tmp_path / name}", f"seed={seed}")
        pictures.append(path.read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]


def test_without_its_data_a_run_has_all_pictures_but_the_neighbours(made, tmp_path, caplog):
    elsewhere = f"real={tmp_path / 'gone.npz'}"
    paths = looked(made, f"out={tmp_path / 'out'}", elsewhere)
    assert [p.stem for p in paths] == ["grid", "walk", "morph", "index"]
    assert "no neighbours: " in caplog.text
    with pytest.raises(ValueError, match="no neighbours: "):
        looked(made, "what=neighbours", elsewhere, f"out={tmp_path / 'none'}")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("what=wlak", "did you mean walk?"),
        ("run=nowhere", "there is no run at nowhere"),
        ("kinds.images.keys=1", "looks.keys"),
        ("seed=-1", "seed must be at least 0"),
    ],
)
def test_a_mistake_is_one_line(made, capsys, word, message):
    run = [] if word.startswith("run=") else [f"run={made / 'run'}"]
    assert main(["look", *run, word]) == 2
    assert message in capsys.readouterr().err


def test_a_run_on_other_data_says_what_shows_it(tmp_path):
    train_tiny(tmp_path, "trainer.max_epochs=1")
    with pytest.raises(ValueError, match="look is for images"):
        look(compose("look", [f"run={tmp_path / 'run'}"]))
