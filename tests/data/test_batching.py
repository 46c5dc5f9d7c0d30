"""Epochs are functions of (seed, epoch); conditions match their rows; weights are as asked."""

import numpy as np
import pytest
import torch

from genmodels.combinations import Combinations, Facet
from genmodels.data.batching import Batches, ConditionBalanced, Rows, Shuffled
from genmodels.layout import Block, Condition, ConditionGroup, TableLayout

LAYOUT = TableLayout((Block("x", "continuous", 1), Block("a", "categorical", 2),
                      Block("b", "categorical", 3)))  # fmt: skip
CONDITION = Condition(
    (
        ConditionGroup("a", (0.9, 0.1), start=1, code=0),
        ConditionGroup("b", (0.5, 0.5, 0.0), start=3, code=1),
    )
)


def make_rows(n=1000, condition=CONDITION, seed=0):
    """Row i has value i; a is 1 for one row in ten, b never reaches its third level."""
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.random(n) < 0.1, rng.integers(0, 2, n)], 1).astype(np.int32)
    encoded = {
        "values": torch.arange(n, dtype=torch.float32)[:, None],
        "codes": torch.from_numpy(codes),
    }
    return Rows.of(encoded, codes[:, : len(condition.groups)], condition, LAYOUT)


def epoch(batches):
    steps = list(batches)
    flat = [batch for step in steps for batch in step]
    return torch.cat([b.x for b in flat]), torch.cat([b.c for b in flat])


SHUFFLED = Shuffled(batch_size=64, updates_per_step=4)


def balanced(level="log", **kwargs):
    options = {"batch_size": 100, "updates_per_step": 3} | kwargs
    return ConditionBalanced(level=level, **options)


def test_shuffled_rows_come_once_and_the_ragged_rest_is_left_out():
    batches = Batches(rows=make_rows(), batching=SHUFFLED, seed=0)
    assert len(batches) == 4
    steps = list(batches)
    assert [len(step) for step in steps] == [4, 4, 4, 3]
    x = torch.cat([batch.x for step in steps for batch in step])
    assert len(x) == 15 * 64
    assert len(x[:, 0].unique()) == len(x)


def test_fewer_rows_than_a_batch_make_one_batch_of_all():
    (step,) = list(Batches(rows=make_rows(10), batching=SHUFFLED, seed=0))
    assert [len(batch.x) for batch in step] == [10]


@pytest.mark.parametrize("batching", [SHUFFLED, balanced()], ids=["shuffled", "balanced"])
def test_an_epoch_depends_on_seed_and_number_alone(batching):
    a = Batches(rows=make_rows(), batching=batching, seed=3)
    first, second = epoch(a), epoch(a)
    assert not torch.equal(first[0], second[0])
    b = Batches(rows=make_rows(), batching=batching, seed=3)
    torch.manual_seed(99)
    b.load_state_dict({"epoch": 1, "step": 0})
    again = epoch(b)
    assert torch.equal(second[0], again[0])
    assert torch.equal(second[1], again[1])
    other = epoch(Batches(rows=make_rows(), batching=batching, seed=4))
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize("batching", [SHUFFLED, balanced()], ids=["shuffled", "balanced"])
@pytest.mark.parametrize("taken", [0, 1, 2, 3])
def test_stopping_after_any_step_and_going_on_gives_the_same_batches(batching, taken):
    whole = [b.x for step in Batches(rows=make_rows(), batching=batching, seed=0) for b in step]
    first = Batches(rows=make_rows(), batching=batching, seed=0)
    iterator = iter(first)
    got = [b.x for _ in range(taken) for b in next(iterator)]
    second = Batches(rows=make_rows(), batching=batching, seed=0)
    second.load_state_dict(first.state_dict())
    got += [b.x for step in second for b in step]
    assert len(got) == len(whole)
    assert all(torch.equal(a, b) for a, b in zip(got, whole, strict=True))


@pytest.mark.parametrize("batching", [SHUFFLED, balanced()], ids=["shuffled", "balanced"])
def test_each_row_is_told_one_level_that_it_has(batching):
    x, c = epoch(Batches(rows=make_rows(), batching=batching, seed=0))
    assert torch.equal(c.sum(1), torch.ones(len(c)))
    assert torch.equal((x[:, 1:] * c).sum(1), torch.ones(len(c)))
    assert 0.4 < c[:, :2].sum() / len(c) < 0.6


@pytest.mark.parametrize(
    ("level", "weight"),
    [("log", np.log1p), ("empirical", lambda n: n), ("uniform", np.ones_like), (0.5, np.sqrt)],
)
def test_levels_are_drawn_with_the_weight_asked_for(level, weight):
    rows = make_rows()
    counts = np.bincount(rows.codes[:, 0].numpy(), minlength=2).astype(float)
    expected = weight(counts) / weight(counts).sum() / 2
    batches = Batches(rows=rows, batching=balanced(level, updates_per_epoch=1000), seed=0)
    _, c = epoch(batches)
    assert c[:, :2].mean(0).numpy() == pytest.approx(expected, abs=4 * np.sqrt(0.25 / len(c)))
    assert c[:, 4].sum() == 0  # a level without rows is never told


def test_rows_of_a_level_are_drawn_uniformly():
    rows = make_rows(200)
    batches = Batches(rows=rows, batching=balanced("uniform", updates_per_epoch=2000), seed=0)
    x, c = epoch(batches)
    rare = x[c[:, 1] == 1][:, 0].long()
    have = torch.nonzero(rows.codes[:, 0] == 1)[:, 0]
    counts = torch.bincount(rare, minlength=200)[have].double()
    assert counts.sum() == len(rare)
    expected = len(rare) / len(have)
    assert (((counts - expected) ** 2).sum() / expected) < 3 * len(have)


def test_without_groups_balanced_batches_shuffle():
    rows = make_rows(condition=Condition(()))
    x, c = epoch(Batches(rows=rows, batching=balanced(), seed=0))
    assert c.shape == (1000, 0)
    assert len(x[:, 0].unique()) == 1000


@pytest.mark.parametrize("world", [2, 4])
@pytest.mark.parametrize("batching", [SHUFFLED, balanced()])
def test_processes_share_each_batch_of_one(batching, world):
    alone = Batches(rows=make_rows(), batching=batching, seed=0)
    x, c = epoch(alone)
    parts = [Batches(rows=make_rows(), batching=batching, seed=0, rank=rank, world=world)
             for rank in range(world)]  # fmt: skip
    assert {len(part) for part in parts} == {len(alone)}
    assert {part.samples_per_epoch for part in parts} == {alone.samples_per_epoch}
    shares = [epoch(part) for part in parts]
    for whole, own in ((x, [x for x, _ in shares]), (c, [c for _, c in shares])):
        assert torch.equal(torch.stack(own, 1).flatten(0, 1), whole)


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(ValueError, match="3 processes cannot share batches of 64 rows evenly"):
        Batches(rows=make_rows(), batching=SHUFFLED, seed=0, rank=0, world=3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Shuffled(batch_size=0, updates_per_step=1), "batching.batch_size"),
        (lambda: Shuffled(batch_size=1, updates_per_step=0), "batching.updates_per_step"),
        (lambda: balanced("sometimes"), "batching.level"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


LABELLED = Condition((ConditionGroup("a", (0.9, 0.1), start=1, code=0),))


@pytest.mark.parametrize(
    ("balance", "rare"), [(True, 0.5), (1.0, 0.5), (0.5, 0.25), (0.0, 0.1), (False, 0.1)]
)
def test_balance_goes_from_the_frequencies_in_training_to_equal_ones(balance, rare):
    rows = make_rows(10_000, LABELLED)
    batching = Shuffled(batch_size=100, updates_per_step=4, balance=balance)
    x, c = epoch(Batches(rows=rows, batching=batching, seed=0))
    assert len(x) == 10_000
    assert float(c[:, 1].mean()) == pytest.approx(rare, abs=0.02)
    assert torch.equal(c, x[:, 1:3])  # each row is told its own label


def test_without_balance_the_order_of_rows_is_what_it_always_was():
    found = [
        epoch(Batches(rows=make_rows(), batching=made, seed=3))[0]
        for made in (SHUFFLED, Shuffled(batch_size=64, updates_per_step=4, balance=0.0))
    ]
    assert torch.equal(*found)


def test_balance_needs_labels_and_a_share():
    bare = make_rows(condition=Condition())
    with pytest.raises(ValueError, match=r"batching\.balance=1 needs labels"):
        Shuffled(batch_size=4, updates_per_step=1, balance=True).bind(bare)
    for wrong in (1.5, -0.1, "yes"):
        with pytest.raises(ValueError, match=r"batching\.balance must be"):
            Shuffled(batch_size=4, updates_per_step=1, balance=wrong)


def told_rows(n=600):
    """A rare class, yes or no, and a number of its own for each row."""
    rng = np.random.default_rng(0)
    facets = (
        Facet("label", "class", ("a", "b")),
        Facet("glasses", "boolean", ("no", "yes")),
        Facet("age", "continuous", knots=(0.0, 50.0, 100.0)),
    )
    values = np.stack([rng.random(n) < 0.1, rng.random(n) < 0.5, rng.uniform(0, 100, n)], 1)
    told = Combinations(facets, values.astype(float))
    condition = Condition((ConditionGroup("attributes", (1 / n,) * n, combinations=told),))
    encoded = {"values": torch.arange(n).float()[:, None], "codes": torch.zeros(n, 2).int()}
    return Rows.of(encoded, np.arange(n)[:, None], condition, LAYOUT), told


@pytest.mark.parametrize("balance", [0.0, 1.0])
def test_every_row_is_told_its_own_combination(balance):
    rows, told = told_rows()
    batching = Shuffled(batch_size=64, updates_per_step=2, updates_per_epoch=60, balance=balance)
    x, c = epoch(Batches(rows=rows, batching=batching, seed=0))
    assert torch.equal(c, torch.from_numpy(told.features)[x[:, 0].long()])
    assert c[:, 1].mean().item() == pytest.approx(0.5 if balance else 0.1, abs=0.03)


def test_rows_that_are_told_combinations_need_no_host():
    rows, told = told_rows()
    batch = rows.to(torch.device("meta")).batch(torch.zeros(5, device="meta").long(), None)
    assert batch.c.shape == (5, told.width)
    position = torch.zeros(5, device="meta").long()
    assert rows.to(torch.device("meta")).batch(position, position).c.shape == (5, told.width)
