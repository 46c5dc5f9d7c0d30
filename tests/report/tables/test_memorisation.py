import numpy as np
import pyarrow as pa
import pytest

from genmodels.report.page.summary import verdict
from genmodels.report.tables.memorisation import memorisation
from genmodels.report.tables.parts import Parts
from genmodels.schema import Column, TableSchema
from tests.metrics.simulated import SCHEMA, mixed, shuffled

LEVEL = "level with held-out real data"


def judge(train, holdout, synthetic, schema=SCHEMA, probes=800, bank=5000):
    remarks: list[str] = []
    parts = Parts.prepare(train, holdout, synthetic, schema, rows=1000, seed=0)
    return memorisation(parts, bank=bank, probes=probes, remarks=remarks), remarks


def headlines(section):
    return {row.metric.split(",")[0]: row for row in section.rows if row.headline}


@pytest.fixture(scope="module")
def real():
    return mixed(3000, 1), mixed(1600, 2)


def test_fresh_real_rows_are_level_with_held_out_ones(real):
    section, remarks = judge(*real, mixed(1500, 3))
    assert len(section.rows) == 7
    assert {verdict(row) for row in section.rows} <= {LEVEL, "close to held-out real data"}
    assert {verdict(row) for row in headlines(section).values()} == {LEVEL}
    assert remarks == []
    assert all(row.interval and row.copies is not None for row in section.rows)


def test_independent_columns_are_no_copies(real):
    section, _ = judge(*real, shuffled(real[0], 0))
    assert {verdict(row) for row in section.rows} == {LEVEL}


def test_copies_are_as_bad_as_copies(real):
    section, _ = judge(*real, real[0])
    assert {verdict(row)[:6] for row in section.rows} <= {"as bad", "worse "}
    assert headlines(section)["authenticity"].value == 0.0


def test_swapped_training_and_held_out_rows_are_told_and_no_copying(real):
    section, _ = judge(mixed(1600, 4), real[1], real[1])
    row = headlines(section)["nearer to a training row than to a held-out row"]
    assert row.interval[1] < 0.5
    assert verdict(row) == LEVEL
    assert "swapped" in row.note
    fresh, _ = judge(*real, mixed(1500, 3))
    assert all("swapped" not in row.note for row in fresh.rows)


def test_copies_with_a_little_noise_are_found_where_no_row_is_equal(real):
    noise = np.random.default_rng(0).normal(0, 1e-3, len(real[0]))
    made = real[0].set_column(0, "size", pa.array(np.asarray(real[0]["size"]) + noise))
    found = headlines(judge(*real, made)[0])
    assert found["exact copies of training rows"].value == 0.0
    for name in ("near or exact copies", "authenticity"):
        assert verdict(found[name]).startswith("as bad as copies")


def test_one_copy_in_ten_rows_is_noticed(real):
    made = pa.concat_tables([mixed(1350, 3), real[0].slice(0, 150)])
    found = headlines(judge(*real, made)[0])
    row = found["exact copies of training rows"]
    assert row.value == 0.1
    assert row.interval[0] > 0.05
    assert verdict(row) != LEVEL
    assert found["near or exact copies"].interval[0] > found["near or exact copies"].ceiling


def test_copies_of_a_discrete_table_are_found():
    schema = TableSchema(
        tuple(Column(f"q{q}", "categorical", levels=tuple("abcdefgh")) for q in range(6))
    )

    def draw(n, seed):
        rng = np.random.default_rng(seed)
        return pa.table({f"q{q}": rng.choice(list("abcdefgh"), n) for q in range(6)})

    train, holdout = draw(1000, 1), draw(1000, 2)
    copied, fresh = (
        headlines(judge(train, holdout, made, schema)[0]) for made in (train, draw(800, 3))
    )
    for name, row in copied.items():
        assert verdict(row).startswith("as bad as copies"), name
    assert {verdict(row) for row in fresh.values()} == {LEVEL}


def test_one_held_out_row_that_was_trained_on_is_told(real):
    train, holdout = real
    leaked = pa.concat_tables([holdout, train.slice(5, 1)])
    section, remarks = judge(train, leaked, mixed(500, 3))
    assert any("1 of 1,601 held-out rows are in the training data" in text for text in remarks)
    assert section.details[0].lines[0][1] == 1


def test_the_nearest_pairs_show_both_rows(real):
    train, holdout = real
    moved = train.slice(0, 300)
    moved = moved.set_column(0, "size", pa.array(np.asarray(moved["size"]) + 0.001))
    (pairs,) = [d for d in judge(train, holdout, moved)[0].details if d.title.startswith("Nearest")]
    lines = {line[0]: line[1:] for line in pairs.lines}
    assert len(pairs.headers) == 6
    for k, cell in enumerate(lines["size"]):
        made, seen = map(float, cell.split(" ≠ "))
        assert made - seen == pytest.approx(0.001)
        assert not any("≠" in lines[name][k] for name in ("visits", "colour", "day", "sold"))
    assert all(cell.startswith("2020-") for cell in lines["day"])


def test_too_few_rows_leave_nearness_out_and_say_so():
    section, remarks = judge(mixed(50, 1), mixed(30, 2), mixed(5, 3))
    assert len(section.rows) == 1
    assert any(text.startswith("Nearness to training rows was skipped") for text in remarks)


@pytest.mark.parametrize("n", [1, 5, 41, 200])
def test_ugly_tables_are_judged(n):
    name = "<script>\"😀'" + "x" * 200
    schema = TableSchema(
        (
            Column(name, "continuous", nullable=True),
            Column("same", "continuous"),
            Column("huge", "continuous"),
            Column("gap", "continuous", nullable=True),
            Column("t", "datetime", nullable=True),
            Column("q", "categorical", levels=("a", "<b>" * 50)),
        )
    )

    def draw(n, seed):
        rng = np.random.default_rng(seed)
        return pa.table(
            {
                name: pa.array(rng.normal(0, 1, n), mask=rng.random(n) < 0.5),
                "same": np.ones(n),
                "huge": rng.choice([-1e300, 0.0, 1e300], n),
                "gap": pa.nulls(n, pa.float64()),
                "t": pa.array(rng.integers(-(10**18), 10**18, n), pa.timestamp("us")),
                "q": rng.choice(["a", "<b>" * 50, f"only {seed}"], n),
            }
        )

    section, _ = judge(draw(n, 1), draw(n, 2), draw(n, 3), schema)
    assert section.rows[0].n == n


def test_more_training_rows_are_searched_by_fewer_probes(real):
    section, _ = judge(*real, real[0], probes=800)
    fewer, _ = judge(*real, real[0], probes=800, bank=1500)
    assert {row.metric: row.n for row in section.rows}["authenticity, share"] == 800
    row = headlines(fewer)["authenticity"]
    assert row.n == 400
    assert row.value == 0.0
