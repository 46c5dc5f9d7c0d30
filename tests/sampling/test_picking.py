"""Choosing among candidates, with a judge whose opinion is written in the first pixel."""

import numpy as np
import pytest
import torch

from genmodels.layout import Condition, ConditionGroup, ImageLayout
from genmodels.sampling.conditions import Conditions
from genmodels.sampling.picking import Picker, Standard
from genmodels.sampling.sampler import Sampler
from genmodels.types import Images
from genmodels.wishes import TooFewRowsError

NAMES = ("cat", "dog", "elk")
LABEL = Condition((ConditionGroup("label", (0.6, 0.3, 0.1), NAMES),))


class Noise:
    """Pixels are uniform; the second one is the class that the model was told."""

    condition = LABEL
    latent_dim, noise_dim = 1, 4

    def sample(self, z, c, u):
        pixels = (u * 256).byte().view(-1, 1, 2, 2)
        pixels[:, 0, 0, 1] = c.argmax(1).byte()
        return {"pixels": pixels}


class Codec:
    layout = ImageLayout(1, 2, 2)

    def decode(self, encoded, *, conditions, rng, start=0):
        return Images(encoded["pixels"].numpy(), conditions.astype(np.int64), NAMES)


def sure(images):
    return images.pixels[:, 0, 0, 0] / 255.0


def judge(images):
    """Probability of the told class by the first pixel; the rest goes to the next class."""
    chances = np.zeros((len(images), 3))
    rows, told = np.arange(len(images)), images.pixels[:, 0, 0, 1].astype(int)
    chances[rows, told] = sure(images)
    chances[rows, (told + 1) % 3] = 1.0 - sure(images)
    return chances


def sampler(rule="empirical", seed=0, block_rows=32, workers=1, **standard):
    picker = Picker(judge=judge, standard=Standard(**standard), classes=NAMES)
    return Sampler(
        model=Noise(),
        codec=Codec(),
        conditions=Conditions(condition=LABEL, rule=rule),
        seed=seed,
        block_rows=block_rows,
        workers=workers,
        picker=picker if standard else None,
    )


def test_the_surest_share_of_the_candidates_of_each_class_is_kept():
    made = sampler(rule="each", keep=0.25, block_rows=300)
    images = made.sample(300)
    assert np.bincount(images.labels).tolist() == [100] * 3
    assert (images.pixels[:, 0, 0, 1] == images.labels).all()
    assert sure(images).min() > 0.65  # of 400 uniform numbers the best hundred
    facts = made.picker.facts()
    assert (facts["candidates"], facts["kept"], facts["rejected"]) == (1200, 300, 900)
    assert facts["classes"]["elk"] == {"candidates": 400, "kept": 100, "rejected": 300}
    assert facts["agreement_before"] == pytest.approx(0.5, abs=0.1)
    assert facts["agreement_after"] == 1.0


def test_the_first_rows_of_a_block_have_their_share_of_the_candidates():
    made = sampler(rule="each", keep=0.7, block_rows=300)
    made.sample(60)
    facts = made.picker.facts()
    assert facts["kept"] == 60
    assert facts["candidates"] == pytest.approx(60 / 0.7, abs=3)


def test_keeping_all_is_drawing_as_the_model_does():
    plain, kept = sampler().sample(100), sampler(keep=1.0).sample(100)
    assert (plain.pixels == kept.pixels).all()
    assert (plain.labels == kept.labels).all()


def test_labels_are_those_of_an_unfiltered_sample_and_kept_rows_stay_in_place():
    plain, some = sampler().sample(96), sampler(keep=0.5).sample(96)
    assert (plain.labels == some.labels).all()
    same = (plain.pixels == some.pixels).all((1, 2, 3))
    assert 0.2 < same.mean() < 0.8
    assert sure(plain)[same].mean() > sure(plain)[~same].mean()


@pytest.mark.parametrize("standard", [{"keep": 0.3}, {"agree": True}, {"keep": 0.4, "agree": True}])
def test_rows_do_not_depend_on_their_number_or_on_the_workers(standard):
    whole = sampler(**standard).sample(200)
    few = sampler(**standard).sample(40)
    many = sampler(workers=3, **standard).sample(200)
    assert (whole.pixels == many.pixels).all()
    assert (whole.pixels[:40] == few.pixels).all()
    other = sampler(seed=1, **standard).sample(40)
    assert (other.pixels != few.pixels).any()


def test_what_does_not_agree_is_drawn_again():
    made = sampler(agree=True)
    images = made.sample(200)
    assert (judge(images).argmax(1) == images.labels).all()
    facts = made.picker.facts()
    assert facts["kept"] == 200
    assert facts["candidates"] == pytest.approx(400, abs=80)
    assert facts["agreement_after"] == 1.0


def test_confidence_is_a_lower_bound():
    assert sure(sampler(confidence=0.8, redraws=50).sample(100)).min() >= 0.8


def test_rows_without_a_candidate_are_an_error_or_left_out():
    with pytest.raises(TooFewRowsError, match=r"of the first .* rows are as filter asks after 1"):
        sampler(confidence=0.9, redraws=1).sample(100)
    made = sampler(confidence=0.9, redraws=1, shortfall="drop")
    images = made.sample(100)
    facts = made.picker.facts()
    assert 0 < len(images) < 60
    assert (facts["kept"], facts["dropped"]) == (len(images), 100 - len(images))
    assert sure(images).min() >= 0.9


def test_a_block_that_is_cut_counts_what_is_written():
    made = sampler(keep=0.5)
    made.sample(5)
    facts = made.picker.facts()
    assert facts["kept"] == 5
    assert 5 <= facts["candidates"] <= 10


@pytest.mark.parametrize(
    ("standard", "message"),
    [
        ({"keep": 0.0}, "filter.keep must be null or a number from 0.01 to 1, got 0.0"),
        ({"keep": 1.5}, "filter.keep"),
        ({"keep": True}, "filter.keep"),
        ({"confidence": -0.1}, "filter.confidence must be null or a number from 0 to 1"),
        ({"agree": "yes"}, "filter.agree must be true or false"),
        ({"agree": True, "shortfall": "both"}, "shortfall must be error or drop"),
    ],
)
def test_what_cannot_be_is_refused(standard, message):
    with pytest.raises(ValueError, match=message):
        Standard(**standard)


def test_random_numbers_of_torch_are_not_touched():
    before = torch.get_rng_state()
    sampler(keep=0.5).sample(10)
    assert torch.equal(before, torch.get_rng_state())
