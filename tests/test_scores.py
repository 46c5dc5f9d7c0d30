"""The code of a number: what is below it is full, what is above it is empty."""

import torch

from genmodels.scores import middles, piecewise_linear


def test_the_code_of_a_number_is_full_below_it_and_empty_above():
    u = torch.tensor([[0.0, 0.3125], [0.5, 1.0]], dtype=torch.float64)
    wanted = [[[0, 0, 0, 0], [1, 0.25, 0, 0]], [[1, 1, 0, 0], [1, 1, 1, 1]]]
    found = piecewise_linear(u, torch.arange(4, dtype=torch.float64))
    assert found.tolist() == wanted


def test_the_code_adds_up_to_the_number_and_has_its_gradient():
    u = torch.tensor([0.1, 0.55, 0.9], dtype=torch.float64, requires_grad=True)
    code = piecewise_linear(u, torch.arange(5, dtype=torch.float64))
    torch.testing.assert_close(code.sum(1), 5 * u)
    (gradient,) = torch.autograd.grad(code.sum(), u)
    torch.testing.assert_close(gradient, torch.full_like(u, 5.0))


def test_middles_are_those_of_equal_parts():
    assert middles(4).tolist() == [0.125, 0.375, 0.625, 0.875]
    assert middles(1).dtype == torch.float64
