import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from genmodels.data.splits import Split
from genmodels.files import write_json
from genmodels.run import Run
from genmodels.tasks.compose import compose
from genmodels.tasks.evaluate import evaluate
from genmodels.tasks.showing import report_folder
from tests.metrics.bars import bars
from tests.metrics.simulated import mixed

FAST = [
    "kinds.table.suite.rows=300",
    "kinds.table.suite.detection_rows=200",
    "kinds.table.suite.folds=2",
    "kinds.table.suite.utility_rows=300",
    "kinds.table.suite.utility_runs=2",
    "kinds.table.suite.nearest_rows=100",
    "kinds.table.suite.pictures=1",
    "kinds.images.suite.steps=10",
    "kinds.images.suite.copies=20",
]


def judge(*words):
    return evaluate(compose("evaluate", [*words, *FAST]))


@pytest.fixture
def tables(tmp_path):
    for name, seed in (("train", 1), ("test", 2), ("made", 3)):
        pa.csv.write_csv(mixed(300, seed), tmp_path / f"{name}.csv")
    return tmp_path


def test_files_are_enough(tables):
    report, paths = judge(
        f"real={tables / 'train.csv'}",
        f"holdout={tables / 'test.csv'}",
        f"synthetic={tables / 'made.csv'}",
        "target=sold",
    )
    assert [p.parent for p in paths] == [tables / "made-report"] * 3
    assert any(row.axis == "utility" for row in report.rows)
    assert json.loads(paths[0].read_text())["facts"]["held-out rows"] == 300


@pytest.mark.parametrize(
    ("made", "folder"),
    [("made.v2.csv", "made.v2-report"), ("a.csv.gz", "a-report"), (".csv", ".csv-report")],
)
def test_the_report_is_named_after_the_file(made, folder):
    cfg = compose("evaluate", [f"synthetic=/data/{made}"])
    assert report_folder(cfg, "report").name == folder


def test_what_the_generator_saw_is_no_holdout(tables):
    words = [f"{name}={tables / 'train.csv'}" for name in ("real", "holdout")]
    with pytest.raises(ValueError, match="can judge nothing"):
        judge(*words, f"synthetic={tables / 'made.csv'}")


def test_a_holdout_may_hold_what_training_lacked(tables):
    odd = mixed(300, 4)
    odd = odd.set_column(3, "colour", pa.array(["mauve", None] + ["red"] * 298))
    pa.csv.write_csv(odd, tables / "odd.csv")
    judge(
        f"real={tables / 'train.csv'}",
        f"holdout={tables / 'odd.csv'}",
        f"synthetic={tables / 'odd.csv'}",
        f"out={tables / 'out'}",
    )
    assert (tables / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["synthetic=made.csv"], "run=<folder>"),
        (["synthetic=made.csv", "real=train.csv"], "holdout=<real data"),
        (["real=train.csv", "holdout=test.csv"], "synthetic"),
        (["synthetic=made.csv", "run=nowhere"], "no run at nowhere"),
        (["synthetic=made.csv", "real=train.csv", "holdout=test.csv", "target=solt"], "solt"),
        (["synthetic=short.csv", "real=train.csv", "holdout=test.csv"], "no column 'size'"),
        (["synthetic=bars.npz", "real=train.csv", "holdout=test.csv"], "another kind"),
    ],
)
def test_mistakes_are_named_and_leave_nothing(tables, monkeypatch, words, complaint):
    monkeypatch.chdir(tables)
    pa.csv.write_csv(mixed(20, 1).select(["cost"]), "short.csv")
    images = bars(30, 1)
    np.savez("bars.npz", images=images.pixels[:, 0], labels=images.labels)
    before = sorted(tables.iterdir())
    with pytest.raises(ValueError, match=complaint):
        judge(*words)
    assert sorted(tables.iterdir()) == before


def test_images_from_files(tmp_path):
    for name, seed in (("train", 1), ("test", 2), ("made", 3)):
        images = bars(60, seed)
        np.savez(tmp_path / f"{name}.npz", images=images.pixels[:, 0], labels=images.labels)
    report, _ = judge(
        f"real={tmp_path / 'train.npz'}",
        f"holdout={tmp_path / 'test.npz'}",
        f"synthetic={tmp_path / 'made.npz'}",
    )
    assert any("FD-DomainCNN" in row.metric for row in report.rows)


@pytest.fixture
def trained(tmp_path):
    """What evaluation reads of a run, and a dataset made from it."""
    from genmodels.data.infer import infer_schema
    from genmodels.data.open import open_source

    pq.write_table(mixed(600, 1), tmp_path / "data.parquet")
    source = open_source(tmp_path / "data.parquet")
    run = Run(tmp_path / "run")
    run.create()
    node = {"_target_": "genmodels.data.sources.parquet.Parquet", "path": str(source.path)}
    parse = {"_target_": "genmodels.data.parse.apply_schema", "_partial_": True}
    config = json.dumps({"data": {"source": node, "parse": parse, "holdout_path": None}})
    schema = infer_schema(source.load(), target="sold")
    run.write(config=config, schema=schema.state(), codec={})
    split = Split(rows=600, seed=0, holdout=0.3, fingerprint=source.fingerprint())
    run.write_manifest(split=split.state())
    (tmp_path / "made" / "data").mkdir(parents=True)
    pq.write_table(mixed(400, 3), tmp_path / "made" / "data" / "train-00000-of-00001.parquet")
    write_json(tmp_path / "made" / "manifest.json", {"run": {"model_sha256": "0"}})
    return tmp_path


def test_a_run_is_judged_on_the_rows_that_it_never_saw(trained):
    report, paths = judge(f"run={trained / 'run'}", f"synthetic={trained / 'made'}")
    assert paths[0] == trained / "made-report" / "report.json"
    assert report.facts["held-out rows"] == 180
    assert report.facts["training rows"] == 378
    assert any(row.axis == "utility" for row in report.rows)
    judge(f"run={trained / 'run'}", f"synthetic={trained / 'made'}")
    events = list((trained / "run" / "tensorboard" / "evaluation" / "made-report").rglob("events*"))
    assert len(events) == 4
    assert not list((trained / "made-report").rglob("events*"))


@pytest.mark.parametrize("wanted", [True, False])
def test_without_a_run_tensorboard_finds_the_report_in_its_folder_if_wanted(tables, wanted):
    names = {"real": "train", "holdout": "test", "synthetic": "made"}
    words = [f"{key}={tables / name}.csv" for key, name in names.items()]
    judge(*words, f"tensorboard={str(wanted).lower()}", f"out={tables / 'out'}")
    assert (tables / "out" / "tensorboard").exists() == wanted


@pytest.mark.parametrize("named", ["", "data/train-00000-of-00001.parquet"])
def test_the_first_remark_says_what_was_asked_of_the_rows(trained, named):
    path = "data/train-00000-of-00001.parquet"
    told = {"synthetic": True, "files": [{"path": path}], "control": {"given": {"sold": "yes"}}}
    write_json(trained / "made" / "manifest.json", told)
    words = [f"run={trained / 'run'}", f"synthetic={trained / 'made' / named}"]
    report, paths = judge(*words, f"out={trained / 'out'}")
    assert "asked for (given.sold=yes) and are compared with all real" in report.cautions[0]
    assert report.facts["asked for"] == "given.sold=yes"
    for path in paths:
        assert "given.sold=yes" in path.read_text(encoding="utf-8")
    write_json(trained / "made" / "manifest.json", told | {"control": {"redraws": 3}})
    plain, _ = judge(*words, f"out={trained / 'plain'}")
    assert "asked for" not in plain.facts
    assert not plain.cautions


def test_changed_data_are_refused(trained):
    pq.write_table(mixed(600, 9), trained / "data.parquet")
    with pytest.raises(ValueError, match="the data changed"):
        judge(f"run={trained / 'run'}", f"synthetic={trained / 'made'}")


def test_moved_data_are_found_with_real(trained):
    (trained / "data.parquet").rename(trained / "moved.parquet")
    moved = f"real={trained / 'moved.parquet'}"
    report, _ = judge(f"run={trained / 'run'}", f"synthetic={trained / 'made'}", moved)
    assert report.facts["held-out rows"] == 180


def test_a_run_that_held_nothing_out_asks_for_a_holdout(trained):
    run = Run(trained / "run")
    recorded = run.read_manifest()["split"]
    split = Split(rows=600, seed=0, holdout=0.0, fingerprint=recorded["fingerprint"])
    run.write_manifest(split=split.state())
    words = [f"run={run}", f"synthetic={trained / 'made'}"]
    with pytest.raises(ValueError, match="holdout=<path>"):
        judge(*words)
    pq.write_table(mixed(100, 5), trained / "other.parquet")
    report, _ = judge(*words, f"holdout={trained / 'other.parquet'}")
    assert report.facts["held-out rows"] == 100


def test_named_groups_are_compared(tables):
    words = [f"{key}={tables / name}.csv" for key, name in
             (("real", "train"), ("holdout", "test"), ("synthetic", "made"))]  # fmt: skip
    report, _ = judge(*words, "target=sold", "sensitive=[colour]")
    found = [row.metric for row in report.rows if row.axis == "bias"]
    assert any(name.startswith("share of a group, colour") for name in found)
    with pytest.raises(ValueError, match="did you mean 'colour'"):
        judge(*words, "sensitive=color")
