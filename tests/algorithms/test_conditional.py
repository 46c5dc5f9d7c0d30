"""One variable given the others, or some of them: against sums over the model's own joint."""

import pytest
import torch

from genmodels.algorithms.conditional import Predictable
from genmodels.arrangement import Compact
from genmodels.evidence import Evidence
from genmodels.layout import Block, TableLayout
from genmodels.networks.transformer import Transformer
from genmodels.variables import variables
from tests.algorithms.mixed import CURVE, LAYOUT, encoded, prior
from tests.algorithms.test_prior import LEVELS, every_row, trained_in_no_order_but_one

HALF = torch.tensor([0.5])
NUMBER = TableLayout((Block("a", "categorical", 3), Block("y", "continuous", 1, places=CURVE)))


def joint(model, layout, rows, variable):
    """log p of each row with each level of a variable, (B, L), by the likelihood of whole rows."""
    kept = variables(layout)[variable]
    found = []
    for level in range(kept.levels):
        codes = rows["codes"].clone()
        codes[:, kept.code] = level
        found.append(model.log_prob(Compact(layout)({"values": rows["values"], "codes": codes})))
    return torch.stack(found, 1)


@pytest.mark.parametrize("variable", [0, 2, 4])
def test_levels_given_all_others_follow_bayes_rule(variable):
    model, rows = prior(), encoded(20)
    found = model.conditional(variable).exact(rows, HALF)
    wanted = joint(model, LAYOUT, rows, variable).softmax(1)
    assert found.values is None
    torch.testing.assert_close(found.log_weight.exp(), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("context", ["full", "summed"])
def test_the_last_variable_is_read_without_the_heads_of_the_others(context):
    model, rows = prior(context=context, target="n"), encoded(20)
    conditional = model.conditional(2)
    calls = []
    model.average["network"].register_forward_hook(lambda *_: calls.append(1))
    model.chosen.modules_by_name["network"].register_forward_hook(lambda *_: calls.append(1))
    found = conditional.exact(rows, HALF)
    assert conditional.last
    assert not calls
    wanted = joint(model, LAYOUT, rows, 2).softmax(1)
    torch.testing.assert_close(found.log_weight.exp(), wanted, rtol=1e-4, atol=1e-5)


def test_a_transformer_is_read_alike():
    torch.manual_seed(0)
    network = Transformer(
        layout=LAYOUT, target="n", hidden=16, layers=1, heads=2, expansion=2.0, dropout=0.0,
        cells=4, most_cells=99, embedding=5,
    )  # fmt: skip
    model, rows = prior(network=network), encoded(10)
    for variable in (0, 2):
        found = model.conditional(variable).exact(rows, HALF)
        wanted = joint(model, LAYOUT, rows, variable).softmax(1)
        torch.testing.assert_close(found.log_weight.exp(), wanted, rtol=1e-4, atol=1e-5)


def test_what_the_rows_say_about_the_variable_is_not_read():
    model, rows = prior(), encoded(8)
    for variable in (2, 4):
        other = {"values": rows["values"], "codes": rows["codes"].clone()}
        other["codes"][:, variables(LAYOUT)[variable].code] = 0
        conditional = model.conditional(variable)
        one, two = (conditional.exact(x, HALF).log_weight for x in (rows, other))
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize(("variable", "known"), [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)])
def test_what_is_not_known_is_summed_over(variable, known):
    model, draws = trained_in_no_order_but_one(), 4000
    evidence = Evidence.nothing(draws, LEVELS)
    evidence.codes[:, known] = 1
    evidence.known[:, known] = True
    u = torch.rand(draws, model.noise_dim, generator=torch.Generator().manual_seed(3))
    found = model.conditional(variable).drawn(u, evidence, HALF)
    found = found.log_weight.double().logsumexp(0).softmax(0)
    rows = every_row()
    p = model.log_prob(Compact(LEVELS)(rows)).exp().double() * (rows["codes"][:, known] == 1)
    wanted = torch.bincount(rows["codes"][:, variable].long(), p) / p.sum()
    assert (found - wanted).abs().max().item() < 0.02


def test_the_mean_of_a_number_is_that_of_its_mixture():
    model = prior(NUMBER, target="y")
    network, likelihood = model.sampled()
    with torch.no_grad():
        likelihood.mixture_bias[:, :, 6:] = -3.0  # narrow: nothing reaches the ends
    rows = encoded(15, NUMBER)
    p = (torch.arange(400) + 0.5) / 400
    found = model.conditional(1).exact(rows, p)
    mean = (found.values * found.log_weight.exp()).sum(1)
    h, shift = network(rows["values"], rows["codes"].long(), model.rank)
    with torch.no_grad():
        out = h[1] @ likelihood.mixture[0] + likelihood.mixture_bias[0]
    logits, means, _ = out.split(3, 1)
    wanted = (logits.softmax(1) * (means + shift[0][:, None])).sum(1) / 4.0
    torch.testing.assert_close(mean, wanted, rtol=1e-3, atol=1e-3)


def test_quantiles_split_the_density_where_they_say():
    model = prior(NUMBER, target="y")
    rows = encoded(1, NUMBER)
    p = torch.tensor([0.1, 0.5, 0.8])
    scores = model.conditional(1).exact(rows, p).values[0]
    grid = torch.linspace(-30.0, 30.0, 60_001)
    many = {"values": grid[:, None] / 4.0, "codes": rows["codes"].expand(len(grid), -1)}
    known = torch.tensor([True, False])
    density = model.log_prob(Compact(NUMBER)(many), known).double().exp()
    upto = density.cumsum(0) * (grid[1] - grid[0])
    for score, share in zip(scores, p.tolist(), strict=True):
        assert upto[torch.searchsorted(grid, 4.0 * score)].item() == pytest.approx(share, abs=0.01)


def test_a_number_with_states_keeps_their_probabilities():
    model, rows = prior(target="x"), encoded(10)
    conditional = model.conditional(1)
    found = conditional.exact(rows, (torch.arange(16) + 0.5) / 16)
    assert found.values.shape == found.codes.shape == (10, 16 + 2)
    torch.testing.assert_close(found.log_weight.exp().sum(1), torch.ones(10), rtol=0, atol=1e-5)
    continuous = found.log_weight[:, :16].exp().sum(1)
    states = found.log_weight[:, 16:]
    code = variables(LAYOUT)[1].code
    for state in (1, 2):
        given = {"values": rows["values"].clone(), "codes": rows["codes"].clone()}
        given["codes"][:, code], given["values"][:, 0] = state, 0.0
        known = torch.tensor([True, False, True, True, True])
        # x comes last, so knowing the others first is the usual order
        wanted = model.log_prob(Compact(LAYOUT)(given), known)
        torch.testing.assert_close(states[:, state - 1], wanted, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(continuous + states.exp().sum(1), torch.ones(10), rtol=0, atol=1e-5)


def test_numbers_that_do_not_come_last_are_left_to_draws():
    model = prior()
    assert not model.conditional(1).summable
    assert model.conditional(0).summable


@pytest.mark.parametrize("variable", [0, 2, 4])
def test_the_likelihood_given_all_others_is_that_of_bayes_rule(variable):
    model, rows = prior(target="n"), encoded(20)
    known = torch.arange(5) != variable
    found = model.log_prob(Compact(LAYOUT)(rows), known)
    code = rows["codes"][:, [variables(LAYOUT)[variable].code]].long()
    wanted = joint(model, LAYOUT, rows, variable).log_softmax(1).gather(1, code).squeeze(1)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("count", [1, 3, 700])
def test_levels_that_are_read_together_do_not_mix(count):
    model, rows = prior(), encoded(count)
    for variable in (0, 4):
        found = model.conditional(variable).exact(rows, HALF).log_weight.exp()
        wanted = joint(model, LAYOUT, rows, variable).softmax(1)
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_only_what_comes_after_the_variable_is_read_for_each_level():
    model, read = prior(), []
    network, _ = model.sampled()
    inner = network.read
    network.read = lambda drawn, j, upto: (read.append(j), inner(drawn, j, upto))[1]
    model.conditional(2).exact(encoded(1024), HALF)  # too many rows for two levels at a time
    names = [network.arrangement.variables[j].name for j in read]
    assert names == ["n", *["y", "b"] * 4]


def test_a_model_whose_variables_can_be_told_says_so():
    assert isinstance(prior(), Predictable)
    assert not isinstance(torch.nn.Linear(1, 1), Predictable)


def test_a_number_is_told_with_what_is_not_known_summed_over():
    """b is known and a is not: the mean of y is a sum of three means, by p(a | b)."""
    layout = TableLayout(
        (Block("a", "categorical", 3), Block("b", "categorical", 2), NUMBER.blocks[1])
    )
    model, draws = prior(layout, target="y"), 4000
    rows = {"values": torch.zeros(3, 1), "codes": torch.tensor([[0, 1], [1, 1], [2, 1]]).int()}
    x, conditional = Compact(layout)(rows), model.conditional(2)
    with torch.no_grad():  # what is known must matter
        model.sampled()[1].mixture.normal_(0.0, 2.0)
    p = (model.log_prob(x) - model.log_prob(x, torch.tensor([True, True, False]))).softmax(0)
    quantiles = (torch.arange(40) + 0.5) / 40
    means = conditional.exact(rows, quantiles).values.mean(1)
    evidence = Evidence.nothing(draws, layout)
    evidence.codes[:, 1], evidence.known[:, 1] = 1, True
    u = torch.rand(draws, model.noise_dim, generator=torch.Generator().manual_seed(3))
    found = conditional.drawn(u, evidence, quantiles)
    weight = found.log_weight.flatten().softmax(0)
    assert (means.max() - means.min()).item() > 0.05
    assert (found.values.flatten() @ weight).item() == pytest.approx((p @ means).item(), abs=0.005)
