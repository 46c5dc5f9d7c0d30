import pytest
import torch

from genmodels.augment import Colour, Compose, Cutout, Flip, Translation

KINDS = {
    "colour": lambda: Colour(brightness=0.5, saturation=1.0, contrast=0.5),
    "translation": lambda: Translation(share=0.125, fill=0.0),
    "cutout": lambda: Cutout(share=0.5),
    "flip": lambda: Flip(),
    "all": lambda: Compose(
        steps={k: KINDS[k]() for k in ("colour", "translation", "cutout", "flip")}
    ),
}
SHAPES = [(1, 8, 8), (2, 5, 7), (3, 32, 32), (4, 20, 28)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_shape_and_type_stay_and_something_changes(kind, shape):
    torch.manual_seed(0)
    x = torch.randn(6, *shape)
    y = KINDS[kind]()(x)
    assert y.shape == x.shape
    assert y.dtype == x.dtype
    assert not torch.equal(x, y)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_pass_and_agree_with_differences(kind):
    x = torch.randn(2, 2, 5, 6, dtype=torch.float64, requires_grad=True)

    def fixed(value):
        torch.manual_seed(3)
        return KINDS[kind]()(value)

    assert torch.autograd.gradcheck(fixed, (x,))


@pytest.mark.parametrize("kind", KINDS)
def test_each_image_has_its_own_draw_and_the_seed_decides(kind):
    x = torch.randn(1, 3, 12, 12).expand(16, -1, -1, -1).contiguous()
    torch.manual_seed(0)
    one = KINDS[kind]()(x)
    torch.manual_seed(0)
    assert torch.equal(one, KINDS[kind]()(x))
    assert not torch.equal(one[:1].expand_as(one), one)


@pytest.mark.parametrize("kind", KINDS)
def test_runs_without_a_device(kind):
    assert KINDS[kind]()(torch.empty(4, 3, 9, 8, device="meta")).device.type == "meta"


def test_no_steps_and_no_strength_leave_the_images_as_they_are():
    x = torch.randn(3, 3, 8, 8, dtype=torch.float64)
    assert torch.equal(Compose(steps={})(x), x)
    torch.testing.assert_close(Colour(brightness=0.0, saturation=0.0, contrast=0.0)(x), x)
    assert torch.equal(Translation(share=0.0, fill=-1.0)(x), x)
    assert torch.equal(Cutout(share=0.0)(x), x)


def test_saturation_keeps_the_mean_over_channels():
    x = torch.randn(4, 3, 6, 6, dtype=torch.float64)
    y = Colour(brightness=0.0, saturation=1.0, contrast=0.0)(x)
    torch.testing.assert_close(y.mean(1), x.mean(1))
    assert not torch.allclose(y, x)


def test_contrast_keeps_the_mean_of_the_image_and_brightness_moves_it_within_bounds():
    x = torch.randn(64, 1, 6, 6, dtype=torch.float64)
    y = Colour(brightness=0.0, saturation=1.0, contrast=0.5)(x)
    torch.testing.assert_close(y.mean((1, 2, 3)), x.mean((1, 2, 3)))
    ratio = y.std((1, 2, 3)) / x.std((1, 2, 3))
    assert ratio.min() >= 0.5 - 1e-9
    assert ratio.max() <= 1.5 + 1e-9
    shift = (Colour(brightness=0.5, saturation=0.0, contrast=0.0)(x) - x).mean((1, 2, 3))
    assert shift.abs().max() <= 0.5
    assert shift.min() < -0.3
    assert shift.max() > 0.3


def test_translation_moves_by_whole_positions_up_to_an_eighth_and_fills():
    x = torch.arange(1.0, 257.0, dtype=torch.float64).view(1, 1, 16, 16).expand(400, -1, -1, -1)
    torch.manual_seed(0)
    y = Translation(share=0.125, fill=-7.0)(x.contiguous())
    seen = set()
    for image in y[:, 0]:
        down, right = (int(v) for v in (image >= 0).nonzero()[0])
        inside = image[image >= 0].view(16 - int((image < 0).all(1).sum()), -1)
        top, left = divmod(int(inside[0, 0]) - 1, 16)
        assert torch.equal(inside, x[0, 0, top : top + len(inside), left : left + inside.shape[1]])
        seen.add((down - top, right - left))
    assert seen == {(i, j) for i in range(-2, 3) for j in range(-2, 3)}


def test_cutout_covers_one_rectangle_of_at_most_half_the_sides():
    y = Cutout(share=0.5)(torch.ones(200, 2, 12, 8))
    holes = (y == 0).all(1)
    rows, columns = holes.any(2).sum(1), holes.any(1).sum(1)
    assert torch.equal(holes.sum((1, 2)), rows * columns)
    assert (rows.max(), columns.max()) == (6, 4)
    assert rows.min() >= 3


def test_flip_is_left_to_right_in_about_half_the_images():
    x = torch.randn(1, 1, 3, 4).expand(400, -1, -1, -1)
    y = Flip()(x)
    same, mirrored = (y == x).all((1, 2, 3)), (y == x.flip(3)).all((1, 2, 3))
    assert (same | mirrored).all()
    assert 150 < int(mirrored.sum()) < 250
