"""Whole rows: their log-probability is that of their variables, draws follow it."""

import pytest
import torch

from genmodels.arrangement import Compact
from genmodels.layout import Block, TableLayout
from genmodels.likelihoods.rows import RowLikelihood
from tests.algorithms.mixed import LAYOUT, encoded


def likelihood(layout=LAYOUT):
    torch.manual_seed(0)
    made = RowLikelihood(layout=layout, hidden=6, components=3)
    with torch.no_grad():  # hidden vectors must matter
        for weight in [*made.mixed.weights, made.mixed.mixture]:
            weight.normal_(0.0, 0.5)
    return made


def hidden(count, layout=LAYOUT):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(len(likelihood(layout).mixed.arrangement), count, 6, generator=generator)


def test_a_row_is_as_likely_as_its_variables_together():
    made, h, rows = likelihood(), hidden(9), encoded(9)
    parts = made.mixed.log_prob(h, torch.zeros(2, 9), rows["values"], rows["codes"].long())
    torch.testing.assert_close(made.log_prob(h, Compact(LAYOUT)(rows)), parts.sum(0))


def test_a_score_that_does_not_count_changes_nothing():
    made, h, rows = likelihood(), hidden(40), encoded(40)
    changed = {name: value.clone() for name, value in rows.items()}
    out = rows["codes"][:, 1] != 0
    changed["values"][out, 0] = 0.7
    first, second = (made.log_prob(h, Compact(LAYOUT)(each)) for each in (rows, changed))
    assert out.any()
    assert torch.equal(first, second)


def test_draws_are_those_of_the_variables_one_by_one():
    made, h = likelihood(), hidden(4000)
    u = torch.rand(4000, made.noise_dim, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        found = made.sample(h, u)
        for j, variable in enumerate(made.mixed.arrangement.variables):
            own = made.mixed.draw(j, h[j], torch.zeros(4000), u[:, 3 * j : 3 * j + 3])
            if variable.code is not None:
                same = found["codes"][:, variable.code] == own.code
                assert same.float().mean() > 0.999  # a uniform may fall on a rounded threshold
            if variable.value is not None:
                near = (found["values"][:, variable.value] - own.value).abs() < 1e-5
                assert near.float().mean() > 0.998


def test_draws_by_search_and_by_whole_levels_agree(monkeypatch):
    made, h = likelihood(), hidden(300)
    u = torch.rand(300, made.noise_dim, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        found = made.sample(h, u)
        monkeypatch.setattr("genmodels.likelihoods.rows._on_processor", lambda x: False)
        other = made.sample(h, u)
    assert (found["codes"] == other["codes"]).float().mean() > 0.998
    torch.testing.assert_close(found["values"][:, 1], other["values"][:, 1])


@pytest.mark.parametrize(
    "blocks",
    [
        (Block("x", "continuous", 2),),
        (Block("a", "categorical", 1),),
        (Block("x.value", "continuous", 1, gated=True), Block("x.state", "categorical", 2)),
    ],
    ids=["scores", "one level", "one number"],
)
def test_rows_of_one_kind_are_drawn_and_scored(blocks):
    layout = TableLayout(blocks)
    made, h = likelihood(layout), hidden(5, layout).requires_grad_()
    with torch.no_grad():
        drawn = made.sample(h.detach(), torch.rand(5, made.noise_dim))
    assert drawn["values"].shape == (5, len(layout.continuous))
    assert drawn["codes"].shape == (5, len(layout.categorical))
    found = made.log_prob(h, Compact(layout)(drawn))
    assert found.isfinite().all()
    found.sum().backward()
    assert h.grad.isfinite().all()
