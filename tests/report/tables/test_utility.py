import io

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from genmodels.metrics.intervals import wilson
from genmodels.metrics.learning.scores import METRICS
from genmodels.metrics.learning.trials import Outcome
from genmodels.report.tables.parts import Parts
from genmodels.report.tables.utility import utility
from genmodels.report.tables.utility_details import rank_correlation
from genmodels.report.tables.utility_study import ARMS, LABELS
from genmodels.schema import Column, TableSchema
from tests.metrics.simulated import SCHEMA, mixed, shuffled

LEARNERS = {"logistic", "forest", "boosting"}
EVIL = "<script>alert('ü')</script>\"😀" + "x" * 172


def section(train, holdout, synthetic, schema=SCHEMA, target="sold", asked=False, **sizes):
    parts = Parts.prepare(train, holdout, synthetic, schema, rows=2000, seed=0)
    remarks = []
    sizes = {"rows": 800, "slow_rows": 200, "runs": 2} | sizes
    found = utility(parts, target=target, asked=asked, remarks=remarks, **sizes)
    return found, remarks


@pytest.fixture(scope="module")
def real():
    return mixed(900, 1), mixed(900, 2)


@pytest.fixture(scope="module")
def fresh(real):
    return section(*real, mixed(900, 3), runs=3)[0]


def named(found, start):
    """The first row whose name starts so."""
    return next(r for r in found.rows if r.metric.startswith(start))


def test_fresh_real_rows_are_level_with_real_rows(fresh):
    for row in fresh.rows:
        if row.headline:
            assert row.gap() == 0
        assert row.interval[0] <= row.value <= row.interval[1]
    assert [r.metric.split(" for ")[0] for r in fresh.rows][:5] == [
        m.name for m in METRICS["binary"]
    ]
    assert "does about as well as one trained on real rows" in fresh.text
    assert sum(row.headline for row in fresh.rows) == 1


def test_independent_columns_lose_and_the_text_says_how_many_points(real):
    found, _ = section(*real, shuffled(mixed(900, 3), 0), target="cost", runs=3)
    row = named(found, "R2")
    assert row.value < 0.1
    assert row.gap() > 0.3
    points = 100 * (row.ceiling - row.value)
    assert f"loses {points:.1f} points of R2" in found.text
    assert named(found, "R2 for 'cost', trained on real").value < 0.1


def test_models_that_jump_about_are_undecided_and_not_as_good(real):
    found, _ = section(*real, shuffled(mixed(900, 3), 0), runs=2)
    row = named(found, "AUC")
    assert row.value < 0.7 < row.ceiling < row.interval[1]
    assert "It is undecided whether a model trained on this data is worse" in found.text
    assert "about as well" not in found.text


def test_a_loss_that_rounds_to_nothing_has_no_sign(real, monkeypatch):
    rng = np.random.default_rng(0)
    made, as_real = (
        Outcome(np.full(2, mean), mean + 0.01 * rng.normal(size=100), 0.5) for mean in (0.8004, 0.8)
    )
    monkeypatch.setattr("genmodels.report.tables.utility._as_real", lambda *_: (made, as_real))
    found, _ = section(*real, mixed(300, 3), rows=300)
    assert "a loss of 0.0 points" in found.text


def unpredictable(n, seed):
    rng = np.random.default_rng([n, seed])
    return pa.table({"x": rng.normal(size=n), "y": rng.choice(["a", "b"], n)})


NOISE = TableSchema((Column("x", "continuous"), Column("y", "categorical", levels=("a", "b"))))


def test_a_target_that_nothing_can_be_learnt_of_decides_nothing():
    found, _ = section(*(unpredictable(900, k) for k in range(3)), NOISE, "y")
    assert "Nothing is decided: real rows teach no more of 'y'" in found.text
    assert "about as well" not in found.text


@pytest.mark.parametrize("n", [30, 60, 300])
def test_models_that_say_the_same_of_every_row_have_an_interval_as_wide_as_a_share(n):
    x = np.ones(n)
    table = pa.table({"x": x, "y": np.tile(["a", "b"], n // 2)})
    found, _ = section(table, table, table, NOISE, "y")
    row = named(found, "AUC")
    assert row.value == 0.5
    assert row.interval == pytest.approx(wilson(n / 4, n // 2), abs=1e-4)
    assert all(r.interval is None or r.interval[0] < r.interval[1] for r in found.rows)
    assert named(found, "change").interval is None


@pytest.mark.parametrize(
    ("n", "of_b", "says"), [(29, 14, "29 held-out rows have"), (60, 4, "no two cl")]
)
def test_too_few_rows_to_test_on_are_a_remark(n, of_b, says):
    train = unpredictable(200, 0)
    few = pa.table({"x": np.arange(n) * 1.0, "y": ["b"] * of_b + ["a"] * (n - of_b)})
    found, remarks = section(train, few, train, NOISE, "y", asked=True)
    assert found is None
    assert says in remarks[0]
    enough = pa.table({"x": np.arange(30) * 1.0, "y": ["b"] * 5 + ["a"] * 25})
    assert section(train, enough, train, NOISE, "y")[0] is not None


def test_copies_are_no_evidence_that_synthetic_rows_help(real):
    found, _ = section(*real, real[0], runs=3)
    assert "no evidence that it helps" in found.text or "it harms" in found.text
    assert named(found, "change of AUC").ceiling == 0


def test_wrong_answers_harm_when_they_are_added(real):
    made = mixed(900, 3)
    wrong = pa.array(np.where(np.asarray(made["sold"]) == "yes", "no", "yes"))
    found, _ = section(*real, made.set_column(5, "sold", wrong), runs=3)
    assert "it harms" in found.text
    assert named(found, "AUC").value < 0.2


def test_a_mix_holds_all_real_rows_and_at_most_four_fifths_of_the_others(real):
    found, _ = section(*real, mixed(300, 3), rows=5000)
    (lines,) = [d for d in found.details if d.title.startswith("Real and synthetic")]
    assert {line[:3] for line in lines.lines} == {
        (name, 900, added) for name in ("logistic", "boosting") for added in (240,)
    }
    assert "Adding 240 synthetic rows to 900 real ones" in found.text
    assert "from 240 synthetic rows, and others from as many real ones" in found.text


def test_every_learner_and_arm_is_listed_with_its_spread(fresh):
    (lines,) = [d for d in fresh.details if d.title.startswith("Every learner")]
    assert {line[:2] for line in lines.lines} == {(x, LABELS[a]) for x in LEARNERS for a in ARMS}
    assert {line[2] for line in lines.lines if line[0] == "forest"} == {200}
    assert all(" ± " in cell for line in lines.lines for cell in line[3:])


def test_calibration_and_the_columns_used_are_shown(fresh):
    (picture,) = fresh.pictures
    assert Image.open(io.BytesIO(picture.png)).size[0] > 200
    (lines,) = [d for d in fresh.details if d.title.startswith("Calibration")]
    slopes = {line[0]: line[2] for line in lines.lines}
    assert 0.4 < slopes["real rows"] < 1.6
    (used,) = [d for d in fresh.details if d.title.startswith("Fall of AUC")]
    assert used.lines[0][0] == "size"
    assert rank_correlation(np.arange(4.0), np.array([1.0, 2, 4, 3])) == pytest.approx(0.8)
    assert rank_correlation(np.ones(3), np.arange(3.0)) == 0


@pytest.mark.parametrize(("target", "kind"), [("colour", "multiclass"), ("cost", "regression")])
def test_other_kinds_of_target_have_their_scores(real, target, kind):
    found, _ = section(*real, mixed(900, 3), target=target)
    names = [r.metric.split(" for ")[0] for r in found.rows]
    assert names[: len(METRICS[kind])] == [m.name for m in METRICS[kind]]
    assert found.rows[0].gap() == 0


def test_the_same_seed_gives_the_same_figures(real):
    first, second = (section(*real, mixed(900, 3))[0] for _ in "ab")
    assert (first.rows, first.text) == (second.rows, second.text)


def test_a_single_class_is_an_error_when_asked_for_and_a_remark_otherwise(real):
    same = real[0].filter(pa.compute.equal(real[0]["sold"].cast(pa.string()), "no"))
    found, remarks = section(same, real[1], real[0])
    assert found is None
    assert "single value" in remarks[0]
    with pytest.raises(ValueError, match="single value"):
        section(same, real[1], real[0], asked=True)
    found, remarks = section(real[0], same, real[0], asked=True)
    assert found is None
    assert "held-out rows have a single value of 'sold'" in remarks[0]


def test_synthetic_rows_that_lack_a_class_or_all_answers_are_judged(real):
    only = real[0].filter(pa.compute.equal(real[0]["sold"].cast(pa.string()), "no"))
    assert named(section(*real, only)[0], "AUC").value == 0.5
    gone = real[0].set_column(5, "sold", pa.nulls(900, pa.string()))
    found, remarks = section(*real, gone)
    assert named(found, "AUC").value == pytest.approx(0.5, abs=0.02)
    assert "has learnt nothing" in remarks[0]
    lost = pa.array(np.full(900, "blue"))
    assert section(*real, real[0].set_column(3, "colour", lost), target="colour")[0] is not None


def evil(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    wild = np.where(rng.random(n) < 0.1, 1e300, -1e300)
    return pa.table(
        {
            EVIL: np.where(x > 0, EVIL, "ü$" if seed < 3 else EVIL[:50]),
            "wild": wild,
            "gap": pa.nulls(n, pa.float64()),
            "same": np.full(n, 7.0),
            "many": [f"{seed} {k}" for k in rng.integers(0, 45, n)],
            "two": pa.array((x > 0.5).astype(int), mask=rng.random(n) < 0.3),
        }
    )


SCHEMA_OF_EVIL = TableSchema(
    (
        Column(EVIL, "categorical", levels=(EVIL, "ü$")),
        Column("wild", "continuous"),
        Column("gap", "continuous", nullable=True),
        Column("same", "continuous"),
        Column("many", "categorical", levels=("a",)),
        Column("two", "integer", nullable=True),
    )
)


@pytest.mark.parametrize("target", [EVIL, "wild", "many", "two"])
@pytest.mark.parametrize("sizes", [(60, 20, 5), (5, 5, 5), (2, 2, 1), (40, 2, 40)])
def test_ugly_data_have_a_section_or_a_remark(target, sizes):
    tables = [evil(n, seed) for seed, n in enumerate(sizes, 1)]
    found, remarks = section(*tables, SCHEMA_OF_EVIL, target)
    assert found is not None or remarks
    if found is not None:
        assert all(r.interval is None or r.interval[0] <= r.interval[1] for r in found.rows)


def test_a_target_without_any_feature_but_itself_has_figures():
    schema = TableSchema((Column("a", "continuous", nullable=True), Column("b", "integer")))
    table = pa.table({"a": pa.nulls(30, pa.float64()), "b": np.arange(30) % 2})
    found, _ = section(table, table, table, schema, "b")
    assert named(found, "AUC").value == pytest.approx(0.5, abs=0.05)
