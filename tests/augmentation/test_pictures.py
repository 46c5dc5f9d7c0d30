"""New pictures: uint8 of the same shape, of any channels, drawn for each row alone."""

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from genmodels.augmentation.amounts import Amount, plan_of
from genmodels.augmentation.base import Recipe
from genmodels.augmentation.geometry import Geometry
from genmodels.augmentation.groups import groups_of
from genmodels.augmentation.pictures import Pictures
from genmodels.augmentation.weather import KINDS, Weather, fog
from genmodels.data.images import infer_image_schema
from genmodels.tasks.choices import CONFIGS, choices
from genmodels.tasks.compose import compose
from genmodels.tasks.parts import instantiate
from genmodels.types import Images

OF_IMAGES = ["auto", "blur", "colour", "cutmix", "geometry", "light", "mixup", "noise", "trivial"]
OF_IMAGES += ["weather"]
STILL = {"rotate": 0.0, "shift": 0.0, "scale": 0.0, "shear": 0.0, "flip": 0.0}
STILL |= {"vertical_flip": 0.0, "fill": 0}


def pictures(rows=12, channels=3, side=(16, 20), seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (rows, channels, *side), dtype=np.uint8)
    return Images(pixels, np.arange(rows, dtype=np.int64) % 3, ("cat", "dog", "owl"))


def recipe_of(name, *words):
    recipe = instantiate(compose("augment", ["data=digits", f"recipe={name}", *words]).recipe)
    assert isinstance(recipe, Recipe)
    return recipe


def made(recipe, real, ratio=1.0, seed=0):
    schema = infer_image_schema(real)
    plan = plan_of(groups_of(real, schema, None, key="balance"), Amount(ratio=ratio), seed=seed)
    fitted = recipe.fit(real, schema, plan, ())
    blocks = [fitted.block(k) for k in range(-(-plan.rows // fitted.block_rows))]
    pixels = np.concatenate([b.pixels for b in blocks])
    labels = np.concatenate([b.labels for b in blocks])
    return pixels, labels, plan.parents(), blocks


def test_every_recipe_is_known_here():
    found = {name for name, text in choices("recipe", [CONFIGS]).items() if "Tables" not in text}
    assert found == set(OF_IMAGES)


@pytest.mark.parametrize("name", OF_IMAGES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pictures_keep_shape_and_label_or_are_refused(name, channels):
    real = pictures(channels=channels)
    if name in ("auto", "trivial") and channels in (2, 4):
        with pytest.raises(ValueError, match=f"takes pictures of 1, 3 channels.*have {channels}"):
            made(recipe_of(name), real)
        return
    pixels, labels, parents, _ = made(recipe_of(name), real)
    assert pixels.dtype == np.uint8
    assert pixels.shape == real.pixels.shape
    assert (labels == real.labels[parents]).all()
    assert (pixels != real.pixels[parents]).any()


@pytest.mark.parametrize("name", OF_IMAGES)
def test_a_picture_depends_on_the_seed_and_its_number_alone(name):
    real, recipe = Images(pictures(50).pixels), recipe_of(name)
    before = torch.random.get_rng_state()
    few = made_alone(recipe, real, 0.5)
    many = made_alone(recipe, real, 2.0)
    assert (many[: len(few)] == few).all()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (made_alone(recipe, real, 0.5, seed=1) != few).any()


def made_alone(recipe, real, ratio, seed=0):
    schema = infer_image_schema(real)
    plan = plan_of(groups_of(real, schema, None, key="balance"), Amount(ratio=ratio), seed=seed)
    fitted = recipe.fit(real, schema, plan, ())
    number = -(-plan.rows // fitted.block_rows)
    return np.concatenate([fitted.block(k).pixels for k in reversed(range(number))][::-1])


def test_a_horizontal_flip_is_exact():
    recipe = Pictures(name="flip", meaning="", geometry=Geometry(**STILL | {"flip": 1.0}))
    real = pictures()
    pixels, _, parents, _ = made(recipe, real)
    np.testing.assert_array_equal(pixels, real.pixels[parents][..., ::-1])


def test_masks_move_with_their_picture():
    recipe = recipe_of("geometry")
    pixels = np.zeros((3, 40, 50), np.uint8)
    pixels[:, 12:20, 15:35] = 255
    mask = (pixels[:1] > 0).astype(np.uint8)
    for row in range(20):
        picture, moved = recipe.changed(pixels, mask, seed=0, row=row)
        inside = picture[0][moved[0] > 0]
        assert (inside > 100).mean() > 0.95
        assert (picture[0] > 200).sum() <= (moved[0] > 0).sum()


def test_mixup_is_the_mean_that_its_share_says():
    real = pictures(60)
    pixels, labels, _, blocks = made(recipe_of("mixup", "recipe.alpha=1"), real)
    shares = np.concatenate([b.attributes["mix_share"] for b in blocks])
    others = np.concatenate([b.attributes["mix_label"] for b in blocks])
    assert (shares >= 0.5).all()
    for picture, share, label, other in zip(pixels, shares, labels, others, strict=True):
        firsts = real.pixels[real.labels == label].astype(float)
        seconds = real.pixels[real.labels == real.class_names.index(other)]
        mean = share * firsts[:, None] + (1 - share) * seconds[None]
        assert (np.abs(mean - picture).max(axis=(2, 3, 4)) <= 0.5 + 1e-9).any()


def test_cutmix_shows_as_much_of_its_label_as_it_says():
    real = pictures(60)
    pixels, _, parents, blocks = made(recipe_of("cutmix"), real)
    shares = np.concatenate([b.attributes["mix_share"] for b in blocks])
    kept = (pixels == real.pixels[parents]).all(axis=1).mean(axis=(1, 2))
    assert (shares >= 0.5).all()
    assert (kept >= shares - 1e-9).all()
    np.testing.assert_allclose(kept, shares, atol=0.01)  # random colours are hardly ever equal


def test_fog_follows_its_law():
    x = torch.rand(3, 8, 4, dtype=torch.float64)
    t = torch.exp(-3.0 * 0.5 * torch.linspace(1.0, 0.2, 8, dtype=torch.float64))
    wanted = x * t[:, None] + 0.82 * (1 - t[:, None])
    torch.testing.assert_close(fog(x, 0.5), wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_stronger_weather_changes_more(kind):
    x = torch.full((3, 64, 64), 90, dtype=torch.uint8)
    changes = []
    for strength in (0.1, 0.9):
        torch.manual_seed(0)
        step = Weather(kinds=[kind], strength=[strength, strength])
        picture, _ = step(tv_tensors.Image(x), None)
        changes.append((picture.double() - 90).abs().mean())
    assert 0 < changes[0] < changes[1]
    brighter = (picture.double() - 90).mean() > 0
    assert bool(brighter) is (kind in ("fog", "snow")) or kind == "rain"


def test_transparency_stays_where_light_changes():
    real = pictures(channels=4)
    for name in ("colour", "noise", "weather"):
        pixels, _, parents, _ = made(recipe_of(name), real)
        np.testing.assert_array_equal(pixels[:, 3], real.pixels[parents][:, 3])


def test_nothing_of_a_small_picture_is_shifted_out_of_sight():
    real = Images(np.full((40, 1, 8, 8), 100, np.uint8), np.zeros(40, np.int64), ("white",))
    pixels, _, _, _ = made(recipe_of("trivial"), real, ratio=5.0)
    lit = (pixels > 0).mean(axis=(1, 2, 3))
    assert lit.min() > 0.25


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("recipe.geometry.rotate=400", "recipe.geometry.rotate must be 0 to 180"),
        ("recipe.geometry.flip=2", r"recipe.geometry.flip must be in \[0, 1\], got 2"),
        ("recipe.geometry=null", "no step left"),
    ],
)
def test_impossible_settings_are_named(word, message):
    with pytest.raises(ValueError, match=message):
        recipe_of("geometry", word)


def test_a_weather_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="must be some of fog, rain, snow, darkness"):
        recipe_of("weather", "recipe.weather.kinds=[hail]")
