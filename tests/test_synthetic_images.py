"""Images that are drawn anew for each epoch."""

import copy

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import genmodels
from genmodels import SyntheticImages
from genmodels.data.open import open_source
from genmodels.types import Images
from tests.tasks.pictures import draw, train_digits
from tests.tasks.small import train_tiny


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train_digits(tmp_path_factory.mktemp("digits") / "run", updates=30)


def stack(images):
    return torch.stack([x for x, _ in images]), [y for _, y in images]


def test_it_is_a_name_of_the_package():
    assert "SyntheticImages" in dir(genmodels)


def test_an_epoch_has_images_of_its_own_and_always_the_same(run):
    images = SyntheticImages(run, 40, seed=3)
    first, labels = stack(images)
    assert first.shape == (40, 1, 8, 8)
    assert first.dtype == torch.float32
    assert 0.0 <= first.min() < first.max() <= 1.0
    images.set_epoch(2)
    second, others = stack(images)
    assert (first != second).any()
    assert labels != others
    again = SyntheticImages(run, 40, seed=3)
    again.set_epoch(1)
    again.set_epoch(2)
    assert torch.equal(stack(again)[0], second)
    again.set_epoch(0)
    assert torch.equal(stack(again)[0], first)
    assert images.classes == tuple(map(str, range(10)))


def test_the_first_epoch_is_what_sample_writes(run, tmp_path):
    out = draw(run, tmp_path / "out", "per_class=3", "seed=5", "format=npz", "latent_scale=1.2")
    written = open_source(out).load()
    images = SyntheticImages(run, seed=5, overrides=["per_class=3", "latent_scale=1.2"])
    assert len(images) == 30
    assert (images.images.pixels == written.pixels).all()
    images.set_epoch(1)
    assert np.bincount([y for _, y in images]).tolist() == [3] * 10


def test_without_refresh_every_epoch_is_the_same(run):
    images = SyntheticImages(run, 10, refresh=False)
    first, _ = stack(images)
    images.set_epoch(4)
    assert images.epoch == 4
    assert torch.equal(stack(images)[0], first)


def test_a_loader_with_workers_reads_it(run):
    images = SyntheticImages(run, 24, transform=lambda x: 2.0 * x - 1.0)
    images.set_epoch(1)
    plain = list(DataLoader(images, batch_size=8))
    forked = DataLoader(images, batch_size=8, num_workers=1, multiprocessing_context="fork")
    apart = list(forked)
    assert len(plain) == 3
    assert plain[0][0].min() < 0
    for (x, y), (other, label) in zip(plain, apart, strict=True):
        assert torch.equal(x, other)
        assert torch.equal(y, label)


def test_a_copy_reads_but_does_not_draw(run):
    images = SyntheticImages(run, 4)
    other = copy.copy(images)
    assert torch.equal(other[2][0], images[2][0])
    with pytest.raises(ValueError, match="a copy in another process cannot draw"):
        other.set_epoch(1)


def test_without_classes_there_is_the_image_alone(tmp_path):
    bare = train_digits(tmp_path / "run", "condition=none", updates=10)
    images = SyntheticImages(bare, 3)
    assert images[1].shape == (1, 8, 8)
    assert images.classes == ()
    assert isinstance(images.images, Images)


def test_what_does_not_fit_is_named(run, tmp_path):
    with pytest.raises(ValueError, match="out= is no override here"):
        SyntheticImages(run, 3, overrides=["out=x"])
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        SyntheticImages(run, 0)
    with pytest.raises(ValueError, match="there is no run at"):
        SyntheticImages(tmp_path / "nowhere", 3)
    with pytest.raises(ValueError, match="epoch must be 0 or larger, got -1"):
        SyntheticImages(run, 3).set_epoch(-1)
    with pytest.raises(ValueError, match="needs a run that makes images, this one makes tables"):
        SyntheticImages(train_tiny(tmp_path).path, 3)
