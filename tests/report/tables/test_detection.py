import pyarrow.compute as pc
import pytest

from genmodels.report.page.summary import verdict
from genmodels.report.tables.detection import detection
from genmodels.report.tables.parts import Parts
from tests.metrics.simulated import SCHEMA, mixed, shuffled


def judge(synthetic):
    parts = Parts.prepare(mixed(900, 1), mixed(900, 2), synthetic, SCHEMA, rows=900, seed=0)
    return detection(parts, rows=900, folds=3, remarks=[])


@pytest.fixture(scope="module")
def found():
    return judge(shuffled(mixed(900, 3), 0))


def test_the_strong_classifier_sees_independent_columns_and_the_weak_one_passes_them(found):
    strong, weak = found.rows
    assert strong.value > 0.85
    assert strong.independent == pytest.approx(strong.value, abs=0.05)
    assert weak.interval[0] <= 0.5
    assert strong.headline
    assert not weak.headline


def test_each_row_has_its_four_points_and_an_interval(found):
    for row in found.rows:
        assert None not in (row.ceiling, row.independent, row.copies)
        assert row.interval[0] <= row.value <= row.interval[1]
        assert abs(row.ceiling - 0.5) < 0.06


def test_what_gives_the_rows_away_is_listed_first(found):
    (detail,) = found.details
    assert {"size", "cost", "visits", "day", "colour", "sold"} < {line[0] for line in detail.lines}
    told = [max(line[1] - 0.5, line[2]) for line in detail.lines]
    assert told == sorted(told, reverse=True)
    assert told[0] > 0.02


def test_fresh_rows_cannot_be_told_apart():
    for row in judge(mixed(900, 4)).rows:
        assert verdict(row) == "level with held-out real data"
        assert row.interval[0] <= 0.5 <= row.interval[1]


def test_too_few_rows_leave_the_section_out_and_say_so():
    parts = Parts.prepare(mixed(900, 1), mixed(900, 2), mixed(49, 3), SCHEMA, rows=900, seed=0)
    remarks = []
    assert detection(parts, rows=900, folds=3, remarks=remarks) is None
    assert "needs 50" in remarks[0]
    assert "49" in remarks[0]


def test_few_rows_say_what_they_would_overlook():
    parts = Parts.prepare(mixed(900, 1), mixed(900, 2), mixed(60, 3), SCHEMA, rows=900, seed=0)
    strong = detection(parts, rows=900, folds=3, remarks=[]).rows[0]
    assert strong.interval[1] > 0.6
    assert "overlook" in strong.note


def test_an_area_of_one_has_an_interval_of_some_width():
    made = mixed(300, 3)
    at = made.column_names.index("size")
    made = made.set_column(at, "size", pc.add(made["size"], 1e6))
    strong = judge(made).rows[0]
    assert strong.value > 0.99
    assert strong.interval[1] - strong.interval[0] > 3.8 / 304
