"""The path length: against Jacobians by hand, its running mean, when it is due."""

import pytest
import torch
from torch import nn

from genmodels import terms
from genmodels.layout import Condition, ImageLayout
from genmodels.networks import dcgan
from genmodels.terms import PathLength

OPTIONS = {"weight": 1.0, "every": 1, "share": 1.0, "inertia": 0.0}


class Linear(nn.Module):
    """w = z; outputs = (scale of the row) * M w on 1 x 2 x 3 positions."""

    def __init__(self):
        super().__init__()
        rng = torch.Generator().manual_seed(0)
        self.matrix = nn.Parameter(torch.randn(6, 4, generator=rng, dtype=torch.float64))
        self.scale = torch.tensor([1.0, 2.0, 3.0, 5.0], dtype=torch.float64)

    def style(self, z, c):
        return z.clone().requires_grad_()

    def synthesise(self, w):
        rows = self.scale[: len(w), None] * (w @ self.matrix.t())
        return rows.view(-1, 1, 2, 3)


def probe(term, made, rows=4):
    z = torch.randn(rows, 4, dtype=torch.float64)
    return term.probe(made, z, torch.empty(rows, 0))


def drawn(monkeypatch):
    """The y of the next evaluation, known beforehand."""
    y = torch.randn(4, 1, 2, 3, dtype=torch.float64)
    monkeypatch.setattr(terms.torch, "randn_like", lambda like: y[: len(like)])
    return y.view(4, 6) / 6**0.5


def test_it_is_the_squared_distance_of_lengths_by_hand(monkeypatch):
    made, y = Linear(), drawn(monkeypatch)
    term = PathLength(**(OPTIONS | {"weight": 3.0, "every": 8})).double()
    lengths = made.scale * (y @ made.matrix).norm(dim=1)
    expected = 24.0 * (lengths - lengths.detach().mean()).square()
    found = probe(term, made)
    torch.testing.assert_close(found, expected)
    one, other = (torch.autograd.grad(v.sum(), made.matrix)[0] for v in (found, expected))
    torch.testing.assert_close(one, other)


def test_its_mean_runs_and_is_right_from_the_first_evaluation_on(monkeypatch):
    made, y = Linear(), drawn(monkeypatch)
    term = PathLength(**(OPTIONS | {"inertia": 0.5})).double()
    lengths = (made.scale * (y @ made.matrix).norm(dim=1)).detach()
    probe(term, made)
    torch.testing.assert_close(term.total / term.gathered, lengths.mean())
    made.scale *= 2.0
    probe(term, made)
    expected = (0.25 * lengths.mean() + 0.5 * 2.0 * lengths.mean()) / 0.75
    torch.testing.assert_close(term.total / term.gathered, expected)
    assert set(term.state_dict()) == {"total", "gathered"}


def test_it_is_due_now_and_then_and_looks_at_a_share():
    term = PathLength(**(OPTIONS | {"every": 4, "share": 0.5})).double()
    assert [n for n in range(9) if term.due(n)] == [0, 4, 8]
    assert probe(term, Linear()).shape == (2,)
    assert probe(term, Linear(), rows=1).shape == (1,)


@pytest.mark.parametrize("changes", [{"every": 0}, {"share": 0.0}, {"inertia": 1.0}])
def test_numbers_out_of_range_are_refused(changes):
    with pytest.raises(ValueError, match=f"{next(iter(changes))}="):
        PathLength(**(OPTIONS | changes))


def test_a_generator_without_styles_is_refused_with_advice():
    layout = ImageLayout(1, 8, 8)
    plain = dcgan.Generator(layout=layout, condition=Condition(), latent_dim=4, width=4)
    with pytest.raises(ValueError, match=r"model=stylegan2.*model\.terms\.path_length=null"):
        PathLength(**OPTIONS).probe(plain, torch.randn(2, 4), torch.empty(2, 0))
