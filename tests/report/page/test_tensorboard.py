"""A report in TensorBoard, read back with TensorBoard's own reader."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from genmodels.report.page.tensorboard import write_tensorboard
from genmodels.report.rows import Report, Section
from tests.report.made import NASTY, report, row

RUNS = {
    "synthetic": "value",
    "held-out": "ceiling",
    "independent": "independent",
    "copies": "copies",
}


def read(folder):
    return {name: EventAccumulator(str(folder / name)).Reload() for name in RUNS}


def test_each_data_set_is_a_run_and_each_figure_a_tag(tmp_path):
    figures = (row(0.25, copies=0.5, metric="error of a/b"), row(0.5, axis="utility", metric="AUC"))
    runs = read(write_tensorboard(Report("t", {}, (Section("s", "", figures),)), tmp_path / "tb"))
    tags = [
        f"evaluation/{f.axis}/{m} ↓" for f, m in zip(figures, ("error of a_b", "AUC"), strict=True)
    ]
    for name, point in RUNS.items():
        found = runs[name].Tags()["scalars"]
        for tag, figure in zip(tags, figures, strict=True):
            value = getattr(figure, point)
            assert (tag in found) == (value is not None)
            if value is not None:
                assert [e.value for e in runs[name].Scalars(tag)] == pytest.approx([value])


def test_the_simplest_generator_is_a_run_where_there_is_one(tmp_path):
    write_tensorboard(Report("t", {}, (Section("s", "", (row(0.75),)),)), tmp_path / "without")
    assert not (tmp_path / "without" / "gaussian").exists()
    made = Report("t", {}, (Section("s", "", (row(0.75, simple=0.5), row(0.3, metric="b"))),))
    events = EventAccumulator(str(write_tensorboard(made, tmp_path / "with") / "gaussian")).Reload()
    (tag,) = events.Tags()["scalars"]
    assert events.Scalars(tag)[0].value == 0.5


def test_a_second_evaluation_replaces_the_first_and_leaves_other_files_alone(tmp_path):
    folder = tmp_path / "evaluation"
    write_tensorboard(report(), folder)
    (folder / "synthetic" / "notes.txt").write_text("mine")
    write_tensorboard(Report("t", {}, (Section("s", "", (row(0.75),)),)), folder)
    made = read(folder)["synthetic"]
    assert made.Tags()["scalars"] == ["evaluation/fidelity/a figure ↓"]
    assert made.Tags()["images"] == []
    assert len(list(folder.rglob("events*"))) == len(RUNS)
    assert (folder / "synthetic" / "notes.txt").exists()


def test_pictures_and_the_summary_are_there_under_any_name(tmp_path):
    made = report(pictures=len(NASTY))
    found = read(write_tensorboard(made, tmp_path))["synthetic"].Tags()
    assert len(found["images"]) == len(NASTY) + 1
    assert found["tensors"] == ["evaluation/summary/text_summary"]
    assert len(found["scalars"]) == len(made.rows)
    assert all(len(tag) < 200 and not set(tag) & set("\x1b\n\u202e") for tag in found["scalars"])


def test_figures_of_one_name_stay_apart(tmp_path):
    twice = Report("t", {}, (Section("s", "", (row(0.1), row(0.2))),))
    found = read(write_tensorboard(twice, tmp_path))["synthetic"].Tags()["scalars"]
    assert found == ["evaluation/fidelity/a figure ↓", "evaluation/fidelity/a figure ↓ (2)"]
