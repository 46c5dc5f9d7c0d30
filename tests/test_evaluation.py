import pytest

import genmodels
from tests.metrics.simulated import SCHEMA, mixed
from tests.tasks.test_evaluate import FAST


@pytest.fixture
def frames():
    return {
        name: mixed(300, seed).to_pandas()
        for name, seed in (("real", 1), ("holdout", 2), ("synthetic", 3))
    }


def test_frames_in_memory_are_judged_without_a_file(frames, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = genmodels.evaluate(**frames, target="sold", overrides=FAST)
    assert {"fidelity", "utility", "memorisation"} <= {row.axis for row in report.rows}
    assert list(tmp_path.iterdir()) == []


def test_the_report_goes_where_it_is_wanted(frames, tmp_path):
    genmodels.evaluate(**frames, schema=SCHEMA, out=tmp_path / "here", overrides=FAST)
    assert (tmp_path / "here" / "report.html").is_file()


def test_what_was_seen_is_no_holdout(frames):
    frames["holdout"] = frames["real"]
    with pytest.raises(ValueError, match="can judge nothing"):
        genmodels.evaluate(**frames, overrides=FAST)


def test_other_types_are_refused_by_name(frames):
    frames["real"] = {"a": [1]}
    with pytest.raises(TypeError, match="real needs a pandas DataFrame"):
        genmodels.evaluate(**frames)
