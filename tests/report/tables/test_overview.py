"""The plane that shows a table at first sight."""

import numpy as np
import pytest

from genmodels.report.tables.overview import overview, principal_plane
from genmodels.report.tables.parts import Parts
from genmodels.schema import TableSchema
from tests.metrics.simulated import SCHEMA, mixed


def parts(kept=None, n=200):
    schema = SCHEMA if kept is None else TableSchema(tuple(SCHEMA[name] for name in kept))
    tables = [mixed(n, k).select(list(schema.names)) for k in range(3)]
    return Parts.prepare(*tables, schema, rows=500, seed=0)


def test_the_plane_holds_what_a_singular_value_decomposition_finds():
    points = np.random.default_rng(0).normal(size=(60, 5)) @ np.diag([5.0, 3.0, 1.0, 0.5, 0.1])
    centre, axes, share = principal_plane(points)
    _, sizes, directions = np.linalg.svd(points - points.mean(0))
    assert np.abs(axes.T @ axes - np.eye(2)).max() < 1e-12
    assert np.abs(np.abs(directions[:2] @ axes) - np.eye(2)).max() < 1e-9
    assert share == pytest.approx((sizes[:2] ** 2).sum() / (sizes**2).sum())
    assert (axes[np.abs(axes).argmax(0), [0, 1]] > 0).all()
    assert np.allclose(centre, points.mean(0))


def test_points_on_a_line_or_a_point_have_a_plane_too():
    assert principal_plane(np.arange(5.0)[:, None])[2] == pytest.approx(1.0)
    assert principal_plane(np.ones((4, 3)))[2] == 0.0


def test_the_first_direction_follows_what_drives_all_columns():
    from genmodels.metrics.tables.encoding import fit_encoding

    view = parts(n=800).holdout
    points = fit_encoding(view)(view)
    centre, axes, _ = principal_plane(points)
    size = view.numbers[:, view.numeric.index("size")]
    assert abs(np.corrcoef(((points - centre) @ axes)[:, 0], size)[0, 1]) > 0.9


@pytest.mark.parametrize("kept", [None, ["size", "cost"], ["colour", "sold"], ["day", "colour"]])
def test_the_overview_is_one_wide_picture(kept):
    (picture,) = overview(parts(kept)).pictures
    assert picture.wide
    assert picture.png.startswith(b"\x89PNG")


def test_a_single_column_or_no_rows_have_no_overview():
    assert overview(parts(["size"])) is None
    assert overview(parts(n=2)) is None


def test_ugly_tables_have_an_overview():
    import pyarrow as pa

    from genmodels.schema import Column

    schema = TableSchema((Column("x", "continuous"), Column("gap", "continuous", nullable=True)))
    ugly = pa.table({"x": [1e300, -1e300, 0.0, 0.0, 5.0], "gap": pa.nulls(5, pa.float64())})
    made = Parts.prepare(ugly, ugly, ugly, schema, rows=9, seed=0)
    assert overview(made).pictures[0].png.startswith(b"\x89PNG")
