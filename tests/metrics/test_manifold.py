import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, binom

from genmodels.metrics.manifold import Manifold, calibrated_coverage, prdc, squared_distances
from genmodels.metrics.tables.alpha_precision import alpha_precision, beta_recall


def points(n, seed, *, centre=0.0, width=6):
    return np.random.default_rng(seed).normal(centre, 1, (n, width))


def judge(x, y, k=5):
    return prdc(Manifold.of(x, k), Manifold.of(y, k), (k,))[0]


def by_hand(x, y, k):
    """All of it with loops, float64 and the definitions as printed."""

    def far(a, b):
        return float(((a - b) ** 2).sum())

    def radii(points):
        return [sorted(far(a, b) for j, b in enumerate(points) if j != i)[k - 1]
                for i, a in enumerate(points)]  # fmt: skip

    real, fake = radii(x), radii(y)
    clipped = [min(r, float(np.median(real))) for r in real]
    n, m = len(x), len(y)
    inside = np.array([[far(x[i], y[j]) <= real[i] for j in range(m)] for i in range(n)])
    back = np.array([[far(x[i], y[j]) <= fake[j] for j in range(m)] for i in range(n)])
    small = np.array([[far(x[i], y[j]) <= clipped[i] for j in range(m)] for i in range(n)])
    own = np.array([[i != j and far(x[i], x[j]) <= clipped[i] for j in range(n)] for i in range(n)])
    raw, best = (np.minimum(z.sum(0) / k, 1).mean() for z in (small, own))
    return {
        "precision": inside.any(0).mean(),
        "recall": back.any(1).mean(),
        "density": inside.sum() / (k * m),
        "coverage": inside.any(1).mean(),
        "clipped_density": min(1.0, raw / best),
    }


@pytest.mark.parametrize(("n", "m", "k"), [(30, 40, 3), (25, 12, 1), (12, 30, 5)])
def test_the_figures_are_those_of_their_definitions(n, m, k):
    x, y = points(n, 1, width=2), points(m, 2, centre=0.7, width=2)
    found = judge(x, y, k)
    for name, value in by_hand(x, y, k).items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-12), name


def test_calibration_inverts_the_expected_raw_figure():
    k, n, m, good = 4, 60, 50, 23

    def integrand(p):
        shares = sum(min(j / k, 1) * binom.pmf(j, good, p) for j in range(good + 1))
        return shares * beta.pdf(p, k, n - k)

    raw = quad(integrand, 0, 1, epsabs=1e-12)[0]
    assert calibrated_coverage(raw, k, n, m) == pytest.approx(good / m, abs=1e-9)
    assert calibrated_coverage(0.0, k, n, m) == 0.0
    assert calibrated_coverage(1.0, k, n, m) == 1.0


def test_equal_distributions_cover_as_theory_says():
    k = 5
    found = judge(points(1500, 1), points(1500, 2), k)
    assert found.coverage == pytest.approx(1 - 0.5**k, abs=0.02)
    assert found.density == pytest.approx(1.0, abs=0.08)
    assert found.clipped_coverage > 0.93
    assert found.clipped_density > 0.95


def test_clipped_coverage_is_the_share_of_good_points():
    good, bad = points(400, 2), points(600, 3, centre=50.0)
    found = judge(points(1000, 1), np.concatenate([good, bad]))
    assert found.clipped_coverage == pytest.approx(0.4, abs=0.06)


def test_a_lost_mode_lowers_coverage_and_not_precision():
    x = np.concatenate([points(300, 1), points(100, 2, centre=20.0)])
    found = judge(x, points(400, 3))
    assert found.coverage == pytest.approx(0.75 * 0.97, abs=0.03)
    assert found.precision > 0.9


def test_equal_points_lie_in_each_others_balls():
    x = np.repeat(np.eye(3), 5, axis=0)
    found = judge(x, x, 3)
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)
    assert found.clipped_density == 1


def test_intervals_hold_the_figure_of_new_samples_nineteen_times_in_twenty():
    inside = 0
    truth = np.mean([judge(points(200, s), points(200, s + 500)).coverage for s in range(40)])
    for s in range(40):
        _, (low, high) = judge(points(200, s), points(200, s + 500)).coverage_of(np.arange(200))
        inside += low <= truth <= high
    assert inside >= 35


def test_other_intervals_hold_their_figure_and_shrink_with_the_sample():
    small, large = (judge(points(n, 1), points(n, 2)) for n in (100, 900))
    for name in ("density", "clipped_coverage"):
        widths = []
        for found in (small, large):
            low, high = getattr(found, f"{name}_interval")()
            assert low <= getattr(found, name) <= high
            widths.append(high - low)
        assert widths[1] < widths[0]


def test_more_neighbours_than_points_means_all_of_them():
    found = judge(points(4, 1), points(3, 2), 10)
    assert found.k == 3
    assert 0 <= found.coverage <= 1


def test_squared_distances_are_those_of_float64():
    x, y = points(20, 1), points(30, 2)
    exact = ((x[:, None] - y[None]) ** 2).sum(2)
    found = squared_distances(x.astype(np.float32), y.astype(np.float32))
    assert found == pytest.approx(exact, abs=1e-4)


def test_alpha_precision_is_one_minus_twice_the_area():
    # Reference radii are 1..8, the other points lie at half of them: P at alpha = j/8 is the share
    # of others within j.
    line = np.array([[s * r, 0.0] for r in range(1, 9) for s in (-1, 1)])
    x, y = Manifold.of(line, 1), Manifold.of(line / 2, 1)
    levels = np.repeat(np.arange(1, 9), 2) / 8
    shares = np.minimum(2 * levels, 1)
    found = alpha_precision(x, y)
    assert found.levels == pytest.approx(levels)
    assert found.shares == pytest.approx(shares)
    assert found.score == pytest.approx(1 - 2 * np.abs(shares - levels).mean(), abs=1e-12)


def test_alpha_precision_is_one_for_the_same_rows_and_zero_far_away():
    x = Manifold.of(points(300, 1), 1)
    assert alpha_precision(x, x).score == 1.0
    assert alpha_precision(x, Manifold.of(points(300, 2, centre=99.0), 1)).score < 0.01


def test_beta_recall_is_that_of_its_definition():
    x, y, k = points(30, 1, width=2), points(25, 2, centre=0.3, width=2), 2
    from_centre = np.sqrt(((y - y.mean(0)) ** 2).sum(1))
    radius = [np.sort(np.sqrt(((x - a) ** 2).sum(1)))[k] for a in x]
    shares = []
    for r in np.sort(from_centre):
        core = y[from_centre <= r]
        near = [
            np.sqrt(((core - a) ** 2).sum(1)).min() <= d for a, d in zip(x, radius, strict=True)
        ]
        shares.append(np.mean(near))
    found = beta_recall(Manifold.of(x, k), Manifold.of(y, k), k)
    assert found.shares == pytest.approx(shares)
    levels = np.arange(1, 26) / 25
    expected = 1 - 2 * np.abs(np.array(shares) - levels).mean()
    assert found.score == pytest.approx(expected, abs=1e-6)
