import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from genmodels.metrics.copying import Cells, copying_test, mann_whitney
from genmodels.metrics.tables.neighbours import gower_scale, neighbours
from genmodels.metrics.tables.views import shuffled_columns, table_views
from tests.metrics.simulated import SCHEMA, mixed


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_z_is_that_of_scipys_test(digits):
    rng = np.random.default_rng(digits)
    a, b = rng.normal(0.3, 1, 60).round(digits), rng.normal(0, 1, 45).round(digits)
    peer = mannwhitneyu(a, b, use_continuity=False, alternative="less", method="asymptotic")
    assert mann_whitney(a, b) == pytest.approx(norm.ppf(peer.pvalue), abs=1e-6)


def test_z_is_zero_where_nothing_can_be_ranked():
    assert mann_whitney(np.ones(5), np.ones(7)) == 0.0
    assert mann_whitney(np.ones(0), np.ones(7)) == 0.0


def test_cells_are_weighted_by_their_held_out_rows():
    rng = np.random.default_rng(0)
    made, held = rng.random(90), rng.random(160)
    made_cells, held_cells = np.repeat([0, 1, 2], [40, 40, 10]), np.repeat([0, 1, 2], [40, 100, 20])
    found = copying_test(made, held, made_cells, held_cells)
    z = [mann_whitney(made[made_cells == c], held[held_cells == c]) for c in (0, 1)]
    assert found.z == pytest.approx((40 * z[0] + 100 * z[1]) / 140)
    assert (found.cells, found.n) == (2, 80)
    assert copying_test(made[:5], held, made_cells[:5], held_cells) is None


def test_copies_noise_and_fresh_rows_are_told_apart():
    train, holdout, fresh = table_views([mixed(800, k) for k in (1, 2, 3)], SCHEMA)
    scale = gower_scale(train, holdout)
    cells = Cells(train, scale, count=5, seed=0)
    rows = {"copies": train, "fresh": fresh, "independent": shuffled_columns(train, 0)}
    near = {k: neighbours(v, train, scale, 1)[0][:, 0] for k, v in rows.items()}
    held = neighbours(holdout, train, scale, 1)[0][:, 0]
    z = {k: copying_test(near[k], held, cells(v), cells(holdout)).z for k, v in rows.items()}
    assert z["copies"] < -10
    assert abs(z["fresh"]) < 3
    assert z["independent"] > 3


def test_equal_rows_make_fewer_cells():
    (view,) = table_views([mixed(40, 1)], SCHEMA)
    same = view.take(np.zeros(30, int))
    assert set(Cells(same, gower_scale(view), count=8, seed=0)(view)) == {0}
