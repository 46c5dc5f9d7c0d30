"""The prior over tokens: one distribution, whether asked at once or token by token."""

import itertools

import pytest
import torch

from genmodels.layout import Condition, ConditionGroup
from genmodels.networks.token_transformer import TokenTransformer, guided, sharpened

LABELLED = Condition((ConditionGroup("label", (0.5, 0.3, 0.2)),))


def transformer(length=5, codes=7, condition=LABELLED, layers=2, **more):
    torch.manual_seed(0)
    options = {"dropout": 0.1, "label_dropout": 0.1} | more
    made = TokenTransformer(
        condition=condition, length=length, codes=codes, hidden=16, layers=layers, heads=2,
        expansion=2.0, **options,
    )  # fmt: skip
    with torch.no_grad():
        made.head.weight.normal_(std=0.5)  # far from uniform, so that mistakes show
    return made.double().eval()


def labels(rows, condition=LABELLED):
    c = torch.zeros(rows, condition.width, dtype=torch.float64)
    if condition.width:
        c[torch.arange(rows), torch.arange(rows) % condition.width] = 1.0
    return c


def every(length, codes):
    return torch.tensor(list(itertools.product(range(codes), repeat=length)))


@torch.no_grad()
@pytest.mark.parametrize("condition", [LABELLED, Condition()], ids=["labelled", "unlabelled"])
def test_token_by_token_with_kept_keys_equals_the_whole_row_at_once(condition):
    prior = transformer(condition=condition)
    tokens, c = torch.randint(7, (6, 5)), labels(6, condition)
    whole = prior(tokens, c)
    kept, x, steps = [prior.empty(6) for _ in prior.blocks], prior.first(c), []
    for place in range(5):
        steps.append(prior.step(x, kept, place))
        x = prior.embedding(tokens[:, place])
    stepped = torch.stack(steps, 1)
    torch.testing.assert_close(stepped.double(), whole, rtol=0, atol=1e-6)
    chosen = stepped.log_softmax(2).gather(2, tokens[..., None]).sum((1, 2))
    torch.testing.assert_close(prior.log_prob(tokens, c), chosen, rtol=1e-6, atol=1e-6)


def test_a_token_does_not_see_itself_nor_what_comes_after():
    prior = transformer()
    tokens, c = torch.randint(7, (1, 5)), labels(1)
    before = prior(tokens, c)
    tokens[0, 2] = (tokens[0, 2] + 1) % 7
    change = (prior(tokens, c) - before).abs().amax((0, 2))
    assert not change[:3].any()
    assert change[3:].min() > 1e-4


def test_probabilities_of_all_rows_of_tokens_sum_to_one():
    prior = transformer(length=3, codes=4)
    rows = every(3, 4)
    for c in (*labels(3), torch.zeros(3)):
        total = prior.log_prob(rows, c.double().expand(len(rows), -1)).exp().sum()
        assert total.item() == pytest.approx(1.0, abs=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("options", [{}, {"guidance": 2.0}, {"temper": 0.5}, {"top_p": 0.6}])
def test_uniform_numbers_give_the_enumerated_distribution(options):
    """Two tokens of three codes on an even grid of uniforms: shares equal probabilities."""
    prior = transformer(length=2, codes=3)
    side = 200
    even = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    u = torch.cartesian_prod(even, even)
    c = labels(2)[1:].expand(len(u), -1)
    drawn = prior.sample(c, u, **options)
    shares = torch.stack([(drawn == row).all(1).double().mean() for row in every(2, 3)])
    torch.testing.assert_close(shares, enumerated(prior, c[:1], **options), rtol=0, atol=0.01)
    if not options:
        exact = prior.log_prob(every(2, 3), c[:9]).exp()
        torch.testing.assert_close(shares, exact, rtol=0, atol=0.01)
        assert exact.max() - exact.min() > 0.1


def enumerated(prior, c, guidance=1.0, temper=1.0, top_p=1.0):
    """Probabilities of all rows of tokens from whole rows, without kept keys."""
    rows = every(2, 3)
    told, untold = (prior(rows, x.expand(len(rows), -1)) for x in (c, torch.zeros_like(c)))
    p = ((untold + guidance * (told - untold)) / temper).softmax(2)
    for place in p.view(-1, 3):
        order = place.argsort(descending=True)
        beyond = order[place[order].cumsum(0) - place[order] >= top_p]
        place[beyond] = 0.0
        place /= place.sum()
    return p.gather(2, rows[..., None]).prod(1).squeeze(1)


def test_guidance_one_is_the_label_and_guidance_zero_is_none():
    prior = transformer()
    c, u = labels(6), torch.rand(6, 5, dtype=torch.float64)
    plain = prior.sample(c, u)
    assert torch.equal(prior.sample(c, u, guidance=1.0), plain)
    none = prior.sample(torch.zeros_like(c), u)
    assert torch.equal(prior.sample(c, u, guidance=0.0), none)
    assert not torch.equal(plain, none)
    # Both ends by the formula for what is in between.
    assert len(prior.views(c, 0.0)) == len(prior.views(c, 1.0)) == 6
    assert len(prior.views(c, 2.0)) == 12
    logits = torch.randn(12, 7)
    assert torch.equal(guided(logits, 6, 1.0), logits[:6])
    assert torch.equal(guided(logits, 6, 0.0), logits[6:])
    torch.testing.assert_close(guided(logits, 6, 3.0), 3.0 * logits[:6] - 2.0 * logits[6:])


def test_a_row_depends_on_its_own_numbers_alone():
    prior = transformer()
    c, u = labels(6), torch.rand(6, 5, dtype=torch.float64)
    whole = prior.sample(c, u, guidance=1.5)
    assert torch.equal(prior.sample(c[2:4], u[2:4], guidance=1.5), whole[2:4])


def test_top_p_keeps_the_fewest_tokens_that_reach_it():
    p = torch.tensor([[0.1, 0.5, 0.15, 0.25]])
    for top_p, kept in ((0.4, [1]), (0.5, [1]), (0.6, [1, 3]), (0.8, [1, 2, 3]), (1.0, range(4))):
        found = sharpened(p.log(), 1.0, top_p).isfinite()[0].nonzero().flatten().tolist()
        assert found == list(kept)


def test_a_low_temper_takes_the_likeliest():
    prior = transformer()
    c, u = labels(4), torch.rand(4, 5, dtype=torch.float64)
    cold = prior.sample(c, u, temper=1e-3)
    assert torch.equal(prior(cold, c).argmax(2), cold)


def test_labels_are_left_out_while_training_only():
    prior = transformer(dropout=0.0, label_dropout=0.5)
    c = labels(3000)
    assert torch.equal(prior.told(c), c)
    torch.manual_seed(0)
    told = prior.train().told(c)
    assert set(told.sum(1).tolist()) == {0.0, 1.0}
    assert float(told.sum(1).mean()) == pytest.approx(0.5, abs=0.03)


def test_every_parameter_has_a_gradient():
    prior = transformer().train()
    prior.log_prob(torch.randint(7, (8, 5)), labels(8)).sum().backward()
    silent = [n for n, p in prior.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match=r"model\.prior\.hidden"):
        TokenTransformer(
            condition=LABELLED, length=2, codes=3, hidden=10, layers=1, heads=4, expansion=2.0,
            dropout=0.0, label_dropout=0.0,
        )  # fmt: skip
