import numpy as np
import pytest

from genmodels.metrics.images.nearness import Bank, nearer_share, nearness, pixel_vectors
from tests.metrics.bars import bars


def looked_up(probes, train, holdout):
    return nearness(probes, Bank(train, np.asarray), Bank(holdout, np.asarray))


def test_a_bank_finds_what_a_loop_finds_across_blocks():
    rng = np.random.default_rng(0)
    bank, probes = rng.normal(size=(5000, 3)), rng.normal(size=(20, 3))
    found = Bank(bank, np.asarray).nearest(probes)
    for probe, (index, distance) in zip(probes, found, strict=True):
        gaps = np.linalg.norm(bank - probe, axis=1)
        assert int(index) == gaps.argmin()
        assert distance == pytest.approx(gaps.min(), rel=1e-3)


def test_a_bank_finds_the_nearest_few_in_their_order_across_blocks():
    rng = np.random.default_rng(3)
    bank, probes = rng.normal(size=(9000, 3)), rng.normal(size=(10, 3))
    probes[0] = bank[8500]
    index, distance = Bank(bank, np.asarray).nearest_few(probes, 4)
    gaps = np.linalg.norm(bank[None] - probes[:, None], axis=2)
    np.testing.assert_array_equal(index, gaps.argsort(1)[:, :4])
    np.testing.assert_allclose(distance, np.sort(gaps, 1)[:, :4], rtol=1e-6)
    assert (index[0, 0], distance[0, 0]) == (8500, 0.0)


def test_a_bank_can_leave_out_the_image_itself():
    rng = np.random.default_rng(1)
    bank = rng.normal(size=(4200, 4))
    rows = np.array([3, 4150])
    found = Bank(bank, np.asarray).nearest(bank[rows], but=rows)
    for row, (index, _) in zip(rows, found, strict=True):
        gaps = np.linalg.norm(bank - bank[row], axis=1)
        gaps[row] = np.inf
        assert int(index) == gaps.argmin()


def test_fresh_points_are_at_chance_and_copies_at_one_whatever_the_sizes():
    rng = np.random.default_rng(2)
    train, holdout, fresh = (rng.normal(size=(n, 4)) for n in (4000, 500, 2000))
    share, (low, high) = nearer_share(looked_up(fresh, train, holdout), 4000, 500)
    assert low < 0.5 < high
    assert high - low < 0.15
    copied = looked_up(train[:300], train, holdout)
    assert nearer_share(copied, 4000, 500)[0] == 1.0
    assert nearer_share(looked_up(holdout[:300], train, holdout), 4000, 500)[0] == 0.0
    assert abs(share - 0.5) < 0.1


def test_equal_images_are_a_tie():
    same = np.ones((30, 2))
    assert nearer_share(looked_up(same[:7], same, same[:10]), 30, 10)[0] == pytest.approx(0.5)


def test_copies_lie_at_distance_zero_in_pixels():
    train, fresh = bars(300, 0).pixels, bars(100, 1).pixels
    embed = pixel_vectors(32)
    bank = Bank(train, embed)
    found = bank.nearest(embed(train[[5, 250]]))
    assert found[:, 0].tolist() == [5, 250]
    assert (found[:, 1] == 0).all()
    assert (bank.nearest(embed(fresh))[:, 1] > 0).all()
