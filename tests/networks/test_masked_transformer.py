"""Tokens in any order: the order that is drawn, the bound, and the distribution of samples."""

import itertools
import math

import pytest
import torch

from genmodels.layout import Condition, ConditionGroup
from genmodels.networks.masked_transformer import MaskedTransformer, fixed_ranks, schedule

LABELLED = Condition((ConditionGroup("label", (0.5, 0.3, 0.2)),))


def transformer(length=5, codes=7, steps=3, condition=LABELLED, **more):
    torch.manual_seed(0)
    options = {"dropout": 0.1, "label_dropout": 0.1} | more
    made = MaskedTransformer(
        condition=condition, length=length, codes=codes, steps=steps, hidden=16, layers=2, heads=2,
        expansion=2.0, **options,
    )  # fmt: skip
    with torch.no_grad():
        made.head.weight.normal_(std=0.5)  # far from uniform, so that mistakes show
    return made.double().eval()


def labels(rows):
    return torch.eye(3, dtype=torch.float64)[torch.arange(rows) % 3]


def uniforms(prior, rows):
    return torch.rand(rows, prior.uniforms, dtype=torch.float64)


def every(length, codes):
    return torch.tensor(list(itertools.product(range(codes), repeat=length)))


def test_what_is_hidden_is_not_read_and_what_is_visible_is():
    prior, c = transformer(), labels(1)
    tokens = torch.randint(7, (1, 5))
    visible = torch.tensor([[True, False, True, False, False]])
    before = prior(tokens, c, visible)
    for place in range(5):
        other = tokens.clone()
        other[0, place] = (other[0, place] + 1) % 7
        changed = not torch.equal(prior(other, c, visible), before)
        assert changed == bool(visible[0, place])
    assert not torch.equal(prior(tokens, labels(2)[1:], visible), before)
    hidden = torch.zeros_like(visible)
    assert torch.equal(prior(tokens, c), prior(tokens, c, hidden))


@pytest.mark.parametrize("length", [1, 2, 5, 49, 64, 256])
def test_the_schedule_draws_every_token_and_few_at_first(length):
    for steps in {1, 2, min(8, length), length}:
        if steps > length:
            continue
        counts = schedule(length, steps)
        assert len(counts) == steps
        assert sum(counts) == length
        assert min(counts) >= 1
        assert counts[0] <= counts[-1]
    assert schedule(length, length) == (1,) * length


def test_what_is_left_follows_the_cosine():
    counts = schedule(256, 8)
    left = [256 - sum(counts[: s + 1]) for s in range(8)]
    aims = [256 * math.cos(math.pi * (s + 1) / 16) for s in range(8)]
    assert all(abs(a - b) <= 1 for a, b in zip(left, aims, strict=True))


def test_one_draw_of_the_bound_is_unbiased():
    """All orders and sizes of three tokens against the mean of many random draws."""
    prior = transformer(length=3, codes=4, dropout=0.0, label_dropout=0.0)
    tokens, c = torch.tensor([[2, 0, 3]]), labels(1)
    exact = torch.stack([one_by_one(prior, tokens, c, o) for o in itertools.permutations(range(3))])
    torch.manual_seed(0)
    prior.train()
    rows = 20_000
    drawn = prior.log_prob(tokens.expand(rows, -1), c.expand(rows, -1)).detach()
    error = 4 * float(drawn.std()) / math.sqrt(rows)
    assert float(drawn.mean()) == pytest.approx(float(exact.mean()), abs=error)
    assert error < 0.2


@torch.no_grad()
def one_by_one(prior, tokens, c, order):
    """Log-probability of a row by the chain rule in an order."""
    total, visible = torch.zeros((), dtype=torch.float64), torch.zeros_like(tokens, dtype=bool)
    for place in order:
        total += prior(tokens, c, visible).log_softmax(2)[0, place, tokens[0, place]]
        visible[0, place] = True
    return total


def test_measuring_twice_gives_the_same_and_meets_all_orders():
    prior, tokens, c = transformer(), torch.randint(7, (300, 5)), labels(300)
    assert torch.equal(prior.log_prob(tokens, c), prior.log_prob(tokens, c))
    ranks, seen = prior.hiding(tokens)
    assert set(seen.flatten().tolist()) == set(range(5))
    assert torch.equal(ranks.sort(1).values, torch.arange(5).expand(300, -1))
    assert torch.equal(((ranks < seen).sum(1)), seen.squeeze(1))
    assert len(ranks.unique(dim=0)) > 90  # of 120 orders
    assert torch.equal(fixed_ranks(5), fixed_ranks(5))


@torch.no_grad()
@pytest.mark.parametrize("options", [{}, {"guidance": 2.0}, {"temper": 0.5}])
def test_uniform_numbers_give_the_enumerated_distribution(options):
    """Two tokens of three codes, one by one: shares equal the mean over both orders."""
    prior = transformer(length=2, codes=3, steps=2)
    side = 120
    even = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    pairs = torch.cartesian_prod(even, even)
    c = labels(2)[1:]
    expected = torch.zeros(9, dtype=torch.float64)
    shares = torch.zeros(9, dtype=torch.float64)
    for keys, order in (((0.1, 0.9), (0, 1)), ((0.9, 0.1), (1, 0))):
        u = torch.cat([pairs, torch.tensor(keys, dtype=torch.float64).expand(len(pairs), -1)], 1)
        drawn = prior.sample(c.expand(len(u), -1), u, **options)
        shares += torch.stack([(drawn == row).all(1).double().mean() for row in every(2, 3)]) / 2
        expected += enumerated(prior, c, order, **options) / 2
    torch.testing.assert_close(shares, expected, rtol=0, atol=0.01)
    assert expected.max() - expected.min() > 0.1


def enumerated(prior, c, order, guidance=1.0, temper=1.0):
    rows, none = every(2, 3), torch.zeros_like(c)
    p, visible = torch.ones(9, dtype=torch.float64), torch.zeros(9, 2, dtype=torch.bool)
    for place in order:
        told, untold = (prior(rows, x.expand(9, -1), visible)[:, place] for x in (c, none))
        own = ((untold + guidance * (told - untold)) / temper).softmax(1)
        p = p * own.gather(1, rows[:, place, None]).squeeze(1)
        visible[:, place] = True
    return p


@torch.no_grad()
def test_tokens_of_one_step_are_independent_given_what_is_visible():
    prior = transformer(length=2, codes=3, steps=1)
    side = 120
    even = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    pairs = torch.cartesian_prod(even, even)
    c = labels(1).expand(len(pairs), -1)
    drawn = prior.sample(c, torch.cat([pairs, pairs], 1))
    p = prior(torch.zeros(1, 2, dtype=torch.long), labels(1)).softmax(2)[0]
    expected = torch.outer(p[0], p[1]).flatten()
    shares = torch.stack([(drawn == row).all(1).double().mean() for row in every(2, 3)])
    torch.testing.assert_close(shares, expected, rtol=0, atol=0.01)


def test_a_row_depends_on_its_own_numbers_alone():
    prior = transformer(condition=LABELLED)
    c, u = labels(6), uniforms(prior, 6)
    whole = prior.sample(c, u, guidance=1.5, top_p=0.9)
    assert torch.equal(prior.sample(c[2:4], u[2:4], guidance=1.5, top_p=0.9), whole[2:4])


def test_more_steps_than_tokens_are_one_by_one_and_none_is_an_error():
    assert transformer(length=5, steps=99).counts == (1,) * 5
    with pytest.raises(ValueError, match=r"model\.prior\.steps must be at least 1"):
        transformer(steps=0)


def test_every_parameter_has_a_gradient():
    prior = transformer().train()
    prior.log_prob(torch.randint(7, (30, 5)), labels(30)).sum().backward()
    silent = [n for n, p in prior.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []
