"""An epoch of a set number of updates, whatever the number of rows."""

import numpy as np
import pytest
import torch

from genmodels.data.batching import Batches, ConditionBalanced, Rows, Shuffled
from genmodels.layout import Condition, ConditionGroup, ImageLayout


def rows(n=10):
    condition = Condition((ConditionGroup("label", (0.5, 0.5)),))
    pixels = torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1)
    codes = (np.arange(n) % 2)[:, None]
    return Rows.of({"pixels": pixels}, codes, condition, ImageLayout(1, 1, 1))


def seen(batching, n=10):
    """Row numbers of one epoch, in order, and the sizes of its steps."""
    steps = list(Batches(rows=rows(n), batching=batching, seed=0))
    x = torch.cat([batch.x.flatten() for step in steps for batch in step])
    return ((x + 1) * 127.5).round().long().tolist(), [len(step) for step in steps]


def test_small_data_is_read_several_times_each_row_once_before_any_again():
    numbers, steps = seen(Shuffled(batch_size=4, updates_per_step=3, updates_per_epoch=7))
    assert steps == [3, 3, 1]
    assert len(numbers) == 28
    assert sorted(numbers[:10]) == sorted(numbers[10:20]) == list(range(10))
    assert len(set(numbers[20:])) == 8
    assert numbers[:10] != numbers[10:20]


def test_large_data_is_read_in_part():
    numbers, _ = seen(Shuffled(batch_size=4, updates_per_step=1, updates_per_epoch=2), n=100)
    assert len(set(numbers)) == 8


def test_without_it_an_epoch_is_the_rows_once():
    numbers, _ = seen(Shuffled(batch_size=5, updates_per_step=1))
    assert sorted(numbers) == list(range(10))


def test_balanced_batches_take_it_too():
    numbers, steps = seen(
        ConditionBalanced(batch_size=4, updates_per_step=5, updates_per_epoch=9, level="uniform")
    )
    assert steps == [5, 4]
    assert len(numbers) == 36


def test_less_than_one_update_is_refused():
    with pytest.raises(ValueError, match=r"batching\.updates_per_epoch"):
        Shuffled(batch_size=4, updates_per_step=1, updates_per_epoch=0)
