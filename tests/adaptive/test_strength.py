"""What moves the strength of an augmentation: nothing, a schedule, or the discriminator's signs."""

import math

import pytest
import torch

from genmodels.adaptive.strength import Fixed, Overfitting, Scheduled
from genmodels.schedules import Ramp


def told(made, signs, batch=10, total=math.inf):
    """The strength after each of the signs."""
    found = []
    for update, sign in enumerate(signs):
        clock = {"update": update, "batch": batch, "samples": update * batch, "total": total}
        made.follow(torch.tensor(float(sign)), **clock)
        found.append(float(made.p))
    return found


def overfitting(**changes):
    return Overfitting(**({"target": 0.6, "every": 4, "most": 1.0, "samples": 400.0} | changes))


def test_a_fixed_strength_stays():
    assert told(Fixed(p=0.3), [1, -1, 1]) == pytest.approx([0.3] * 3)


def test_a_schedule_is_followed_as_a_share_of_the_training():
    made = Scheduled(schedule=Ramp(start=0.0, stop=0.5, share=0.5))
    assert float(made.p) == 0.0
    assert told(made, [0] * 10, total=100) == pytest.approx(
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    )


def test_it_rises_every_fourth_update_by_what_was_seen_in_it():
    found = told(overfitting(), [1.0] * 9)
    assert found == pytest.approx([0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2])


def test_the_mean_of_four_decides_and_it_falls_again():
    signs = [1.0] * 8 + [1.0, 0.5, 0.5, 0.3] + [1.0, 0.8, 0.4, 0.4]
    assert told(overfitting(), signs)[3::4] == pytest.approx([0.1, 0.2, 0.1, 0.2])


def test_it_stays_within_its_bounds():
    made = overfitting(most=0.25, start=0.05)
    assert told(made, [1.0] * 16)[-1] == pytest.approx(0.25)
    assert told(made, [-1.0] * 40)[-1] == 0.0


def test_a_share_of_the_training_is_the_span_and_without_an_end_nothing_moves():
    made = overfitting(samples=None, share=0.5)
    assert told(made, [1.0] * 4, total=800)[-1] == pytest.approx(0.1)
    assert told(overfitting(samples=None, share=0.5), [1.0] * 8)[-1] == 0.0


def test_a_state_that_is_loaded_in_the_middle_of_four_goes_on_the_same():
    signs = [1.0, 0.9, 0.2, 0.1, 0.7, 0.9, 0.3, 0.9, 0.9]
    whole = told(overfitting(), signs)
    first, second = overfitting(), overfitting()
    told(first, signs[:6])
    second.load_state_dict(first.state_dict())
    found = []
    for update, sign in enumerate(signs[6:], start=6):
        second.follow(torch.tensor(sign), update=update, batch=10, samples=0, total=math.inf)
        found.append(float(second.p))
    assert found == whole[6:]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": None}, "either samples or share"),
        ({"share": 0.5}, "either samples or share"),
        ({"samples": 0.0}, "above 0"),
        ({"every": 0}, "every"),
        ({"target": 1.0}, "target"),
        ({"most": 1.2}, "most"),
        ({"start": 0.5, "most": 0.4}, "most"),
        ({"start": -0.1}, r"p must be in \[0, 1\]"),
    ],
)
def test_a_number_out_of_range_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        overfitting(**changes)
