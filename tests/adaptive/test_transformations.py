"""Flips, turns, shifts, scales and colours: exact where they can be, and differentiable."""

import math

import pytest
import torch
from torch.nn.functional import grid_sample

from genmodels.adaptive.colour import Colour
from genmodels.adaptive.draws import Draws
from genmodels.adaptive.geometry import Affine, Geometry, resample
from genmodels.adaptive.pipeline import Pipeline
from genmodels.adaptive.strength import Fixed

STILL = {
    "flip": False, "quarter_turns": False, "translation": 0.0, "scale": 0.0, "rotation": 0.0,
    "stretch": 0.0, "shift": 0.0,
}  # fmt: skip
MOVING = {
    "flip": True, "quarter_turns": True, "translation": 0.125, "scale": 0.2, "rotation": 1.0,
    "stretch": 0.2, "shift": 0.125,
}  # fmt: skip
PLAIN = {"brightness": 0.0, "contrast": 0.0, "luma_flip": False, "hue": 0.0, "saturation": 0.0}
BRIGHT = {"brightness": 0.2, "contrast": 0.5, "luma_flip": True, "hue": 1.0, "saturation": 1.0}
SHAPES = [(1, 8, 8), (2, 5, 7), (3, 16, 16), (4, 20, 12), (3, 1, 6)]


def pipeline(p, geometry=MOVING, colour=BRIGHT):
    return Pipeline(geometry=Geometry(**geometry), colour=Colour(**colour), strength=Fixed(p=p))


def one(p=1.0):
    return torch.tensor(p)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_at_strength_zero_the_images_stay_bit_by_bit(shape):
    x = torch.randn(6, *shape)
    assert torch.equal(pipeline(0.0)(x), x)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_at_full_strength_each_image_changes_and_keeps_shape_and_type(shape):
    torch.manual_seed(0)
    x = torch.randn(1, *shape, dtype=torch.float64).expand(8, -1, -1, -1)
    y = pipeline(1.0)(x)
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    assert all(not torch.equal(a, b) for a, b in zip(y, x, strict=True))
    assert not torch.equal(y[0], y[1])
    torch.manual_seed(0)
    torch.randn(1, *shape, dtype=torch.float64)
    assert torch.equal(pipeline(1.0)(x), y)


def test_what_is_drawn_does_not_depend_on_the_strength():
    x, states = torch.randn(3, 3, 8, 8), []
    for p in (0.0, 0.4, 1.0):
        torch.manual_seed(1)
        pipeline(p)(x)
        states.append(torch.rand(1))
    assert states[0] == states[1] == states[2]


def test_a_share_p_of_the_images_is_changed():
    torch.manual_seed(0)
    x = torch.randn(1, 1, 6, 6).expand(4000, -1, -1, -1)
    y = Geometry(**(STILL | {"shift": 0.125}))(x, one(0.3))
    changed = float((y != x).flatten(1).any(1).double().mean())
    assert changed == pytest.approx(1 - 0.7**2, abs=0.03)  # in x, in y, or in both
    y = Geometry(**(STILL | {"rotation": 1.0}))(x, one(0.3))
    changed = float((y != x).flatten(1).any(1).double().mean())
    assert changed == pytest.approx(0.3, abs=0.03)  # two turns, but together with probability p


def test_flips_and_quarter_turns_are_the_eight_symmetries_of_a_square():
    torch.manual_seed(0)
    x = torch.randn(1, 2, 5, 5).expand(400, -1, -1, -1)
    y = Geometry(**(STILL | {"flip": True, "quarter_turns": True}))(x, one())
    turned = [torch.rot90(x[0], k, (1, 2)) for k in range(4)]
    known = turned + [image.flip(2) for image in turned]
    counts = [int((y == image).flatten(1).all(1).sum()) for image in known]
    assert sum(counts) == 400
    assert min(counts) > 20


def test_an_image_that_is_no_square_makes_no_quarter_turns():
    x = torch.randn(50, 1, 4, 6)
    assert torch.equal(Geometry(**(STILL | {"quarter_turns": True}))(x, one()), x)


def test_whole_shifts_copy_pixels_and_mirror_what_enters():
    torch.manual_seed(0)
    x = torch.arange(64.0).view(1, 1, 8, 8).expand(200, -1, -1, -1)
    y = Geometry(**(STILL | {"translation": 0.25}))(x, one())
    index = torch.arange(8)
    found = set()
    for image in y[:, 0]:
        row, place = divmod(int(image[3, 3]), 8)
        moved = [7 - ((index + k - 3).abs() % 14 - 7).abs() for k in (row, place)]
        assert torch.equal(image, x[0, 0][moved[0]][:, moved[1]])
        found.add((row - 3, place - 3))
    assert found == {(i, j) for i in range(-2, 3) for j in range(-2, 3)}


@pytest.mark.parametrize("shape", [(2, 9, 6), (1, 8, 8)], ids=str)
def test_resampling_is_that_of_torch(shape):
    torch.manual_seed(0)
    x = torch.randn(5, *shape, dtype=torch.float64)
    values = torch.randn(6, 5, dtype=torch.float64)
    height, width = shape[1:]
    found = resample(x, Affine(*values))
    a, b, s, c, d, t = values
    half_x, half_y = (width - 1) / 2, (height - 1) / 2
    theta = torch.stack(
        [a, b * half_y / half_x, s / half_x, c * half_x / half_y, d, t / half_y], 1
    ).view(5, 2, 3)
    grid = torch.nn.functional.affine_grid(theta, list(x.shape), align_corners=True)
    expected = grid_sample(x, grid, padding_mode="reflection", align_corners=True)
    torch.testing.assert_close(found, expected)


def test_maps_compose_as_matrices_do():
    torch.manual_seed(0)
    made = Affine.identity(torch.zeros(3, dtype=torch.float64))
    product = torch.eye(3, dtype=torch.float64).expand(3, -1, -1)
    for _ in range(3):
        x, y, angle = torch.randn(3, 3, dtype=torch.float64)
        made = made.scaled(x, y).moved(y, angle).turned(angle.cos(), angle.sin())
        for values in (
            [x, 0, 0, 0, y, 0],
            [1, 0, y, 0, 1, angle],
            [angle.cos(), -angle.sin(), 0, angle.sin(), angle.cos(), 0],
        ):
            rows = torch.stack([torch.as_tensor(v).expand(3).double() for v in values], 1)
            last = torch.tensor([0.0, 0.0, 1.0]).double().expand(3, 1, 3)
            product = product @ torch.cat([rows.view(3, 2, 3), last], 1)
    found = torch.stack([made.a, made.b, made.s, made.c, made.d, made.t], 1).view(3, 2, 3)
    torch.testing.assert_close(found, product[:, :2])


def test_hue_and_saturation_keep_the_luma_and_a_flip_turns_it():
    torch.manual_seed(0)
    x = torch.randn(40, 3, 4, 4, dtype=torch.float64)
    y = Colour(**(PLAIN | {"hue": 1.0, "saturation": 1.0}))(x, one())
    torch.testing.assert_close(y.mean(1), x.mean(1))
    assert not torch.allclose(y, x)
    turned = Colour(**(PLAIN | {"hue": 1.0}))(x, one())
    torch.testing.assert_close(turned.square().sum(1), x.square().sum(1))
    flipped = Colour(**(PLAIN | {"luma_flip": True}))(x, one())
    sign = (flipped.mean((1, 2, 3)) / x.mean((1, 2, 3))).round()
    assert set(sign.tolist()) == {-1.0, 1.0}
    torch.testing.assert_close(flipped.mean(1), x.mean(1) * sign[:, None, None])
    torch.testing.assert_close(flipped - flipped.mean(1, True), x - x.mean(1, True))


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_numbers_of_channels_get_brightness_and_contrast_alone(channels):
    torch.manual_seed(0)
    x = torch.randn(600, channels, 4, 4, dtype=torch.float64)
    y = Colour(**BRIGHT)(x, one())
    factor = (y.flatten(1).std(1) / x.flatten(1).std(1))[:, None, None, None]
    added = y - factor * x
    torch.testing.assert_close(added, added[:, :1, :1, :1].expand_as(added))
    assert float(factor.log2().std()) == pytest.approx(0.5, rel=0.1)
    assert float((added / factor)[:, 0, 0, 0].std()) == pytest.approx(0.2, rel=0.1)


@pytest.mark.parametrize("channels", [1, 3])
def test_derivatives_of_any_order_and_way_agree(channels):
    torch.manual_seed(0)
    made = pipeline(0.7).double()
    x = torch.randn(2, channels, 5, 6, dtype=torch.float64, requires_grad=True)

    def fixed(value):
        torch.manual_seed(3)
        return made(value).tanh()

    assert torch.autograd.gradcheck(fixed, (x,), check_forward_ad=True, fast_mode=True)
    assert torch.autograd.gradgradcheck(fixed, (x,), fast_mode=True)


def test_views_of_one_batch_can_share_their_draws():
    torch.manual_seed(0)
    views = torch.randn(2, 4, 3, 6, 6)
    views[1] = views[0]
    found = torch.func.vmap(pipeline(1.0), randomness="same")(views)
    assert torch.equal(found[0], found[1])
    assert not torch.allclose(found[0], views[0])


@pytest.mark.parametrize("channels", [1, 3])
def test_runs_without_a_device(channels):
    x = torch.empty(4, channels, 9, 8, device="meta")
    assert pipeline(0.5).to("meta")(x).device.type == "meta"


def test_draws_have_the_moments_that_are_asked_for():
    torch.manual_seed(0)
    draws = Draws(torch.zeros(20_000, 1, dtype=torch.float64), one(0.25))
    factor = draws.factor(0.5).log2()
    assert float(factor.std()) == pytest.approx(0.5, rel=0.03)
    assert float(draws.uniform(2.0).abs().max()) <= 2.0
    assert float(draws.uniform(2.0).std()) == pytest.approx(4 / math.sqrt(12), rel=0.03)
    assert float(draws.maybe(draws.normal(1.0), 7.0).eq(7.0).double().mean()) == pytest.approx(
        0.75, abs=0.02
    )
    assert set(draws.whole(4).tolist()) == {0.0, 1.0, 2.0, 3.0}
