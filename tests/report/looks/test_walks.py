import pytest
import torch

from genmodels.layout import Condition, ConditionGroup
from genmodels.report.looks.walks import Cast, between, morph, walk
from tests.report.looks.models import model


def cast_of(painter, rows=10, columns=4, keys=3):
    return Cast.of(painter, rows=rows, columns=columns, keys=keys, seed=0)


def test_every_latent_on_the_way_is_standard_normal():
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 4000, 5, generator=rng)
    for t in (0.0, 0.25, 0.5, 0.9):
        z = between(a, b, t)
        assert z.mean().abs() < 0.03
        assert z.std() == pytest.approx(1.0, abs=0.03)
    assert torch.equal(between(a, b, 0.0), a)
    torch.testing.assert_close(between(a, b, 1.0), b, atol=1e-6, rtol=0)


def test_a_walk_visits_its_latents_in_turn_and_steps_evenly_back_to_the_first():
    painter = model()
    cast = cast_of(painter)
    frames = list(walk(painter, cast, steps=4))
    assert len(frames) == 12
    assert frames[0].shape == (12, 1, 4, 6)
    seen = [z for z, _, _ in painter.calls]
    for key in range(3):
        assert torch.equal(seen[4 * key], cast.z[key])
    closing = between(cast.z[2], cast.z[0], 0.75)
    assert torch.equal(seen[-1], closing)


def test_rows_are_classes_that_share_latents_and_uniforms():
    painter = model()
    cast = cast_of(painter, columns=4)
    assert cast.names == ("a", "bb", "c")
    assert cast.c.argmax(1).tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert torch.equal(cast.z[:, :4], cast.z[:, 8:])
    assert torch.equal(cast.u[:4], cast.u[4:8])
    assert len({tuple(row) for row in cast.z[0].tolist()}) == 4


def test_without_classes_every_cell_has_a_latent_of_its_own():
    cast = cast_of(model(condition=Condition()), rows=3)
    assert (cast.rows, cast.columns, cast.names) == (3, 4, ())
    assert len({tuple(row) for row in cast.z[0].tolist()}) == 12


def test_of_many_classes_evenly_spaced_ones_are_shown():
    many = Condition((ConditionGroup("label", (1 / 50,) * 50, tuple(map(str, range(50)))),))
    assert cast_of(model(condition=many), rows=3).names == ("0", "24", "49")


def test_a_morph_goes_from_the_class_of_a_row_to_that_of_the_next_and_back():
    painter = model()
    cast = cast_of(painter, columns=2)
    assert len(list(morph(painter, cast, steps=3))) == 6
    seen = [c for _, c, _ in painter.calls]
    assert torch.equal(seen[0], cast.c)
    assert seen[3].argmax(1).tolist() == [1, 1, 2, 2, 0, 0]
    torch.testing.assert_close(seen[1], seen[5])
    for c in seen:
        torch.testing.assert_close(c.sum(1), torch.ones(6))
    assert all(torch.equal(z, cast.z[0]) for z, _, _ in painter.calls)


@pytest.mark.parametrize(
    ("changes", "way", "reason"),
    [
        ({"latent_dim": 0}, walk, "no latent to walk in"),
        ({"latent_dim": 0}, morph, "nothing lies between"),
        ({"condition": Condition()}, morph, "is not told"),
    ],
)
def test_a_model_without_such_a_way_says_why(changes, way, reason):
    painter = model(**changes)
    with pytest.raises(ValueError, match=reason):
        list(way(painter, cast_of(painter), steps=2))


def test_the_randomness_of_training_is_left_alone():
    before, painter = torch.get_rng_state(), model()
    list(walk(painter, cast_of(painter), steps=2))
    assert torch.equal(torch.get_rng_state(), before)
