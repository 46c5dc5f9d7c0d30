"""Steps of rows on disk are functions of (seed, epoch, step); each row once before any again."""

import numpy as np
import pytest
import torch

from genmodels.data.batching import ConditionBalanced, Shuffled
from genmodels.data.streaming import buckets as buckets_file
from genmodels.data.streaming.batches import StreamedBatches
from genmodels.data.streaming.buckets import Buckets
from tests.data.test_batching import make_rows

ROWS = 1000


@pytest.fixture
def stored(tmp_path, monkeypatch):
    monkeypatch.setattr(buckets_file, "_ROWS", 150)
    rows = make_rows(ROWS)
    buckets = Buckets(folder=tmp_path, rows=ROWS, seed=1, widths=(1, 2, 2))
    buckets.add(rows.encoded, rows.codes.numpy().astype(np.int32), np.arange(ROWS))
    assert buckets.count == 7
    return buckets


def loader(stored, batching, rank=0, world=1, seed=4):
    return StreamedBatches(
        rows=make_rows(10), buckets=stored, batching=batching, seed=seed, rank=rank, world=world
    )


def epochs(batches, count):
    flat = [batch for _ in range(count) for step in batches for batch in step]
    return torch.cat([b.x for b in flat]), torch.cat([b.c for b in flat]), flat


SHUFFLED = Shuffled(batch_size=64, updates_per_step=4)
SHORT = Shuffled(batch_size=40, updates_per_step=4, updates_per_epoch=5)


@pytest.mark.parametrize("batching", [SHUFFLED, SHORT])
def test_each_row_comes_once_before_any_comes_again(stored, batching):
    batches = loader(stored, batching)
    x, c, flat = epochs(batches, 11)
    assert {len(b.x) for b in flat} == {batching.batch_size}
    numbers = x[:, 0].long()
    for start in range(0, len(numbers) - ROWS + 1, ROWS):
        assert torch.equal(numbers[start : start + ROWS].sort().values, torch.arange(ROWS))
    assert not torch.equal(numbers[:ROWS], numbers[ROWS : 2 * ROWS])
    assert batches.samples_per_epoch * 11 == len(x)
    # what a row is told is true of it: its level of a, or of b, as in its dense row
    assert torch.equal((c * x[:, 1:]).sum(1), torch.ones(len(x)))


def test_another_seed_is_another_order(stored):
    a, b = (epochs(loader(stored, SHUFFLED, seed=s), 1)[0] for s in (4, 5))
    assert not torch.equal(a, b)


@pytest.mark.parametrize("batching", [SHUFFLED, SHORT])
def test_a_step_depends_on_its_place_alone(stored, batching):
    whole = epochs(loader(stored, batching), 3)[0]
    first = loader(stored, batching)
    for epoch in range(3):
        for step, _ in enumerate(first):
            later = loader(stored, batching)
            later.load_state_dict(first.state_dict())
            done = epoch * first.samples_per_epoch
            done += min((step + 1) * 4, first.updates) * batching.batch_size
            rest = 3 - later.epoch
            if rest:
                assert torch.equal(epochs(later, rest)[0], whole[done:])


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_each_batch_of_one(stored, world):
    batching = Shuffled(batch_size=60, updates_per_step=3)
    shares = [epochs(loader(stored, batching, rank, world), 4) for rank in range(world)]
    joined = torch.stack([x for x, _, _ in shares], 1).flatten(0, 1)
    assert torch.equal(joined, epochs(loader(stored, batching), 4)[0])
    with pytest.raises(ValueError, match="7 processes cannot share batches of 60 rows"):
        loader(stored, batching, 0, 7)


def test_training_by_sampling_is_told_rare_levels_as_often(stored):
    batching = ConditionBalanced(batch_size=50, updates_per_step=2, level="uniform")
    x, c, _ = epochs(loader(stored, batching), 40)
    assert torch.equal((c * x[:, 1:]).sum(1), torch.ones(len(x)))
    shares = c.mean(0)
    assert torch.allclose(shares[:2], torch.full((2,), 0.25), atol=0.02)
