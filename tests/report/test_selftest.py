from rich.console import Console

from genmodels.metrics.planted import Failure, World
from genmodels.report.rows import Report, Row, Section
from genmodels.report.selftest import LEAK, judge


def suite(train, holdout, synthetic, schema, *, target, seed, progress):
    """A report whose one figure is the synthetic data themselves."""
    row = Row("fidelity", "error", synthetic, 0.0, 1.0, None, "lower", 10, seed)
    remarks = ("1 of 10 held-out rows are in the training data",) if train else ()
    return Report("t", {}, (Section("s", "", (row,)),), remarks)


def matrix(*failures, fresh=0.0):
    worlds = [World(False, None, fresh)]
    return judge("T", suite, None, worlds, failures, seed=0, progress=lambda _: None)


def test_a_failure_that_its_figure_sees_is_caught():
    found = matrix(Failure("broken", lambda w, s: World(False, None, 0.9), ("err",)))
    assert found.passed
    assert [line.signs["error"] for line in found.lines] == [0, 2]


def test_a_failure_that_nobody_sees_is_told_with_the_figure_that_missed_it():
    found = matrix(Failure("broken", lambda w, s: World(False, None, 0.1), ("err", "other")))
    assert not found.passed
    assert found.lines[1].missed == ("err", "other")
    assert "**NO**" in found.markdown()
    assert found.state()["cases"][1]["missed_by"] == ["err", "other"]


def test_a_false_alarm_on_fresh_data_fails_the_test():
    found = matrix(fresh=0.8)
    assert found.lines[0].alarms == ("error",)
    assert not found.passed


def test_a_remark_on_leaked_rows_counts_as_seen():
    found = matrix(Failure("leak", lambda w, s: World(True, None, 0.0), (LEAK,)))
    assert found.passed


def test_the_matrix_fits_a_terminal():
    console = Console(width=80, record=True)
    console.print(
        matrix(Failure("broken", lambda w, s: World(False, None, 1.0), ("err",))).terminal()
    )
    text = console.export_text()
    assert "[✗]" in text
    assert "2  broken" in text
