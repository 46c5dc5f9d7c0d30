import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from genmodels.metrics.benchmark.stand_ins import Bootstrap
from genmodels.report.benchmark.conclusion import conclude
from genmodels.report.benchmark.log import Record, TrialLog
from genmodels.report.benchmark.plan import Trials
from genmodels.report.benchmark.runs import run_trials
from genmodels.schema import Column, TableSchema
from tests.report.benchmarked import SCHEMA, bootstrap, lies, plan, truth, world


def nothing(text):
    pass


def judged(trials, fit):
    return conclude(trials, run_trials(trials, fit, TrialLog(None, {}), progress=nothing))


def test_a_generator_that_knows_the_truth_helps_where_real_rows_are_few():
    few = {"repeats": 12, "test_share": 0.15, "learners": ("boosting",)}
    settings = plan(**few, ratios=(10.0,), sizes=(100,))
    (found,) = judged(Trials.prepare(world(2000, 0), SCHEMA, "ill", settings), truth)
    assert found.verdict == "helps"
    assert found.judgement.interval[0] > 0
    assert found.best(synthetic=True).arm == "real + 10 synthetic"


def test_flipped_labels_harm():
    settings = plan(repeats=6, learners=("boosting",), sizes=(200,))
    (found,) = judged(Trials.prepare(world(1000, 0), SCHEMA, "ill", settings), lies)
    assert found.verdict == "harms"
    assert found.judgement.interval[1] < 0


def test_rows_drawn_again_are_no_evidence():
    for seed in range(4):
        settings = plan(repeats=6, seed=seed, ratios=(0.5, 1.0))
        trials = Trials.prepare(world(300, seed, shift=4.0), SCHEMA, "ill", settings)
        assert [found.verdict for found in judged(trials, bootstrap)] == ["no evidence"]


def test_the_generator_sees_no_test_row_and_all_training_rows():
    rows = pa.concat_tables([world(200, 1)] * 2)  # every row twice
    trials, seen = Trials.prepare(rows, SCHEMA, "ill", plan(sizes=(50, None))), {}

    def spy(train, *, seed, name):
        seen[name] = set(train["a"].to_pylist())
        return Bootstrap(train)

    judged(trials, spy)
    values = np.array(rows["a"].to_pylist())
    assert len(seen) == 8
    for split in trials.splits:
        few, every = (seen[f"split-{split.number + 1}-rows-{n}"] for n in (50, "all"))
        assert not every & set(values[split.test])
        assert every == set(values[split.train])
        assert few < every
    assert any("repeat another row" in text for text in trials.remarks)


def test_a_second_call_does_only_what_is_missing_and_ends_the_same(tmp_path):
    trials = Trials.prepare(world(200, 2), SCHEMA, "ill", plan(repeats=3))
    whole = TrialLog(None, {})
    run_trials(trials, bootstrap, whole, progress=nothing)
    path, told = tmp_path / "results.jsonl", []

    def interrupt(text):
        told.append(text)
        if len(told) == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trials(trials, bootstrap, TrialLog(path, {"a": 1}), progress=interrupt)
    path.write_text(path.read_text() + '{"split": 1, "si')  # killed in the middle of a line
    log = TrialLog(path, {"a": 1})
    done = len(log.records)
    fitted = []

    def counting(train, *, seed, name):
        fitted.append(name)
        return Bootstrap(train)

    assert 0 < done < trials.models
    run_trials(trials, counting, log, progress=told.append)
    assert log.records == whole.records
    assert "split-1-rows-all" not in fitted
    assert f"of {trials.models} models, about" in told[-1]
    assert len(path.read_text().splitlines()) == trials.models + 1
    assert TrialLog(path, {"a": 1}).records == whole.records


def test_results_of_other_settings_are_refused(tmp_path):
    path = tmp_path / "results.jsonl"
    TrialLog(path, {"seed": 1, "model": "tvae"}).add(Record(0, None, "a", "b", 3, {"AUC": 0.5}))
    with pytest.raises(ValueError, match=r"other settings \(seed\)"):
        TrialLog(path, {"seed": 2, "model": "tvae"})
    for first in ("no json", "[1]", '{"settings": [1]}', '{"settings": null}', "{}"):
        for end in ("\n", ""):
            path.write_text(first + end)
            with pytest.raises(ValueError, match=r"results.jsonl, line 1, .*out=, or overwrite"):
                TrialLog(path, {"seed": 1, "model": "tvae"})


GOOD = {"split": 0, "size": None, "arm": "a", "learner": "b", "train_rows": 3,
        "scores": {"AUC": 0.5}}  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "[1]",
        "7",
        "null",
        '{"split": 0}',
        '{"split": 0, "si',
        json.dumps(GOOD | {"split": "0"}),
        json.dumps(GOOD | {"split": True}),
        json.dumps(GOOD | {"size": 1.5}),
        json.dumps(GOOD | {"train_rows": -1}),
        json.dumps(GOOD | {"arm": None}),
        json.dumps(GOOD | {"learner": ["b"]}),
        json.dumps(GOOD | {"scores": {}}),
        json.dumps(GOOD | {"scores": [0.5]}),
        json.dumps(GOOD | {"scores": {"AUC": None}}),
        json.dumps(GOOD | {"scores": {"AUC": float("nan")}}),
        json.dumps(GOOD | {"scores": {"F1": 0.5}}),
        json.dumps(GOOD | {"more": 1}),
        "\x00\x00",
    ],
)
def test_a_damaged_line_is_named_with_what_to_do(tmp_path, line):
    path = tmp_path / "results.jsonl"
    TrialLog(path, {}).add(Record(**GOOD))
    whole = path.read_text()
    path.write_text(whole + line + "\n" + json.dumps(GOOD) + "\n")
    with pytest.raises(ValueError, match=r"results.jsonl, line 3, is damaged .* remove that line"):
        TrialLog(path, {})
    path.write_text(whole + "\n" + json.dumps(GOOD) + "\n")  # the line removed, its end left
    assert list(TrialLog(path, {}).records.values()) == [Record(**GOOD)]


def test_bytes_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "results.jsonl"
    TrialLog(path, {})
    path.write_bytes(path.read_bytes() + b'{"split": "\xff\xfe"}\n')
    with pytest.raises(ValueError, match=r"line 2, is damaged"):
        TrialLog(path, {})


def test_a_torn_last_line_is_dropped_even_in_the_middle_of_a_letter(tmp_path, caplog):
    path = tmp_path / "results.jsonl"
    TrialLog(path, {}).add(Record(**GOOD))
    whole = path.read_bytes()
    path.write_bytes(whole + json.dumps({"arm": "é"}, ensure_ascii=False).encode()[:-3])
    with caplog.at_level("INFO", "genmodels"):
        assert list(TrialLog(path, {}).records.values()) == [Record(**GOOD)]
    assert "the last line is not whole" in caplog.text
    assert path.read_bytes() == whole


@pytest.mark.parametrize("kept", [0, 1, 9])
def test_a_file_that_ended_in_its_first_line_is_started_again(tmp_path, kept):
    path = tmp_path / "results.jsonl"
    TrialLog(path, {"a": 1})
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    assert not TrialLog(path, {"a": 1}).records
    assert path.read_bytes() == whole


def test_ends_of_lines_inside_texts_are_no_ends_of_records(tmp_path):
    path, name = tmp_path / "results.jsonl", "a\u2028b\u0085c\x0bd\r\ne"
    record = Record(0, None, name, "b", 3, {"AUC": 0.5})
    TrialLog(path, {name: name}).add(record)
    assert list(TrialLog(path, {name: name}).records.values()) == [record]


def test_results_without_the_deciding_score_are_refused_before_anything_is_fitted(tmp_path):
    path = tmp_path / "results.jsonl"
    TrialLog(path, {}).add(Record(**GOOD | {"scores": {"F1": 0.5}}))
    trials = Trials.prepare(world(60, 0), SCHEMA, "ill", plan(repeats=3))
    with pytest.raises(ValueError, match=r"results.jsonl holds results without AUC"):
        run_trials(trials, None, TrialLog(path, {}), progress=nothing)


def test_a_tuned_threshold_is_no_rival_by_a_score_of_the_order():
    settings = plan(repeats=4, learners=("logistic", "boosting"))
    trials = Trials.prepare(world(200, 6, shift=3.0), SCHEMA, "ill", settings)
    records = run_trials(trials, bootstrap, TrialLog(None, {}), progress=nothing)
    (found,) = conclude(trials, records)
    without = replace(trials, arms=tuple(a for a in trials.arms if a.rule != "threshold"))
    (same,) = conclude(without, records)
    assert [f for f in found.findings if f.arm != "tuned threshold"] == list(same.findings)
    assert [f.means["F1"] for f in found.findings if f.arm == "tuned threshold"]
    # By a score that the threshold changes it is one: the best of all simple arms, if need be.
    raised = [
        replace(r, scores=r.scores | {"F1": 2.0 + r.split}) if r.arm == "tuned threshold" else r
        for r in records
    ]
    (by_f1,) = conclude(replace(trials, primary="F1"), raised)
    assert by_f1.best(synthetic=False).arm == "tuned threshold"
    assert by_f1.judgement.difference < -1.0


def test_each_line_is_json_of_one_model(tmp_path):
    path = tmp_path / "results.jsonl"
    record = Record(0, 100, "real rows", "forest", 100, {"AUC": 0.75})
    TrialLog(path, {}).add(record)
    assert Record(**json.loads(path.read_text().splitlines()[1])) == record


def test_many_classes_and_numbers_are_judged_too():
    rows = world(300, 3)
    roles = {"ward": "target", "ill": "feature"}
    many = TableSchema(tuple(replace(c, role=roles.get(c.name, "feature")) for c in SCHEMA.columns))
    trials = Trials.prepare(rows, many, "ward", plan(repeats=3))
    assert (trials.task.kind, trials.primary) == ("multiclass", "macro-F1")
    assert judged(trials, bootstrap)[0].verdict == "no evidence"
    trials = Trials.prepare(rows, SCHEMA, "a", plan(repeats=3, ratios=(1.0, 2.0)))
    assert (trials.task.kind, trials.primary) == ("regression", "R2")
    assert [a.name for a in trials.arms if not a.synthetic] == ["real rows"]
    assert any("class weights" in text for text in trials.remarks)
    assert judged(trials, bootstrap)[0].verdict == "no evidence"


def test_levels_and_targets_that_only_the_generator_knows_do_no_harm():
    class Odd:
        def sample(self, n, *, seed):
            made = world(n, seed)
            ward = pa.array(["new"] * n).dictionary_encode()
            ill = pa.array(["maybe", None, "yes", "no"] * (n // 4 + 1)).slice(0, n)
            made = made.set_column(4, "ward", ward)
            return made.set_column(5, "ill", ill.dictionary_encode())

        def of_level(self, target, level, n, *, seed):
            return None

    trials = Trials.prepare(world(200, 4, shift=4.0), SCHEMA, "ill", plan(repeats=3))
    log = TrialLog(None, {})
    run_trials(trials, lambda train, *, seed, name: Odd(), log, progress=nothing)
    learnt = {r.train_rows for r in log.records.values() if r.arm == "synthetic only"}
    assert learnt <= set(range(70, 90))  # half of the rows have a target that means something


def test_the_rare_class_is_levelled():
    trials = Trials.prepare(world(300, 5, shift=5.0), SCHEMA, "ill", plan(repeats=3))
    log = TrialLog(None, {})
    run_trials(trials, bootstrap, log, progress=nothing)
    y = trials.task.answers(trials.view)
    for split in trials.splits:
        largest = np.bincount(y[split.train]).max()
        found = log.records[split.number, None, "real + synthetic rare", "logistic"]
        assert found.train_rows == 2 * largest


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"repeats": 2}, "repeats must be a whole number of at least 3"),
        ({"test_share": 1.0}, "test_share must be between 0 and 1"),
        ({"learners": ("svm",)}, "learners must be some of logistic"),
        ({"ratios": (0.0,)}, "ratios must be above 0"),
        ({"sizes": (5,)}, "learning_curve must be a whole number of at least 10"),
        ({"split_by": "a", "time": "b"}, "split_by or time, not both"),
        ({"split_by": "nobody"}, "split_by='nobody' is not in the data"),
        ({"time": "ward"}, "time='ward' must name a date or a number"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_fitted(changed, message):
    with pytest.raises(ValueError, match=message):
        Trials.prepare(world(60, 0), SCHEMA, "ill", plan(**changed))


def test_a_class_of_one_row_is_refused_with_the_reason():
    rows = world(60, 0)
    ill = pa.array(["yes"] + ["no"] * 59).dictionary_encode()
    with pytest.raises(ValueError, match="rows of one class only"):
        Trials.prepare(rows.set_column(5, "ill", ill), SCHEMA, "ill", plan())


def test_sizes_that_no_split_has_are_left_out_with_a_remark():
    trials = Trials.prepare(world(100, 0), SCHEMA, "ill", plan(sizes=(20, 80, 1000, None)))
    assert trials.plan.sizes == (20, None)
    assert any("from 80 rows on are left out" in text for text in trials.remarks)


def test_groups_and_time_decide_the_splits():
    rows = world(200, 0).append_column("who", pa.array(np.repeat(np.arange(50), 4).astype(str)))
    schema = TableSchema((*SCHEMA.columns, Column("who", "identifier")))
    trials = Trials.prepare(rows, schema, "ill", plan(split_by="who"))
    who = np.array(rows["who"].to_pylist())
    for split in trials.splits:
        assert not set(who[split.train]) & set(who[split.test])
    trials = Trials.prepare(world(200, 0), SCHEMA, "ill", plan(time="a"))
    a = trials.view.numbers[:, 0]
    assert all(a[split.train].max() < a[split.test].min() for split in trials.splits)
