import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv

from genmodels.data.infer import infer_schema
from genmodels.data.parse import apply_schema
from genmodels.report.page.verdicts import verdict
from genmodels.report.tables.categories import categories
from genmodels.report.tables.combinations import combinations
from genmodels.report.tables.coverage import neighbourhoods
from genmodels.report.tables.parts import Parts
from genmodels.report.tables.tails import extremes
from genmodels.schema import Column, TableSchema
from tests.metrics.simulated import SCHEMA, mixed, shuffled

N = 3000
GOOD = ("level with", "close to", "undecided between held-out real data")


def sections(train, holdout, synthetic, schema=SCHEMA, rows=50_000):
    parts = Parts.prepare(train, holdout, synthetic, schema, rows=rows, seed=0)
    remarks: list[str] = []
    made = (
        neighbourhoods(parts, rows=1500, neighbours=(3, 5, 10), sets=50),
        categories(parts),
        extremes(parts, remarks=remarks),
        combinations(parts, rows=5000, sets=50),
    )
    return [s for s in made if s is not None], remarks


def rows(*given, **options):
    return {row.metric: row for s in sections(*given, **options)[0] for row in s.rows}


def named(found, start):
    (row,) = [row for name, row in found.items() if name.startswith(start)]
    return row


def clipped(table):
    columns = []
    for name in table.column_names:
        values = table.column(name)
        if name in ("size", "cost", "visits"):
            low, high = pc.quantile(values, q=[0.02, 0.98], interpolation="lower").to_pylist()
            bounds = (pa.scalar(x, values.type) for x in (low, high))
            low, high = bounds
            gone = values.is_null()
            values = pc.min_element_wise(pc.max_element_wise(values, low), high)
            values = pc.if_else(gone, pa.scalar(None, values.type), values)
        columns.append(values)
    return pa.table(columns, names=table.column_names)


@pytest.fixture(scope="module")
def real():
    return mixed(N, 1), mixed(N, 2)


@pytest.fixture(scope="module")
def fresh(real):
    return rows(*real, mixed(N, 3))


@pytest.fixture(scope="module")
def alone(real):
    return rows(*real, shuffled(mixed(N, 3), 0))


def test_fresh_real_rows_are_level_on_every_headline(fresh):
    headlines = [row for row in fresh.values() if row.headline]
    assert len(headlines) >= 9
    assert {row.metric: verdict(row) for row in headlines if row.gap() > 0.1} == {}


@pytest.mark.parametrize("seed", range(4, 10))
def test_other_fresh_real_rows_raise_no_alarm(seed):
    found = rows(mixed(1000, seed), mixed(1000, seed + 100), mixed(1000, seed + 200))
    alarms = {r.metric: r for r in found.values() if r.headline and r.gap() > 0.25}
    assert alarms == {}


@pytest.mark.parametrize(
    "start",
    [
        "coverage, k = 5",
        "rows with rare combinations",
        "pairs of values that occur at least half",
        "triples of values that occur at least half",
        "triples of values that no real row",
    ],
)
def test_independent_columns_fail_on_what_goes_together(alone, start):
    row = named(alone, start)
    assert row.headline
    assert verdict(row).endswith("independently shuffled data")
    assert row.gap() > 0.75


@pytest.mark.parametrize("start", ["tail frequency", "categories of held-out"])
def test_independent_columns_pass_on_single_columns(alone, start):
    assert named(alone, start).gap() < 0.1


def test_alpha_precision_flatters_independent_columns(alone):
    assert named(alone, "alpha-precision").value > 2 * named(alone, "coverage, k = 5").value


def bundle(n, seed):
    """Ten numbers that nearly agree: rows in thin regions have all of them extreme."""
    rng = np.random.default_rng(seed)
    values = rng.standard_t(4, n)[:, None] + rng.normal(0, 0.3, (n, 10))
    return pa.table({f"x{k}": values[:, k] for k in range(10)})


def test_independent_columns_miss_rows_in_thin_regions():
    schema = TableSchema(tuple(Column(f"x{k}", "continuous") for k in range(10)))
    real = bundle(2000, 1), bundle(2000, 2)
    fresh = named(rows(*real, bundle(2000, 3), schema=schema), "rows in thin")
    alone = named(rows(*real, shuffled(bundle(2000, 3), 0), schema=schema), "rows in thin")
    assert verdict(fresh).startswith(GOOD)
    assert alone.value < 0.5
    assert verdict(alone).endswith("independently shuffled data")


def test_cut_tails_fail_on_tails_and_not_on_the_middle(real, fresh):
    found = rows(*real, clipped(mixed(N, 3)))
    row = named(found, "tail frequency")
    assert row.gap() > 1
    assert verdict(row) == "bad"
    assert named(fresh, "tail frequency").gap() < 0.1
    assert verdict(named(found, "coverage, k = 5")).startswith(GOOD)


def test_a_lost_class_is_named(real):
    whole = mixed(N, 3)
    found = rows(*real, whole.filter(pc.not_equal(whole.column("colour"), "red")))
    row = named(found, "least represented category")
    assert verdict(row) == "bad"
    assert row.value < 0.1
    assert "'red' of 'colour'" in row.note
    lost = named(found, "categories of held-out rows that occur")
    assert lost.value < lost.ceiling == 1


def modes(n, seed, share):
    """Two numbers in a large mode and in a rare one that no column names."""
    rng = np.random.default_rng(seed)
    rare = rng.random(n) < share
    values = rng.normal(0, 1, (n, 2)) + np.where(rare, 12.0, 0.0)[:, None]
    return pa.table({"x": values[:, 0], "y": -values[:, 1]})


def test_a_lost_mode_that_no_column_names_is_found():
    schema = TableSchema((Column("x", "continuous"), Column("y", "continuous")))
    made = [modes(N, k, 0.08) for k in range(3)]
    kept = named(rows(*made, schema=schema), "least represented kind")
    lost = named(rows(*made[:2], modes(N, 5, 0.0), schema=schema), "least represented kind")
    assert kept.gap() < 0.1
    assert lost.value < 0.2
    assert lost.gap() > 0.75


def test_copies_cover_and_fill_no_hole(real):
    found = rows(*real, real[0])
    assert verdict(named(found, "coverage, k = 5")).startswith("level")
    filled = named(found, "triples of values that training rows lack")
    assert filled.value == filled.copies == 0
    assert filled.ceiling > 0


def test_every_row_has_four_points_an_interval_and_a_sentence(fresh):
    for row in fresh.values():
        points = (row.value, row.ceiling, row.independent, row.copies)
        assert all(isinstance(x, float) for x in points)
        assert row.interval is not None
        assert row.interval[0] <= row.value <= row.interval[1]
        assert row.note.endswith((".", "lost."))


def test_a_single_column_is_not_spoken_of_as_many():
    schema = TableSchema((Column("x", "continuous"), Column("k", "categorical", levels=("a",))))

    def one(seed):
        return pa.table({"x": np.random.default_rng(seed).normal(size=1000), "k": ["a"] * 1000})

    notes = [row.note for row in rows(one(1), one(2), one(3), schema).values()]
    assert "1 category over 1 column." in notes
    assert any(note.startswith("Over 1 column; the interval") for note in notes)


def test_what_is_thin_or_invented_is_listed(real):
    made, _ = sections(*real, shuffled(mixed(N, 3), 0))
    titles = [d.title for s in made for d in s.details]
    for start in ("At other", "Tails", "Rows in two tails", "Pairs that occur", "Pairs that no"):
        assert any(title.startswith(start) for title in titles), start
    (invented,) = [d for s in made for d in s.details if d.title.startswith("Pairs that no")]
    assert all(": " in line[0] and line[1] > 0 for line in invented.lines)


def test_dates_are_told_as_dates(real):
    made, _ = sections(*real, shuffled(mixed(N, 3), 0))
    texts = [str(x) for s in made for d in s.details for line in d.lines for x in line]
    tails = [x for x in texts if x.startswith(("day <", "day >"))]
    bins = [x for x in texts if "day: " in x]
    assert tails
    assert bins
    assert all(" 20" in x and "e+0" not in x for x in tails + bins)


def test_the_same_seed_gives_the_same_rows(real, fresh):
    assert rows(*real, mixed(N, 3)) == fresh


UGLY = "<script>alert('x')</script> \"😀\" " + 170 * "n"


def ugly(n, seed):
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            UGLY: rng.choice([-1e300, 0.0, 1e300, 5e-324], n),
            "gap": pa.nulls(n, pa.float64()),
            "same": [3.0] * n,
            "level": pa.array([f"<b>{seed}</b>" if k % 3 else "both" for k in range(n)]),
            "none": pa.nulls(n, pa.string()),
            "class": ["one"] * n,
        }
    )


UGLY_SCHEMA = TableSchema(
    (
        Column(UGLY, "continuous", nullable=True),
        Column("gap", "continuous", nullable=True),
        Column("same", "continuous"),
        Column("level", "categorical", nullable=True, levels=("both",)),
        Column("none", "categorical", nullable=True, levels=("a",)),
        Column("class", "categorical", role="target", levels=("one",)),
    )
)


@pytest.mark.parametrize("n", [1, 2, 5, 12, 60, 700])
def test_ugly_data_are_judged_or_left_out(n):
    made, remarks = sections(ugly(n, 1), ugly(n + 3, 2), ugly(n, 3), UGLY_SCHEMA)
    for section in made:
        for row in section.rows:
            assert np.isfinite([row.value, row.ceiling, row.independent, row.copies]).all()
    assert n >= 700 or any("Tails were skipped" in remark for remark in remarks)


@pytest.mark.parametrize("kept", [["size"], ["colour"], ["day"], ["colour", "sold"], ["id"]])
def test_tables_without_some_kind_of_column_work(kept):
    schema = TableSchema(tuple(SCHEMA[name] for name in kept))
    tables = (mixed(400, k).select(kept) for k in (1, 2, 3))
    found = rows(*tables, schema=schema)
    assert all(np.isfinite(row.value) for row in found.values())
    assert {r.metric: verdict(r) for r in found.values() if r.headline and r.gap() > 0.25} == {}


@pytest.fixture(scope="module")
def adult():
    folder = os.environ.get("GENMODELS_DATA")
    if not folder:
        pytest.skip("GENMODELS_DATA is not set")
    files = [Path(folder) / "tables" / f"adult_{part}.csv.gz" for part in ("train", "test")]
    if not all(file.exists() for file in files):
        pytest.skip(f"no Adult data in {folder}")
    options = csv.ConvertOptions(strings_can_be_null=True)
    tables = [csv.read_csv(file, convert_options=options) for file in files]
    schema = infer_schema(tables[0], target="income")
    train, test = (apply_schema(t, schema, strict=False, meaningless="missing") for t in tables)
    half = len(test) // 2
    return train, test.slice(0, half), test.slice(half), schema


@pytest.mark.data
def test_held_out_rows_of_adult_are_level(adult):
    train, holdout, fresh, schema = adult
    found = rows(train, holdout, fresh, schema=schema)
    assert {r.metric: verdict(r) for r in found.values() if r.headline and r.gap() > 0.1} == {}


@pytest.mark.data
def test_independent_columns_of_adult_fail(adult):
    train, holdout, _, schema = adult
    found = rows(train, holdout, shuffled(train, 0), schema=schema)
    for start in ("coverage, k = 5", "rows in thin", "rows with rare", "pairs of values that occur "
                  "at least", "triples of values that occur at least"):  # fmt: skip
        assert named(found, start).gap() > 0.75, start
