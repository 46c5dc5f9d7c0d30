import numpy as np
import pyarrow as pa

from genmodels.metrics.benchmark.stand_ins import Bootstrap, Independent
from tests.metrics.simulated import mixed


def test_bootstrap_gives_training_rows_and_nothing_else():
    train = mixed(300, 0)
    made = Bootstrap(train).sample(1000, seed=0)
    ids = made["id"].to_numpy()
    assert made.num_rows == 1000
    assert set(ids) <= set(train["id"].to_numpy())
    assert len(set(ids)) < 300
    assert made.equals(train.take(pa.array(ids - train["id"][0].as_py())))


def test_draws_come_again_with_the_seed():
    train = mixed(100, 0)
    for made in (Bootstrap, Independent):
        assert made(train).sample(50, seed=1).equals(made(train).sample(50, seed=1))
        assert not made(train).sample(50, seed=1).equals(made(train).sample(50, seed=2))


def test_independent_breaks_the_dependence_and_keeps_the_values():
    train = mixed(2000, 0)
    made = Independent(train).sample(2000, seed=0)
    pairs = [np.corrcoef(t["size"], t["visits"])[0, 1] for t in (train, made)]
    assert pairs[0] > 0.3
    assert abs(pairs[1]) < 0.08
    assert set(made["size"].to_pylist()) <= set(train["size"].to_pylist())


def test_both_can_be_told_a_level():
    train = mixed(300, 0)
    for made in (Bootstrap(train), Independent(train)):
        rows = made.of_level("sold", "yes", 40, seed=0)
        assert rows["sold"].to_pylist() == ["yes"] * 40
        assert rows.schema == train.schema
        assert made.of_level("sold", "never seen", 40, seed=0) is None
