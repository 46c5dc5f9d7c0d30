"""Pictures of classes as they are asked for: so many of each, shares, and other latents."""

import json
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from torch import nn

from genmodels import Synthesizer
from genmodels.data.open import open_source
from genmodels.tasks.compose import compose, resolved
from genmodels.tasks.steering import steered
from genmodels.types import Images
from tests.tasks.pictures import draw, train_digits
from tests.tasks.small import train_tiny

CLASSES = [str(i) for i in range(10)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train_digits(tmp_path_factory.mktemp("digits") / "run")


def manifest(out):
    return json.loads((out / "manifest.json").read_text())


def counts(images):
    return Counter(images.class_names[i] for i in images.labels)


@pytest.mark.parametrize("kind", ["imagefolder", "npz"])
def test_every_class_has_as_many_pictures_as_asked_for(run, tmp_path, kind):
    out = draw(run, tmp_path / "out", "per_class=7", f"format={kind}")
    images = open_source(out).load()
    assert counts(images) == dict.fromkeys(CLASSES, 7)
    told = manifest(out)
    assert told["rows"] == 70
    assert told["control"] == {"per_class": 7}
    assert "`per_class=7`" in (out / "README.md").read_text()


def test_more_of_each_class_begin_with_the_same_pictures(run, tmp_path):
    few, many = (
        open_source(draw(run, tmp_path / n, f"per_class={n}", "format=npz")).load()
        for n in ("2", "5")
    )
    assert (few.pixels == many.pixels[:20]).all()
    assert (few.labels == many.labels[:20]).all()


def test_a_class_without_a_training_row_is_not_drawn(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (60, 1, 8, 8), dtype=np.uint8)
    synthesizer = Synthesizer(
        "conv_vae", epochs=1, run=tmp_path / "run",
        overrides=("trainer.accelerator=cpu", "callbacks.preview=null", "model.encoder.width=4",
                   "model.decoder.width=4", "batching.updates_per_epoch=10"),
    )  # fmt: skip
    synthesizer.fit(Images(pixels, np.arange(60) % 2, ("cat", "dog", "elk")))
    out = draw(tmp_path / "run", tmp_path / "out", "per_class=3")
    assert counts(open_source(out).load()) == {"cat": 3, "dog": 3}


def test_classes_can_be_balanced_or_have_shares(run, tmp_path):
    words = ("n=4000", "format=npz")
    even = counts(open_source(draw(run, tmp_path / "a", "balance=label", *words)).load())
    assert all(abs(even[name] - 400) < 4 * 20 for name in CLASSES)
    wish = "shares.label={3: 0.5, 7: 0.25, 0: 0}"
    out = draw(run, tmp_path / "b", wish, *words)
    found = counts(open_source(out).load())
    assert abs(found["3"] - 2000) < 4 * 32
    assert abs(found["7"] - 1000) < 4 * 28
    assert "0" not in found
    assert manifest(out)["control"] == {"shares": {"label": {"3": 0.5, "7": 0.25, "0": 0.0}}}
    images = Synthesizer.load(run).sample(500, shares={"label": {"3": 1.0}})
    assert set(counts(images)) == {"3"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["per_class=3", "n=50"], "n=50 and per_class=3 cannot be combined: .* are 30 rows"),
        (["per_class=3", "balance=label"], "per_class and balance cannot be combined"),
        (["per_class=3", "shares.label={3: 0.5}"], "per_class and shares cannot be combined"),
        (["per_class=3", "condition=balanced"], "condition and per_class cannot be combined"),
        (["per_class=3", "given.label=3"], "given: only data with named attributes"),
        (["per_class=0"], "per_class must be a whole number of at least 1, got 0"),
        (["per_class=2.5"], "per_class must be a whole number"),
        (["balance=colour"], "balance=colour: the classes of this run are called label"),
        (["shares.label={a: 0.5}"], "shares.label.a: no such level; known are 0, 1"),
        (["shares.label={3: 0.8, 4: 0.7}"], "shares.label: the shares sum to 1.5"),
        (["shares.label={3: 1.5}"], r"shares.label.3 must be a share in \[0, 1\]"),
    ],
)
def test_what_cannot_be_asked_of_classes_is_named(run, tmp_path, words, message):
    with pytest.raises(ValueError, match=message):
        draw(run, tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [(["per_class=3"], "per_class"), (["balance=label"], "balance=label")],
)
def test_a_run_without_classes_says_so(tmp_path, words, told):
    run = train_digits(tmp_path / "run", "condition=none", updates=10)
    with pytest.raises(ValueError, match=f"{told}: model=conv_vae of this run was not told"):
        draw(run, tmp_path / "out", *words)


def test_rows_with_attributes_are_pointed_to_balance(tmp_path):
    run = train_tiny(tmp_path).path
    with pytest.raises(ValueError, match="per_class is for pictures of classes; balance=<name>"):
        draw(run, tmp_path / "out", "per_class=3")


def test_truncation_and_scale_move_the_latents_and_are_recorded(run, tmp_path):
    words = ("n=200", "format=npz")
    plain, short, wide, both = (
        open_source(draw(run, tmp_path / str(i), *words, *more)).load()
        for i, more in enumerate(
            [(), ("truncation=0.3",), ("latent_scale=1.5",), ("truncation=0.5", "latent_scale=2")]
        )
    )
    assert (plain.labels == short.labels).all()

    def spread(images):
        return images.pixels.astype(float).std(0).mean()

    assert spread(short) < spread(plain) < spread(wide)
    assert (both.pixels == plain.pixels).all()
    drawing = {"truncation": 0.5, "latent_scale": 2.0}
    assert manifest(tmp_path / "3")["drawing"] == drawing


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("truncation=0", "truncation must be a number above 0 and at most 1, got 0"),
        ("truncation=1.2", "truncation must be a number above 0 and at most 1, got 1.2"),
        ("latent_scale=-1", "latent_scale must be a number above 0, got -1"),
        ("latent_scale=wide", "latent_scale must be a number above 0, got 'wide'"),
    ],
)
def test_latents_outside_the_range_are_refused(run, tmp_path, word, message):
    with pytest.raises(ValueError, match=message):
        draw(run, tmp_path / "out", word)


class Mapped(nn.Module):
    truncation = 1.0


def loaded_with(modules, latent_dim=4, name="stylegan2"):
    model = SimpleNamespace(latent_dim=latent_dim, sampler_modules=lambda: modules)
    return SimpleNamespace(model=model, cfg=SimpleNamespace(choices=SimpleNamespace(model=name)))


def test_a_module_with_a_truncation_of_its_own_is_told_it():
    options = resolved(compose("sample", ["run=x", "truncation=0.7", "latent_scale=1.1"]))
    generator = Mapped()
    left, ways = steered(loaded_with({"generator": generator, "head": nn.Identity()}), options)
    assert generator.truncation == 0.7
    assert left["spread"] == 1.1
    assert ways == {"truncation": 0.7, "latent_scale": 1.1}
    left, _ = steered(loaded_with({"generator": nn.Identity()}), options)
    assert left["spread"] == pytest.approx(0.77)


def test_a_model_without_latents_says_what_to_use():
    options = resolved(compose("sample", ["run=x", "truncation=0.7"]))
    with pytest.raises(ValueError, match=r"model=tabvae cannot do truncation=.*temper below 1"):
        steered(loaded_with({}, latent_dim=0, name="tabvae"), options)
