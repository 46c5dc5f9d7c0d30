"""Both inversions give the first level whose cumulative probability exceeds u."""

import numpy as np
import pytest
import torch

from genmodels.inversion import invert, invert_rows, search

LARGEST = 1.0 - 2.0**-24  # of the uniform numbers in float32


def by_rows(logits, u):
    return torch.from_numpy(invert_rows(logits.numpy().T.copy(), u.numpy())).long()


BOTH = pytest.mark.parametrize("inverted", [invert, by_rows])


@BOTH
def test_the_level_is_the_first_whose_cumulative_probability_exceeds_u(inverted):
    logits = torch.tensor([0.5, 0.25, 0.25]).log().expand(6, -1)
    u = torch.tensor([0.0, 0.49, 0.51, 0.74, 0.76, LARGEST])
    assert inverted(logits, u).tolist() == [0, 0, 1, 1, 2, 2]


@BOTH
def test_levels_without_probability_are_never_drawn(inverted):
    logits = torch.tensor([-torch.inf, 0.0, -torch.inf, 1.0, -torch.inf]).expand(3, -1)
    assert inverted(logits, torch.tensor([0.0, 0.5, LARGEST])).tolist() == [1, 3, 3]


@BOTH
def test_a_number_that_was_rounded_up_to_one_draws_the_last_level_with_probability(inverted):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(200, 6, generator=generator)
    logits[:, -1] = -torch.inf
    u = torch.full((200,), 1.0 - 2.0**-53, dtype=torch.float64).float()
    assert inverted(logits, u).tolist() == [4] * 200


@pytest.mark.parametrize("levels", [1, 15, 16, 40])
def test_few_and_many_levels_are_drawn_alike(levels):
    generator = torch.Generator().manual_seed(levels)
    logits = torch.randn(500, levels, generator=generator)
    before, u = logits.clone(), torch.rand(500, generator=generator)
    upto = logits.double().softmax(1).cumsum(1)
    wanted = (upto <= u[:, None].double()).sum(1)
    clear = (upto - u[:, None]).abs().amin(1) > 1e-6  # of what rounding decides
    assert clear.sum() > 490
    assert torch.equal(invert(logits, u)[clear], wanted[clear])
    assert torch.equal(logits, before)


def test_levels_are_written_where_asked():
    out = np.full(2, 9, np.int32)
    found = invert_rows(np.zeros((2, 2), np.float32), np.array([0.2, 0.8], np.float32), out=out)
    assert found is out
    assert out.tolist() == [0, 1]


def test_a_search_stays_between_its_sums():
    running = torch.tensor([[0.5, 1.0, 1.25, 2.0]], dtype=torch.float64)
    below, above = torch.tensor([[0.0, 1.0]]).double(), torch.tensor([[1.0, 2.0]]).double()
    for u, wanted in ((0.0, [0, 2]), (0.3, [0, 3]), (1.0 - 2.0**-53, [1, 3])):
        found = search(running, torch.full((1, 2), u).double(), below=below, above=above)
        assert found.tolist() == [wanted]
