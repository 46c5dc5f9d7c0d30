import numpy as np
import pytest
import torch

from genmodels.metrics.images.kernels import (
    kernel_distance,
    kernel_distance_interval,
    kernel_distances,
    nearest,
)
from genmodels.metrics.manifold import Manifold, prdc
from tests.metrics.passing import Through


def test_kernel_distance_is_the_unbiased_estimate():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(6, 2)), rng.normal(size=(5, 2))

    def k(u, v):
        return (u @ v / 2 + 1) ** 3

    xx = np.mean([k(x[i], x[j]) for i in range(6) for j in range(6) if i != j])
    yy = np.mean([k(y[i], y[j]) for i in range(5) for j in range(5) if i != j])
    xy = np.mean([k(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(xx + yy - 2 * xy, abs=1e-9)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save all")
def test_kernel_distance_is_that_of_torchmetrics():
    from torchmetrics.image.kid import KernelInceptionDistance

    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(120, 4)), rng.normal(0.5, 1.3, size=(120, 4))
    other = KernelInceptionDistance(feature=Through(4), subsets=1, subset_size=120)
    other.update(torch.from_numpy(x), real=True)
    other.update(torch.from_numpy(y), real=False)
    assert kernel_distance(x, y) == pytest.approx(float(other.compute()[0]), rel=1e-6)


def test_subsets_come_near_the_whole_and_many_sets_cost_one_call():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(800, 3)), rng.normal(0.5, 1, size=(800, 3))
    whole = kernel_distance(x, y)
    parts = kernel_distances(x, [y, x], subset=200, repeats=60)
    assert parts[0] == pytest.approx(whole, rel=0.15)
    assert abs(parts[1]) < 0.1 * whole


def test_the_interval_of_the_kernel_distance_holds_the_truth():
    hits = 0
    for seed in range(40):
        rng = np.random.default_rng([4, seed])
        x, y = rng.normal(size=(200, 3)), rng.normal(size=(200, 3))
        low, high = kernel_distance_interval(x, y, kernel_distance(x, y))
        hits += low <= 0 <= high
    assert hits >= 36
    assert kernel_distance_interval(x[:9], y[:9], 0.0) is None


def test_nearest_finds_copies_exactly_and_reads_in_blocks():
    rng = np.random.default_rng(3)
    bank = rng.normal(size=(300, 20)) * 100
    found = nearest(bank[[5, 250]] + [[0.0], [1e-3]], bank, block=64)
    assert found[:, 0].tolist() == [5, 250]
    assert found[:, 1] == pytest.approx([0, 1e-3 * 20**0.5], rel=1e-3)


def test_precision_recall_density_and_coverage_are_those_of_a_loop():
    rng = np.random.default_rng(5)
    x, y, k = rng.normal(size=(40, 2)), rng.normal(0.8, 1, size=(30, 2)), 3

    def radius(points, i):
        gaps = sorted(np.linalg.norm(points - points[i], axis=1))
        return gaps[k]  # the first is the point itself

    real, made = ([radius(p, i) for i in range(len(p))] for p in (x, y))
    gaps = np.array([[np.linalg.norm(a - b) for b in y] for a in x])
    inside = [[gaps[i, j] <= real[i] for j in range(30)] for i in range(40)]
    found = prdc(Manifold.of(x, k), Manifold.of(y, k), (k,))[0]
    assert found.precision == pytest.approx(np.mean([any(r[j] for r in inside) for j in range(30)]))
    assert found.coverage == pytest.approx(np.mean([any(r) for r in inside]))
    assert found.density == pytest.approx(np.sum(inside) / (k * 30))
    reached = [any(gaps[i, j] <= made[j] for j in range(30)) for i in range(40)]
    assert found.recall == pytest.approx(np.mean(reached))
