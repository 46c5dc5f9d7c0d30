import json
import logging
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import torch

from genmodels.layout import Condition, ConditionGroup
from genmodels.schema import Column, TableSchema
from genmodels.tasks import generators
from genmodels.tasks.benchmark import benchmark, run
from genmodels.tasks.compose import compose
from tests.tasks.small import TINY

FAST = [*TINY[:1], *TINY[2:], "batching.batch_size=50", "trainer.max_epochs=2", "repeats=3",
        "learners=[logistic]"]  # fmt: skip
GIVEN = ["model=tabvae", "trainer.accelerator=cpu", "trainer.max_epochs=1",
         "batching.batch_size=50", "batching.updates_per_epoch=5", "model.network.hidden=16",
         "logger=none"]  # fmt: skip


def write_patients(path, rows=150, seed=0):
    rng = np.random.default_rng(seed)
    lines = ["age,ward,score,ill"]
    for _ in range(rows):
        age, ward = rng.integers(20, 90), rng.choice(["a", "b", "c"])
        ill = "yes" if rng.random() < (0.6 if age > 75 else 0.05) else "no"
        score = "" if rng.random() < 0.1 else f"{rng.normal(age, 10):.2f}"
        lines.append(f"{age},{ward},{score},{ill}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def cfg_of(tmp_path, *more, target="ill"):
    path = tmp_path / "patients.csv"
    if not path.exists():
        write_patients(path)
    words = [f"data.path={path}", f"out={tmp_path / 'out'}", *FAST, *more]
    return compose("benchmark", words + ([f"target={target}"] if target else []))


def test_a_trained_generator_is_benchmarked_and_only_the_report_is_left(tmp_path):
    report, paths = benchmark(cfg_of(tmp_path))
    assert [p.name for p in paths] == ["report.json", "report.md", "report.html"]
    left = sorted(p.name for p in (tmp_path / "out").rglob("*"))
    assert left == ["report.html", "report.json", "report.md", "results.jsonl"]
    told = json.loads(paths[0].read_text())
    assert told["facts"]["generator"] == "tvae"
    assert told["facts"]["decided by"] in ("average precision", "AUC")
    assert told["summary"] == [report.answer]


def test_a_conditional_model_is_told_the_rare_class(tmp_path, monkeypatch):
    told = []
    before = generators.Trained.of_level

    def spy(self, target, level, n, *, seed):
        made = before(self, target, level, n, seed=seed)
        told.append((target, level, made is not None and made[target].unique().to_pylist()))
        return made

    monkeypatch.setattr(generators.Trained, "of_level", spy)
    benchmark(cfg_of(tmp_path, "condition=target"))
    assert told == [("ill", "yes", ["yes"])] * 3


@pytest.mark.parametrize(("no", "yes"), [("no", "yes"), ("0", "1")])
def test_a_model_that_takes_evidence_is_given_the_rare_class(tmp_path, monkeypatch, no, yes):
    made, before = [], generators.Trained.of_level

    def spy(self, target, level, n, *, seed):
        rows = before(self, target, level, n, seed=seed)
        made.append((rows.num_rows == n, rows[target].unique().to_pylist()))
        return rows

    monkeypatch.setattr(generators.Trained, "of_level", spy)
    path = write_patients(tmp_path / "patients.csv")
    path.write_text(path.read_text().replace(",no\n", f",{no}\n").replace(",yes\n", f",{yes}\n"))
    words = [f"data.path={path}", f"out={tmp_path / 'out'}", "target=ill", "repeats=3",
             "learners=[logistic]", *GIVEN]  # fmt: skip
    benchmark(compose("benchmark", words))
    assert made == [(True, [yes if yes == "yes" else True])] * 3


def test_a_level_that_the_training_rows_lack_is_not_asked_for(monkeypatch):
    monkeypatch.delattr(generators, "build_sampler")
    monkeypatch.setattr(generators, "takes_evidence", lambda model: True)
    schema = TableSchema((Column("ill", "categorical", levels=("no", "yes")),
                          Column("age", "continuous")))  # fmt: skip
    model = generators.Trained(SimpleNamespace(model=None, schema=schema))
    assert model.of_level("ill", "maybe", 3, seed=0) is None
    assert model.of_level("age", "3", 3, seed=0) is None


def told_model(*groups):
    model = SimpleNamespace(condition=Condition(groups), device=torch.device("cpu"))
    return generators.Trained(SimpleNamespace(model=model))


def test_a_model_that_cannot_be_told_this_is_not_asked(monkeypatch):
    monkeypatch.delattr(generators, "build_sampler")
    ill = ConditionGroup("ill", (0.9, 0.1), ("no", "yes"))
    assert told_model().of_level("ill", "yes", 3, seed=0) is None
    assert told_model(ill).of_level("ward", "a", 3, seed=0) is None
    assert told_model(ill).of_level("ill", "maybe", 3, seed=0) is None


@pytest.mark.parametrize("name", ["ill", "ill.level"])
def test_what_goes_wrong_while_sampling_is_not_taken_for_that(monkeypatch, name):
    def broken(*args, **kwargs):
        raise ValueError("something else")

    monkeypatch.setattr(generators, "build_sampler", broken)
    model = told_model(ConditionGroup(name, (0.9, 0.1), ("no", "yes")))
    with pytest.raises(ValueError, match="something else"):
        model.of_level("ill", "yes", 3, seed=0)


def test_what_is_done_is_not_done_again(tmp_path, monkeypatch):
    first, _ = benchmark(cfg_of(tmp_path))

    def refuse(*args, **kwargs):
        raise AssertionError("a generator was trained again")

    monkeypatch.setattr(generators, "learn", refuse)
    again, _ = benchmark(cfg_of(tmp_path, f"out={tmp_path / 'out'}"))
    assert again.answer == first.answer
    with pytest.raises(ValueError, match=r"other settings \(test_share\)"):
        benchmark(cfg_of(tmp_path, "test_share=0.4"))
    with pytest.raises(AssertionError, match="trained again"):
        benchmark(cfg_of(tmp_path, "test_share=0.4", "overwrite=true"))


def test_a_run_per_split_is_kept_when_asked(tmp_path):
    benchmark(cfg_of(tmp_path, "keep_runs=true", "learning_curve=[60]"))
    kept = sorted(p.name for p in (tmp_path / "out" / "runs").iterdir())
    assert kept == [f"split-{k}-rows-{n}" for k in (1, 2, 3) for n in ("60", "all")]


def test_the_generator_is_trained_on_the_training_rows_alone(tmp_path, monkeypatch):
    seen, before = [], generators.learn

    def spy(cfg, *, source):
        seen.append((source.load().num_rows, cfg.data.holdout, cfg.seed))
        return before(cfg, source=source)

    monkeypatch.setattr(generators, "learn", spy)
    report, _ = benchmark(cfg_of(tmp_path, "test_share=0.3"))
    splits = report.sections[-1].details[1].lines
    assert [n for n, _, _ in seen] == [line[1] for line in splits]
    assert all(abs(n - 105) <= 1 for n, _, _ in seen)
    assert [holdout for _, holdout, _ in seen] == [0.0] * 3
    assert len({seed for _, _, seed in seen}) == 3


@pytest.mark.parametrize("generator", ["bootstrap", "independent"])
def test_stand_ins_need_no_training(tmp_path, monkeypatch, generator):
    monkeypatch.delattr(generators, "learn")
    report, _ = benchmark(cfg_of(tmp_path, f"generator={generator}"))
    assert report.facts["generator"] == generator
    assert "no evidence" in report.answer or "harms" in report.answer


def test_a_numeric_target_has_the_arms_that_it_can_have(tmp_path):
    report, _ = benchmark(cfg_of(tmp_path, "generator=bootstrap", target="score"))
    arms = [line[0] for line in report.sections[-1].details[0].lines]
    assert arms == ["real rows", "synthetic only", "real + 0.5 synthetic", "real + 1 synthetic"]
    assert any("without a value of the target are left out" in text for text in report.remarks)


def test_run_prints_the_answer_and_where_to_read_more(tmp_path, capsys, caplog):
    caplog.set_level(logging.INFO, "genmodels")
    assert run(cfg_of(tmp_path, "generator=bootstrap")) == 0
    assert "synthetic data helps here" in " ".join(capsys.readouterr().out.split())
    assert "report.html" in caplog.text


def test_an_interruption_says_how_to_go_on(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "genmodels")

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("genmodels.report.benchmark.runs.try_arm", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(cfg_of(tmp_path, "generator=bootstrap"))
    assert "the same command goes on" in caplog.text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run=runs/x"], "leave out run="),
        (["generator=magic"], "generator must be one of trained, bootstrap, independent"),
        (["learners=logistic"], "learners must be a list"),
        (["repeats=1"], "repeats must be a whole number"),
        (["split_by=nobody"], "split_by='nobody' is not in the data"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(tmp_path, words, message):
    with pytest.raises(ValueError, match=message):
        benchmark(cfg_of(tmp_path, *words))
    assert not (tmp_path / "out" / "results.jsonl").exists()


def test_without_a_target_the_names_are_told(tmp_path):
    with pytest.raises(ValueError, match=r"target=<name>, one of 'age', 'ward', 'score', 'ill'"):
        benchmark(cfg_of(tmp_path, target=None))


def test_pictures_are_refused_in_one_line(tmp_path):
    cfg = compose("benchmark", ["data=digits", "model=conv_vae", f"out={tmp_path / 'out'}"])
    with pytest.raises(ValueError, match="predicts a target from other values, but data=digits"):
        benchmark(cfg)


def test_few_rows_keep_the_kinds_that_all_rows_have():
    schema = TableSchema(
        (Column("flag", "categorical", levels=(0, 1)), Column("gone", "continuous", nullable=True),
         Column("unit", "constant", value="EUR"))
    )  # fmt: skip
    rows = pa.table({"flag": [0, 1], "gone": pa.array([None, None], pa.float64()),
                     "unit": ["EUR", "EUR"]})  # fmt: skip
    assert generators._kinds(schema, rows) == {"flag": "categorical"}
