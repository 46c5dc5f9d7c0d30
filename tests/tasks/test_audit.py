import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from genmodels.report.bias.audit import GATES
from genmodels.tasks.audit import audit, failures, run
from genmodels.tasks.compose import compose
from tests.metrics.bars import bars
from tests.metrics.people import people

FAST = [
    "learner=logistic",
    "kinds.table.audit.model_rows=600",
    "kinds.table.audit.proxy_rows=200",
    "kinds.table.audit.group_rows=200",
    "kinds.table.audit.nearest_rows=100",
    "kinds.table.audit.repeats=2",
]


def composed(*words):
    return compose("audit", [*FAST, *words])


@pytest.fixture
def tables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, seed in (("train", 1), ("test", 2), ("made", 3)):
        pa.csv.write_csv(people(700, seed).drop_columns(["id"]), f"{name}.csv")
    return tmp_path


WORDS = ["real=train.csv", "holdout=test.csv", "synthetic=made.csv", "target=hired"]


def test_files_are_enough_and_the_report_lies_beside_the_data(tables):
    report, paths = audit(composed(*WORDS, "sensitive=[sex,race]"))
    assert [p.parent for p in paths] == [tables / "made-audit"] * 3
    assert json.loads(paths[0].read_text())["facts"]["sensitive"] == "sex, race"
    assert {row.axis for row in report.rows} == {"bias"}


def test_one_name_edges_and_a_positive_level_are_understood(tables):
    words = ["sensitive=age", "edges={age:[30,50]}", "positive=no", "crossed=1"]
    report, _ = audit(composed(*WORDS, *words))
    assert report.facts["target"] == "hired = no"
    lines = [line[0] for d in report.sections[0].details for line in d.lines]
    assert lines == ["age<30", "age=30 to 49", "age>=50"]


def test_a_figure_above_the_limit_ends_in_3_and_is_named(tables, caplog):
    words = [*WORDS, "sensitive=[sex]", "fail_on=[equalised_odds_difference]"]
    with caplog.at_level("WARNING"):
        assert run(composed(*words, "fail_above=0.001")) == 3
    (line,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert line.startswith("failed: equalised_odds_difference is ")
    assert "fail_above=0.001" in line
    caplog.clear()
    with caplog.at_level("WARNING"):
        assert run(composed(*words, "fail_above=1.0")) == 0
        assert run(composed(*words)) == 0
    assert not caplog.records


def test_each_named_figure_can_decide(tables):
    report, _ = audit(composed(*WORDS, "sensitive=[sex]"))
    for gate in GATES:
        cfg = composed(*WORDS, "sensitive=[sex]", "fail_above=-1", f"fail_on=[{gate}]")
        assert len(failures(cfg, report)) == 1


def test_a_figure_that_was_not_computed_is_no_pass(tables):
    words = [w for w in WORDS if not w.startswith("target")]
    cfg = composed(*words, "sensitive=[sex]", "fail_above=0.5")
    report, _ = audit(cfg)
    with pytest.raises(ValueError, match="cannot pass"):
        failures(cfg, report)
    alone = composed(*words, "sensitive=[sex]", "fail_above=0.5", "fail_on=[representation]")
    assert failures(alone, report) == []


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["sensitive=[sexx]"], "did you mean 'sex'"),
        ([], "no sensitive column is known"),
        (["sensitive=[sex]", "fail_on=[equalized_odds]"], "did you mean equalised_odds"),
        (["sensitive=[sex]", "fail_above=much"], "fail_above must be a number"),
        (["sensitive=[sex]", "edges=[1,2]"], "edges={age:"),
        (["sensitive=[sex]", "minimum=5000"], "no two groups"),
        (["sensitive=[sex]", "synthetic=bars.npz"], "named attributes"),
        (["sensitive=[sex]", "learner=magic"], "learner"),
    ],
)
def test_mistakes_are_named_and_leave_nothing(tables, words, complaint):
    images = bars(30, 1)
    np.savez("bars.npz", images=images.pixels[:, 0], labels=images.labels)
    before = sorted(tables.iterdir())
    with pytest.raises(ValueError, match=complaint):
        audit(composed(*WORDS, *words))
    assert sorted(tables.iterdir()) == before
