import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from genmodels.report.benchmark.conclusion import conclude
from genmodels.report.benchmark.log import TrialLog
from genmodels.report.benchmark.plan import Trials
from genmodels.report.benchmark.results import benchmark_report
from genmodels.report.benchmark.runs import run_trials
from genmodels.report.page.render import print_report, to_json, to_markdown, write_report
from tests.report.benchmarked import SCHEMA, bootstrap, lies, plan, world


def report_of(fit, *, rows=None, target="ill", schema=SCHEMA, **changed):
    trials = Trials.prepare(
        world(300, 0) if rows is None else rows, schema, target, plan(**changed)
    )
    records = run_trials(trials, fit, TrialLog(None, {}), progress=lambda text: None)
    found = conclude(trials, records)
    return benchmark_report(trials, found, {"generator": "x"}), trials, found


def test_the_answer_is_the_first_thing_said_in_every_form(tmp_path):
    report, _, (found,) = report_of(lies, learners=("boosting",), repeats=8)
    assert report.answer.startswith("Synthetic data harms here: ")
    assert f"{found.judgement.difference:+.2g}" in report.answer
    json_path, md_path, html_path = write_report(report, tmp_path)
    told = json.loads(json_path.read_text())
    assert (told["summary"], told["axes"]) == ([report.answer], [])
    assert "Synthetic data harms here" in md_path.read_text().splitlines()[2]
    page = html_path.read_text()
    assert page.index("Synthetic data harms here") < page.index("<nav>")
    assert "not tested" not in page
    assert "held-out real" not in page
    console = Console(file=StringIO(), width=10_000)
    print_report(report, console)
    shown = console.file.getvalue()
    assert shown.startswith(report.answer)
    assert "not tested" not in shown


def test_every_arm_and_learner_stands_with_its_scores_and_verdict():
    report, trials, (found,) = report_of(bootstrap, learners=("logistic", "boosting"), repeats=3)
    answer, scores = report.sections[0].details[0], report.sections[1].details[0]
    assert len(scores.lines) == len(trials.arms) * 2
    assert set(scores.headers) >= {"AUC", "average precision", "F1", "Brier score",
                                   "calibration error"}  # fmt: skip
    verdicts = {(line[0], line[1]): line[-1] for line in answer.lines}
    assert verdicts == {(f.arm, f.learner): f.within.verdict for f in found.findings if f.synthetic}
    for line in answer.lines:
        assert line[4] <= line[3] <= line[5]
    assert report.sections[0].pictures[0].png.startswith(b"\x89PNG")


def test_an_arm_that_the_score_cannot_tell_apart_is_named_and_its_f1_shown():
    report, _, (found,) = report_of(bootstrap, repeats=3)
    assert "tuned threshold equals real rows there" in report.sections[0].text
    assert "tuned threshold" in [line[0] for line in report.sections[1].details[0].lines]
    assert found.best(synthetic=False).arm != "tuned threshold"
    numbers, _, _ = report_of(bootstrap, target="a", repeats=3)
    assert "threshold" not in numbers.sections[0].text


def test_the_protocol_tells_how_and_proves_the_splits():
    report, trials, _ = report_of(bootstrap)
    protocol = report.sections[-1]
    assert "never sees a test row" in protocol.text
    assert "Nadeau and Bengio" in protocol.text
    assert [line[:3] for line in protocol.details[1].lines] == [
        (k + 1, len(s.train), len(s.test)) for k, s in enumerate(trials.splits)
    ]
    later = report_of(bootstrap, time="a")[0].sections[-1].text
    assert "has a later a than all that is learnt from" in later


def test_a_learning_curve_has_a_verdict_and_a_point_per_size():
    report, _, found = report_of(bootstrap, sizes=(40, 100, None))
    few = report.sections[1]
    assert few.title == "Few real rows"
    assert [line[0] for line in few.details[0].lines] == [40, 100, 240]
    assert [line[-1] for line in few.details[0].lines] == [f.verdict for f in found]
    assert few.pictures[0].png.startswith(b"\x89PNG")


def test_names_are_data():
    name = "<script>alert('1')</script> $x_1$ " + "é🙂" * 60
    rows = world(200, 0).rename_columns([name, *SCHEMA.names[1:]])
    from genmodels.schema import Column, TableSchema

    schema = TableSchema((Column(name, "continuous", role="target"), *SCHEMA.columns[1:5],
                          Column("ill", "categorical", levels=("no", "yes"))))  # fmt: skip
    report, _, _ = report_of(bootstrap, rows=rows, target=name, schema=schema, repeats=3)
    assert "<script>" not in to_markdown(report)
    assert to_json(report)["facts"]["target"] == name


@pytest.mark.parametrize("rows", [12, 25])
def test_a_handful_of_rows_gives_no_evidence(rows):
    (found,) = report_of(bootstrap, rows=world(rows, 1), repeats=3)[2]
    assert found.verdict == "no evidence"


def test_the_committed_null_case_finds_no_evidence_in_38_of_40_worlds():
    path = Path(__file__).parents[3] / "scripts" / "benchmarks" / "results" / "null_case.json"
    found = json.loads(path.read_text())
    verdicts = [line["verdict"] for line in found["seeds"]]
    assert len(verdicts) == 40
    assert verdicts.count("no evidence") == found["verdicts"]["no evidence"] >= 38
