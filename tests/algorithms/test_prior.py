"""The prior's likelihood is exact, it learns, and it can be given any part of a row."""

import pytest
import torch

from genmodels.algorithms.prior import Prior
from genmodels.arrangement import Compact
from genmodels.evidence import Evidence
from genmodels.layout import Block, Condition, ConditionGroup, TableLayout
from genmodels.types import Batch
from genmodels.variables import variables
from tests.algorithms.mixed import LAYOUT, NAMES, batch, encoded, likelihood, network, prior

LEVELS = TableLayout(
    (Block("a", "categorical", 2), Block("b", "categorical", 3), Block("c", "categorical", 2))
)


def every_row():
    codes = torch.cartesian_prod(torch.arange(2), torch.arange(3), torch.arange(2)).int()
    return {"values": torch.zeros(12, 0), "codes": codes}


def updated(model, steps, data=None):
    optimizer = model.configure_optimizers()
    data = batch(64) if data is None else data
    for _ in range(steps):
        loss = model.update(data, [optimizer], measure=False)
        model.num_samples += len(data.x)
    return loss.item()


def test_the_probabilities_of_all_rows_sum_to_one_in_any_order():
    model = prior(LEVELS)
    x = Compact(LEVELS)(every_row())
    assert model.log_prob(x).exp().sum().item() == pytest.approx(1.0, abs=1e-5)
    for rank in (torch.tensor([2.0, 0.0, 1.0]), torch.tensor([1.0, 2.0, 0.0])):
        model.network.rank.copy_(rank)
        assert model.log_prob(x).exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_what_is_known_is_not_counted():
    model = prior(LEVELS)
    x = Compact(LEVELS)(every_row())
    rest = model.log_prob(x, torch.tensor([False, True, False])).exp()
    for level in range(3):
        assert rest[x[:, 1] == level].sum().item() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("first", [1, 2])
def test_given_the_first_variables_a_row_has_its_share_of_all_rows_that_agree_in_them(first):
    model, rows = prior(LEVELS), every_row()
    x = Compact(LEVELS)(rows)
    known, told = torch.arange(3) < first, rows["codes"][:, :first]
    agree = (told[:, None] == told).all(2)
    whole = model.log_prob(x)
    wanted = whole - whole.expand(12, 12).masked_fill(~agree, -torch.inf).logsumexp(1)
    torch.testing.assert_close(model.log_prob(x, known), wanted, rtol=1e-4, atol=1e-5)


def test_a_row_that_is_known_whole_is_certain():
    everything = prior().log_prob(batch(10).x, torch.ones(5, dtype=torch.bool))
    assert torch.equal(everything, torch.zeros(10))


def test_training_lowers_the_loss_and_the_average_follows():
    model = prior()
    data = batch(64)
    before = -model.log_prob(data.x).mean().item()
    last = updated(model, 150, data)
    assert last < before - 1.0
    assert -model.log_prob(data.x).mean().item() < before - 1.0


def test_an_update_needs_no_value_on_the_host():
    model = prior().to("meta")
    optimizer = model.configure_optimizers()
    data = batch(8).to("meta")
    for _ in range(4):  # the fourth is in a random order
        loss = model.update(data, [optimizer], measure=True)
        model.num_samples += 8
    assert loss.device.type == "meta"


@pytest.mark.parametrize(("share", "every"), [(0.25, 4), (0.2, 5), (0.0, None)])
def test_the_asked_share_of_updates_is_in_an_order_of_its_own(share, every):
    model, ranks = prior(any_order=share), []
    for number in range(100):
        model.num_samples = number * 16
        ranks.append(model.order(16))
    own = [k + 1 for k, rank in enumerate(ranks) if not torch.equal(rank, model.network.rank)]
    assert own == ([] if every is None else list(range(every, 101, every)))
    assert all(len(set(rank.tolist())) == 5 for rank in ranks)


def test_a_sample_is_a_pure_function_of_its_uniforms():
    model = prior()
    u = torch.rand(30, model.noise_dim, generator=torch.Generator().manual_seed(0))
    nothing = torch.zeros(30, 0)
    one, two = (model.sample(nothing, nothing, u) for _ in range(2))
    part = model.sample(nothing[:7], nothing[:7], u[:7])
    for name in ("values", "codes"):
        assert torch.equal(one[name], two[name])
        torch.testing.assert_close(one[name][:7], part[name], rtol=1e-4, atol=1e-4)
    assert one["values"].abs().max() <= 1.0


def test_samples_have_the_probabilities_of_the_rows():
    model, count = prior(LEVELS), 60_000
    u = torch.rand(count, model.noise_dim, generator=torch.Generator().manual_seed(1))
    nothing = torch.zeros(count, 0)
    codes = model.sample(nothing, nothing, u)["codes"]
    wanted = model.log_prob(Compact(LEVELS)(every_row())).exp()
    number = codes[:, 0] * 6 + codes[:, 1] * 2 + codes[:, 2]
    shares = torch.bincount(number.long(), minlength=12) / count
    assert (shares - wanted).abs().max().item() < 0.01


@pytest.mark.parametrize("names", [("a",), ("x", "b"), ("y", "n", "x"), NAMES])
def test_known_variables_come_back(names):
    model, rows = prior(), encoded(20)
    known = torch.tensor([v.name in names for v in variables(LAYOUT)]).repeat(20, 1)
    u = torch.rand(20, model.noise_dim, generator=torch.Generator().manual_seed(2))
    drawn, _ = model.sample_weighted(u, Evidence(**rows, known=known))
    for i, variable in enumerate(variables(LAYOUT)):
        if known[0, i]:
            if variable.code is not None:
                assert torch.equal(
                    drawn["codes"][:, variable.code], rows["codes"][:, variable.code]
                )
            if variable.value is not None:
                value = variable.value
                assert torch.equal(drawn["values"][:, value], rows["values"][:, value])


def test_rows_that_know_different_things_can_be_drawn_together():
    model, rows = prior(), encoded(40)
    known = torch.rand(40, 5, generator=torch.Generator().manual_seed(3)) < 0.5
    u = torch.rand(40, model.noise_dim, generator=torch.Generator().manual_seed(4))
    together, _ = model.sample_weighted(u, Evidence(**rows, known=known))
    for i in range(0, 40, 7):
        one = slice(i, i + 1)
        alone, _ = model.sample_weighted(u[one], Evidence(**rows, known=known).rows(one))
        assert torch.equal(together["codes"][one], alone["codes"])
        torch.testing.assert_close(together["values"][one], alone["values"], rtol=1e-4, atol=1e-4)


def weighted_shares(model, evidence, count, seed):
    """Share of each of the 12 rows of LEVELS among weighted draws."""
    u = torch.rand(count, model.noise_dim, generator=torch.Generator().manual_seed(seed))
    drawn, weight = model.sample_weighted(u, evidence)
    codes = drawn["codes"].long()
    number = codes[:, 0] * 6 + codes[:, 1] * 2 + codes[:, 2]
    weights = weight.double().exp()
    return torch.bincount(number, weights, minlength=12) / weights.sum()


def trained_in_no_order_but_one():
    """In other orders its proposals are far off."""
    model = prior(LEVELS, any_order=0.0)
    generator = torch.Generator().manual_seed(9)
    first = torch.randint(2, (512,), generator=generator)
    codes = torch.stack([first, first * 2, first], 1).int()
    noise = torch.rand(512, 3, generator=generator) < 0.2
    codes = torch.where(noise, torch.zeros_like(codes), codes)
    x = Compact(LEVELS)({"values": torch.zeros(512, 0), "codes": codes})
    updated(model, 60, Batch(x, torch.zeros(512, 0)))
    return model


def exact(model, meets):
    """Conditional probability of each of the 12 rows by enumeration."""
    rows = every_row()
    p = model.log_prob(Compact(LEVELS)(rows)).exp() * meets(rows["codes"])
    return (p / p.sum()).double()


def test_weighted_rows_have_the_exact_distribution_given_the_last_level():
    model, count = trained_in_no_order_but_one(), 60_000
    evidence = Evidence.nothing(count, LEVELS)
    evidence.codes[:, 2] = 1
    evidence.known[:, 2] = True
    found = weighted_shares(model, evidence, count, 5)
    wanted = exact(model, lambda codes: codes[:, 2] == 1)
    assert (found - wanted).abs().max().item() < 0.015


def test_weighted_rows_have_the_exact_distribution_under_restrictions():
    model, count = trained_in_no_order_but_one(), 60_000
    nothing = Evidence.nothing(count, LEVELS)
    allowed = {1: torch.tensor([True, False, True]), 2: torch.tensor([False, True])}
    evidence = Evidence(nothing.values, nothing.codes, nothing.known, allowed)
    found = weighted_shares(model, evidence, count, 6)
    wanted = exact(model, lambda codes: (codes[:, 1] != 1) & (codes[:, 2] == 1))
    assert (found - wanted).abs().max().item() < 0.015


def test_rows_drawn_in_the_usual_order_weigh_the_same():
    model, count = prior(), 50
    evidence = Evidence.nothing(count, LAYOUT)
    evidence.codes[:, 0] = 1
    evidence.known[:, 0] = True  # the first variable
    u = torch.rand(count, model.noise_dim, generator=torch.Generator().manual_seed(7))
    _, weight = model.sample_weighted(u, evidence)
    torch.testing.assert_close(weight, weight[:1].expand(count), rtol=1e-3, atol=1e-3)


def test_a_condition_of_training_is_refused():
    group = ConditionGroup("a", (0.5, 0.5))
    with pytest.raises(ValueError, match="condition=none"):
        Prior(
            layout=LAYOUT, condition=Condition((group,)), network=network(),
            likelihood=likelihood(), optimizer=None, any_order=0.0, clip=1.0, ema=None,
            rounding="auto",
        )  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [("any_order", 1.0), ("rounding", "half")])
def test_options_out_of_range_are_refused_by_name(key, value):
    with pytest.raises(ValueError, match=key):
        prior(**{key: value})
