"""Losses, penalties and terms against closed forms in float64."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from genmodels.algorithms.judge import score
from genmodels.losses import Hinge, NonSaturating, RelativisticPairing, Wasserstein
from genmodels.networks.mlp import Discriminator
from genmodels.penalties import R1, R2, GradientPenalty
from genmodels.schedules import Constant, Cosine, Ramp, value_at
from genmodels.terms import ConditionTerm
from genmodels.types import Batch
from tests.algorithms.tables import CONDITION, LAYOUT, NONE, batch, rows

REAL = torch.tensor([0.3, -2.0], dtype=torch.float64)
FAKE = torch.tensor([-0.4, 1.5], dtype=torch.float64)


def softplus(x):
    return math.log1p(math.exp(x))


@pytest.mark.parametrize(
    ("loss", "discriminator", "generator"),
    [
        (NonSaturating(), lambda r, f: softplus(-r) + softplus(f), lambda r, f: softplus(-f)),
        (Hinge(), lambda r, f: max(0, 1 - r) + max(0, 1 + f), lambda r, f: -f),
        (Wasserstein(), lambda r, f: f - r, lambda r, f: -f),
        (RelativisticPairing(), lambda r, f: softplus(f - r), lambda r, f: softplus(r - f)),
    ],
)
def test_losses_are_their_formulas(loss, discriminator, generator):
    pairs = list(zip(REAL.tolist(), FAKE.tolist(), strict=True))
    found = loss.discriminator(REAL, FAKE), loss.generator(REAL, FAKE)
    assert found[0].tolist() == pytest.approx([discriminator(r, f) for r, f in pairs])
    assert found[1].tolist() == pytest.approx([generator(r, f) for r, f in pairs])


def linear(weight):
    return lambda x, c: x @ weight


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("augment", [None, lambda x: 2.0 * x])
def test_penalties_of_a_linear_discriminator(joint, augment):
    weight = torch.randn(5, dtype=torch.float64, requires_grad=True)
    x, fake, c = torch.randn(4, 5).double(), torch.randn(4, 5).double(), torch.zeros(4, 0)
    flags = {"at_real": True, "at_fake": True, "joint": joint}
    scored = score(linear(weight), augment, x, fake, c, **flags)
    squared = weight.square().sum() * (1 if augment is None else 4)
    for penalty in (R1(weight=3.0), R2(weight=3.0)):
        value = penalty(scored)
        torch.testing.assert_close(value, (1.5 * squared).expand(4))
    value = GradientPenalty(weight=10.0)(scored)
    torch.testing.assert_close(value, (10.0 * (squared.sqrt() - 1) ** 2).expand(4))
    (gradient,) = torch.autograd.grad(value.mean(), weight)
    factor = 1 if augment is None else 2
    norm = weight.norm() * factor
    torch.testing.assert_close(gradient, 20 * (norm - 1) * factor * weight / weight.norm())


def test_a_lazy_penalty_counts_as_often_as_it_is_skipped():
    weight = torch.ones(2, dtype=torch.float64)
    x, c = torch.randn(3, 2).double(), torch.zeros(3, 0)
    scored = score(linear(weight), None, x, x, c, at_real=True, at_fake=False, joint=True)
    lazy = R1(weight=Ramp(start=0.0, stop=2.0, samples=100), every=4)
    assert [lazy.due(update) for update in range(5)] == [True, False, False, False, True]
    torch.testing.assert_close(lazy(scored, 50), torch.full((3,), 4.0).double())
    with pytest.raises(ValueError, match="every"):
        R1(weight=1.0, every=0)


@pytest.mark.parametrize("condition", [CONDITION, NONE])
def test_the_input_gradient_in_closed_form_is_that_of_autograd(condition):
    torch.manual_seed(0)
    judge = Discriminator(
        layout=LAYOUT, condition=condition, hidden=[7, 6, 5], pack=3, dropout=0.5
    ).double()
    x = rows(12).double().requires_grad_()
    c = batch(condition).c.double()
    for training in (True, False):
        judge.train(training)
        torch.manual_seed(1)
        logits, gradient = judge.input_gradient(x, c)
        torch.manual_seed(1)
        expected = judge(x, c)
        (reference,) = torch.autograd.grad(expected.sum(), x, create_graph=True)
        torch.testing.assert_close(logits, expected)
        torch.testing.assert_close(gradient, reference)
        probe = torch.randn_like(gradient)
        for p in judge.parameters():
            pair = [
                torch.autograd.grad((g * probe).sum(), p, retain_graph=True, allow_unused=True)[0]
                for g in (gradient, reference)
            ]
            a, b = (torch.zeros_like(p) if g is None else g for g in pair)
            torch.testing.assert_close(a, b)


def test_the_condition_term_is_the_cross_entropy_of_the_block_that_is_on():
    torch.manual_seed(0)
    outputs = torch.randn(12, LAYOUT.width, dtype=torch.float64, requires_grad=True)
    data = batch(count=12)
    c = data.c.double()
    c[0] = 0.0
    found = ConditionTerm(condition=CONDITION, weight=1.5)(outputs, Batch(data.x, c))
    expected = []
    for row, told in zip(outputs, c, strict=True):
        total = row.new_zeros(())
        for group, start in zip(CONDITION.groups, CONDITION.offsets, strict=True):
            part = told[start : start + group.size]
            if part.sum() > 0:
                logits = row[group.start : group.start + group.size]
                total = 1.5 * cross_entropy(logits[None], part.argmax()[None])
        expected.append(total)
    torch.testing.assert_close(found, torch.stack(expected))
    grads = [torch.autograd.grad(v.sum(), outputs)[0] for v in (found, torch.stack(expected))]
    torch.testing.assert_close(*grads)


def test_the_condition_term_refuses_what_is_not_in_the_sample():
    from genmodels.layout import Condition, ConditionGroup

    with pytest.raises(ValueError, match="label"):
        ConditionTerm(condition=Condition((ConditionGroup("label", (0.5, 0.5)),)))


def test_schedules_start_where_they_say_and_stop_there():
    assert Constant(value=3.0)(10**9) == 3.0
    for schedule in (Cosine(start=4.0, stop=1.0, samples=100), Ramp(start=4, stop=1, samples=100)):
        assert schedule(0) == pytest.approx(4.0)
        assert schedule(50) == pytest.approx(2.5)
        assert schedule(100) == schedule(10**9) == pytest.approx(1.0)
    assert Cosine(start=4.0, stop=1.0, samples=100)(25) == pytest.approx(
        1 + 3 * (1 + math.cos(math.pi / 4)) / 2
    )


def test_a_schedule_in_shares_of_the_training_fits_its_length():
    for kind in (Cosine, Ramp):
        shared = kind(start=4.0, stop=1.0, share=0.5)
        for total in (200, 2_000_000):
            fixed = kind(start=4.0, stop=1.0, samples=total // 2)
            for part in (0.0, 0.1, 0.25, 0.5, 0.9):
                samples = int(part * total)
                assert shared(samples, total) == pytest.approx(fixed(samples))
        assert shared(10**9) == 4.0  # a training without an end stays at its start
        assert value_at(shared, 75, 100) == 1.0


@pytest.mark.parametrize("lengths", [{}, {"samples": 10, "share": 0.5}])
def test_a_schedule_has_one_length(lengths):
    with pytest.raises(ValueError, match="either samples or share"):
        Cosine(start=1.0, stop=0.0, **lengths)


def test_the_weight_of_a_penalty_follows_the_share_of_the_training():
    penalty = R1(weight=Ramp(start=1.0, stop=0.0, share=1.0), every=2)
    assert penalty.factor(25, 100) == pytest.approx(1.5)
    assert penalty.factor(25) == 2.0
