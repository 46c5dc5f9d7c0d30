import threading

import numpy as np
import pyarrow as pa
import pytest
import torch

from genmodels.layout import Block, Condition, ConditionGroup, ImageLayout, TableLayout
from genmodels.sampling.conditions import Conditions
from genmodels.sampling.sampler import AHEAD, Sampler, default_block_rows
from genmodels.types import Images

LAYOUT = TableLayout((Block("x", "continuous", 1), Block("k", "categorical", 3)))
GROUP = ConditionGroup("k", (0.5, 0.3, 0.2), ("a", "b", "c"), start=1, code=0)


class Linear:
    """x = w . z; k = the condition, except for one row in ten."""

    condition = Condition((GROUP,))
    latent_dim = 16
    noise_dim = 2

    def __init__(self):
        self.weight = torch.linspace(-1, 1, 16)[:, None]

    def sample(self, z, c, u):
        other = (u[:, 1:] * 3).int()
        codes = torch.where(u[:, :1] < 0.9, c.argmax(1, keepdim=True).int(), other)
        return {"values": z @ self.weight, "codes": codes}


class Codec:
    layout = LAYOUT

    def decode(self, encoded, *, conditions, rng, start=0):
        assert conditions is None
        x = encoded["values"][:, 0].numpy()
        rows = np.arange(start, start + len(x))
        k = pa.DictionaryArray.from_arrays(
            encoded["codes"][:, 0].numpy(), pa.array(["a", "b", "c"])
        )
        return pa.table({"x": x + rng.random(len(x)), "k": k, "row": rows})


def sampler(rule="empirical", **options):
    model = Linear()
    conditions = Conditions(condition=model.condition, rule=rule)
    options = {"seed": 0, "block_rows": 256, "workers": 1} | options
    return Sampler(model=model, codec=Codec(), conditions=conditions, **options)


def draw(n, **options):
    return pa.concat_tables(sampler(**options).blocks(n)).combine_chunks()


def test_rows_do_not_depend_on_how_many_are_asked_for():
    many = draw(5000)
    assert many.num_rows == 5000
    for n in (1, 100, 256, 257, 1024):
        assert draw(n).equals(many.slice(0, n).combine_chunks())


def test_rows_do_not_depend_on_the_number_of_workers():
    assert draw(3000, workers=1).equals(draw(3000, workers=3))


def test_rows_depend_on_the_seed():
    assert not draw(100).equals(draw(100, seed=1))


def test_row_numbers_are_global():
    assert draw(1000)["row"].to_pylist() == list(range(1000))


def test_conditions_have_the_training_frequencies_and_a_told_level_always_holds():
    counts = draw(20_000)["k"].combine_chunks().indices.to_numpy()
    expected = 0.9 * np.array([0.5, 0.3, 0.2]) + 0.1 / 3
    assert np.bincount(counts) / len(counts) == pytest.approx(expected, abs=0.015)
    assert set(draw(2000, rule={"k": "c"})["k"].to_pylist()) == {"c"}
    counts = draw(20_000, rule="balanced")["k"].combine_chunks().indices.to_numpy()
    assert np.bincount(counts) / len(counts) == pytest.approx([1 / 3] * 3, abs=0.015)


def test_at_most_a_few_blocks_are_in_memory():
    made = []

    class Counting(Codec):
        def decode(self, encoded, **options):
            made.append(options["start"])
            return super().decode(encoded, **options)

    model = Linear()
    conditions = Conditions(condition=model.condition, rule="empirical")
    options = {"conditions": conditions, "seed": 0, "block_rows": 16, "workers": 2}
    blocks = Sampler(model=model, codec=Counting(), **options).blocks(16_000)
    for _ in range(5):
        next(blocks)
    assert len(made) <= 5 + 2 + 2 + AHEAD
    blocks.close()
    assert len(made) <= 5 + 2 + 2 + AHEAD


def test_torch_threads_are_restored_also_after_an_error():
    class Broken(Codec):
        def decode(self, encoded, **options):
            if options["start"] >= 512:
                raise RuntimeError("broken")
            return super().decode(encoded, **options)

    before, threads = torch.get_num_threads(), set(threading.enumerate())
    model = Linear()
    conditions = Conditions(condition=model.condition, rule="empirical")
    options = {"conditions": conditions, "seed": 0, "block_rows": 256, "workers": 2}
    with pytest.raises(RuntimeError, match="broken"):
        list(Sampler(model=model, codec=Broken(), **options).blocks(10_000))
    assert torch.get_num_threads() == before
    assert set(threading.enumerate()) == threads


def test_labels_reach_the_codec_of_labelled_images():
    class Faces:
        condition = Condition((ConditionGroup("label", (0.5, 0.5), ("cat", "dog")),))
        latent_dim, noise_dim = 4, 0

        def sample(self, z, c, u):
            shade = (c.argmax(1) * 200).to(torch.uint8)
            return {"pixels": shade[:, None, None, None].expand(-1, 1, 2, 2)}

    class PixelCodec:
        layout = ImageLayout(1, 2, 2)

        def decode(self, encoded, *, conditions, rng, start=0):
            return Images(encoded["pixels"].numpy(), conditions, ("cat", "dog"))

    conditions = Conditions(condition=Faces.condition, rule="balanced")
    options = {"conditions": conditions, "seed": 0, "block_rows": 64, "workers": 2}
    blocks = list(Sampler(model=Faces(), codec=PixelCodec(), **options).blocks(100))
    assert [len(block) for block in blocks] == [64, 36]
    for block in blocks:
        assert (block.pixels[:, 0, 0, 0] == block.labels * 200).all()
        assert set(block.labels) == {0, 1}


@pytest.mark.parametrize("n", [0, -3])
def test_no_rows_are_refused(n):
    with pytest.raises(ValueError, match="n must be at least 1"):
        sampler().blocks(n)


def test_blocks_shrink_with_the_width_of_a_sample():
    assert default_block_rows(LAYOUT) == 8192
    assert default_block_rows(TableLayout((Block("k", "categorical", 5000),))) == 256
    assert default_block_rows(ImageLayout(3, 64, 64)) == 32
    assert default_block_rows(ImageLayout(3, 1024, 1024)) == 8


def test_a_block_of_rows_that_are_asked_for_is_small():
    assert default_block_rows(LAYOUT, controlled=True) == 512
    wide = TableLayout((Block("k", "categorical", 5000),))
    assert default_block_rows(wide, controlled=True) == 256
