import numpy as np
import pyarrow as pa
import pytest

from genmodels.report.page.summary import summary, verdict
from genmodels.report.rows import Report
from genmodels.report.tables.suite import TableSuite
from genmodels.schema import Column, TableSchema
from tests.metrics.simulated import SCHEMA, mixed, shuffled

SUITE = TableSuite(
    rows=1000,
    detection_rows=700,
    folds=2,
    utility_rows=1000,
    utility_slow_rows=300,
    utility_runs=2,
    nearest_rows=900,
    nearest_probes=500,
    coverage_rows=500,
    coverage_neighbours=(3, 5),
    combination_rows=1000,
    combination_sets=50,
    pictures=2,
    worst_pairs=5,
    group_rows=30,
    group_cases=10,
)


REAL = " held-out real data"


def judge(train, holdout, synthetic, schema=SCHEMA, target=None) -> Report:
    return SUITE(train, holdout, synthetic, schema, target=target, seed=0, progress=lambda _: None)


def verdicts(report):
    found: dict[str, str] = {}
    for row in report.rows:
        found.setdefault(row.metric.split(",")[0], verdict(row))  # the strongest comes first
    return found


@pytest.fixture(scope="module")
def real():
    return mixed(900, 1), mixed(900, 2)


@pytest.fixture(scope="module")
def fresh(real):
    return judge(*real, mixed(900, 3))


def test_a_fresh_sample_of_the_simulator_passes_everything(fresh):
    found = [verdict(row) for row in fresh.rows]
    told = {v for v in found if not v.startswith(("level", "close")) and v != "undecided"}
    assert told == set()
    assert sum(v == "undecided" for v in found) < len(found) / 4


def test_independent_columns_pass_on_shapes_and_fail_on_everything_joint(real):
    report = judge(*real, shuffled(mixed(900, 3), 0))
    found = verdicts(report)
    assert found["column shape error"] in ("level with" + REAL, "close to" + REAL)
    assert found["C2ST AUC"].endswith("shuffled data")
    assert found["pair trend error"].endswith("shuffled data")
    assert REAL not in found["AUC for 'sold'"] or found["AUC for 'sold'"].startswith("clearly")
    assert "shuffled data" in summary(report)[0]


def test_copies_of_training_rows_are_the_first_thing_said(real):
    report = judge(*real, real[0])
    found = verdicts(report)
    assert found["exact copies of training rows"] == "as bad as copies of the training data"
    assert found["nearer to a training row than to a held-out row"].startswith(
        ("clearly", "as bad")
    )
    assert summary(report)[0].startswith("Memorisation: as bad as copies")


def test_every_row_has_its_reference_points_n_and_seed(fresh):
    for row in fresh.rows:
        assert row.ceiling is not None
        assert row.floor is not None
        assert row.n > 0
        assert row.seed == 0
        assert row.better in ("lower", "higher", "near")


def test_identifiers_and_constants_are_checked_apart(fresh):
    (detail,) = [d for s in fresh.sections for d in s.details if d.title.startswith("Identifiers")]
    assert [line[0] for line in detail.lines] == ["id", "unit"]
    assert detail.lines[0][2:] == (1.0, 1.0, 0.0)


def test_the_same_seed_gives_the_same_rows(real, fresh):
    assert judge(*real, mixed(900, 3)).rows == fresh.rows


def test_without_a_target_utility_is_skipped_and_the_report_says_how_to_get_it(real):
    columns = tuple(c for c in SCHEMA.columns if c.name != "sold")
    report = judge(*real, mixed(900, 3), TableSchema(columns))
    assert not [r for r in report.rows if r.axis == "utility"]
    assert any("target=<column>" in remark for remark in report.remarks)


def test_an_asked_for_target_wins_and_a_wrong_one_is_named(real):
    report = judge(*real, mixed(900, 3), target="cost")
    found = {r.metric.split()[0] for r in report.rows if r.axis == "utility"}
    assert found == {"R2", "RMSE", "MAE", "change"}
    with pytest.raises(ValueError, match="target='costs'"):
        judge(*real, real[0], target="costs")


@pytest.mark.parametrize(
    "kept", [["size"], ["colour"], ["day"], ["size", "cost"], ["colour", "sold"], ["id", "unit"]]
)
def test_tables_without_some_kind_of_column_work(kept):
    schema = TableSchema(tuple(SCHEMA[name] for name in kept))
    train, holdout, synthetic = (mixed(120, k).select(kept) for k in (1, 2, 3))
    report = judge(train, holdout, synthetic, schema)
    assert bool(report.rows)
    assert summary(report)


def test_gaps_extra_columns_and_tiny_tables_work():
    schema = TableSchema(
        (Column("x", "continuous", nullable=True), Column("gap", "continuous", nullable=True))
    )
    make = lambda n: pa.table({"x": np.arange(float(n)), "gap": pa.nulls(n, pa.float64())})  # noqa: E731
    report = judge(make(30), make(7), make(5).append_column("more", pa.array(range(5))), schema)
    assert any("'more'" in remark for remark in report.remarks)
    assert any("noise" in remark for remark in report.remarks)
    judge(make(1), make(1), make(1), schema)


def test_new_categories_and_values_out_of_range_are_counted():
    train, holdout, synthetic = (mixed(300, 1) for _ in range(3))
    colours = pa.array(["mauve"] * 30 + ["red"] * 270)
    synthetic = synthetic.set_column(3, "colour", colours)
    report = judge(train, holdout, synthetic)
    (row,) = [r for r in report.rows if r.metric.startswith("rows with a value outside")]
    assert row.value == pytest.approx(0.1)
    lost = [d for s in report.sections for d in s.details if d.title.startswith("Categories that")]
    assert lost[0].lines[0][0] == "colour"


def test_missing_values_that_were_lost_are_seen(real):
    full = mixed(900, 3)
    full = full.set_column(1, "cost", [np.asarray(full["size"])])
    (row,) = [r for r in judge(*real, full).rows if r.metric.startswith("missing share")]
    assert row.value > row.ceiling + 0.05


def test_an_empty_side_is_refused(real):
    with pytest.raises(ValueError, match="synthetic data have no rows"):
        judge(*real, real[0].slice(0, 0))
