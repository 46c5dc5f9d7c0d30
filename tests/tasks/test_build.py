"""Partials are completed by the names their signatures ask for."""

import functools

import pytest

from genmodels.tasks.build import load_run
from genmodels.tasks.parts import complete, instantiate
from tests.tasks.small import train_tiny


def part(*, layout, width):
    return ("part", layout, width)


def whole(*, layout, latent_dim, inner, factory, other=None):
    return {"layout": layout, "z": latent_dim, "inner": inner, "factory": factory, "other": other}


def optimizer(params, lr):
    return params, lr


def needs_latent(*, latent_dim):
    return latent_dim


def test_partials_inside_are_called_first_and_optimizers_stay():
    node = functools.partial(
        whole,
        latent_dim=5,
        inner={"a": [functools.partial(part, width=2)]},
        factory=functools.partial(optimizer, lr=0.1),
        other=functools.partial(needs_latent),
    )
    made = complete(node, layout="L")
    assert made["inner"] == {"a": [("part", "L", 2)]}
    assert made["factory"]("p") == ("p", 0.1)
    assert (made["layout"], made["z"], made["other"]) == ("L", 5, 5)


def test_what_misses_something_else_stays_a_partial():
    assert isinstance(complete(functools.partial(part), layout="L"), functools.partial)
    assert complete(functools.partial(part, layout="own", width=1), layout="L")[1] == "own"


def test_an_error_of_a_part_comes_out_as_it_was_raised():
    node = {"_target_": "genmodels.data.batching.Shuffled", "batch_size": 0, "updates_per_step": 1}
    with pytest.raises(ValueError, match=r"^batching\.batch_size must"):
        instantiate(node)


def test_a_key_that_does_not_fit_is_the_users_mistake():
    with pytest.raises(ValueError, match="speed"):
        instantiate({"_target_": "genmodels.data.batching.Shuffled", "speed": 1})


def test_a_run_that_does_not_exist_names_those_beside_it(tmp_path):
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "config.yaml").touch()
    with pytest.raises(ValueError, match=r"no run at .*bad; there are: .*good"):
        load_run(tmp_path / "bad")


@pytest.mark.parametrize("part", ["codec.json", "schema.json", "config.yaml"])
def test_a_run_with_a_damaged_part_is_one_clear_line(tmp_path, part):
    run = train_tiny(tmp_path)
    (run.path / part).write_text("[]" if part == "config.yaml" else "{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"damaged|does not hold|lacks|missing"):
        load_run(run)
