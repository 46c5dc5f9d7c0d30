import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from genmodels import Synthesizer
from genmodels.data.open import open_source
from genmodels.data.parse import apply_schema
from genmodels.run import Run
from genmodels.schema import schema_from_state
from genmodels.tasks import sample as verb
from genmodels.tasks.compose import compose
from genmodels.tasks.sample import sample

QUICK = ("callbacks.preview=null", "trainer.accelerator=cpu", "model.latent_dim=8")


def people():
    rng = np.random.default_rng(0)
    n = 300
    day = pd.date_range("2020-01-01", periods=n, freq="31h")
    frame = pd.DataFrame(
        {
            "age": rng.integers(17, 90, n).astype(str),
            "wage": np.round(rng.lognormal(3, 1, n), 2).astype(str),
            "job, title": rng.choice(['the "boss"', "clerk", "a,b"], n),
            "member": rng.choice(["yes", "no"], n),
            "since": day.strftime("%d/%m/%Y"),
            "income": rng.choice(["<=50K", ">50K"], n, p=[0.7, 0.3]),
        }
    )
    frame.loc[::6, "age"] = "?"
    return frame


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    people().to_csv(folder / "people.csv", index=False)
    overrides = (*QUICK, "condition=all")
    made = Synthesizer("tvae", epochs=1, overrides=overrides, run=folder / "run")
    made.fit(folder / "people.csv", target="income")
    return folder / "run"


def test_rows_of_an_unfinished_training_say_so(run, tmp_path, caplog):
    def told(path):
        caplog.clear()
        out = write(path, tmp_path / "out", "n=5", "overwrite=true")
        fact = json.loads((out / "manifest.json").read_text())["run"].get("finished")
        return fact, [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]

    assert told(run) == (None, [])
    broken = shutil.copytree(run, tmp_path / "broken")
    Run(broken).write_manifest(finished=False)
    fact, warnings = told(broken)
    assert fact is False
    assert len(warnings) == 1
    assert "did not finish" in warnings[0]
    caplog.clear()
    Synthesizer.load(broken)
    assert "did not finish" in caplog.text


def write(run, out, *words):
    return sample(compose("sample", [f"run={run}", f"out={out}", "n=50", *words]))


def hashes(folder):
    files = sorted(p for p in (folder / "data").rglob("*") if p.is_file())
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def test_a_dataset_has_files_a_manifest_and_a_card(run, tmp_path):
    out = write(run, tmp_path / "out", "n=120", "seed=4", "writer.parquet.rows_per_file=100")
    assert out == tmp_path / "out"
    files = sorted((out / "data").iterdir())
    assert [f.name for f in files] == [f"train-0000{i}-of-00002.parquet" for i in range(2)]
    assert sum(pq.read_metadata(f).num_rows for f in files) == 120
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["rows"] == 120
    assert manifest["seed"] == 4
    weights = hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()
    data = json.loads((run / "manifest.json").read_text())["split"]["fingerprint"]
    assert manifest["run"] == {"name": "run", "model_sha256": weights, "data_fingerprint": data}
    assert [entry["sha256"] for entry in manifest["files"]] == hashes(out)
    assert "pandas.read_parquet" in (out / "README.md").read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_one_worker_and_two_write_the_same_bytes(run, tmp_path, kind):
    words = (f"format={kind}", "n=1000")
    one = write(run, tmp_path / "one", *words, "workers=1")
    two = write(run, tmp_path / "two", *words, "workers=2")
    assert hashes(one) == hashes(two)


def test_the_first_rows_are_the_same_however_many_follow(run, tmp_path):
    few = pd.read_parquet(write(run, tmp_path / "few", "n=100") / "data")
    many = pd.read_parquet(write(run, tmp_path / "many", "n=20000") / "data")
    pd.testing.assert_frame_equal(few, many.head(100))


@pytest.mark.parametrize("words", [(), ("writer.csv.gzip=true",)])
def test_a_csv_reads_back_through_our_source_to_the_same_table(run, tmp_path, words):
    csv = write(run, tmp_path / "csv", "n=400", "format=csv", *words)
    parquet = write(run, tmp_path / "parquet", "n=400")
    schema = schema_from_state(json.loads((run / "schema.json").read_text()))
    back = apply_schema(open_source(csv).load(), schema)
    table = pq.read_table(parquet / "data")
    for name in table.column_names:
        assert back[name].to_pylist() == table[name].to_pylist(), name


def test_npz_holds_one_array_per_column(run, tmp_path):
    out = write(run, tmp_path / "out", "format=npz")
    with np.load(out / "data" / "train.npz") as arrays:
        assert len(arrays["income"]) == 50


def test_a_told_level_holds_in_every_row(run, tmp_path):
    out = write(run, tmp_path / "out", "condition.income=>50K")
    assert set(pd.read_parquet(out / "data")["income"]) == {">50K"}
    assert json.loads((out / "manifest.json").read_text())["conditions"] == {"income": ">50K"}
    out = write(run, tmp_path / "boss", 'condition.job, title=the "boss"')
    assert set(pd.read_parquet(out / "data")["job, title"]) == {'the "boss"'}


@pytest.mark.parametrize(
    ("word", "told"),
    [("condition={}", None), ("balance=income", "balance=income"),
     ("condition.income=>50K", "condition.income=>50K")],
)  # fmt: skip
def test_evaluation_is_recommended_for_rows_of_which_nothing_was_asked(
    run, tmp_path, caplog, monkeypatch, word, told
):
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with caplog.at_level("INFO"):
        verb.run(compose("sample", [f"run={run}", f"out={tmp_path / 'out'}", "n=50", word]))
    said = caplog.messages[-1]
    assert ("genmodels evaluate" in said) == (told is None)
    assert told is None or f"asked for ({told})" in said


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["n=0"], ValueError, "n must be at least 1"),
        (["n=-5"], ValueError, "n must be at least 1"),
        (["n=many"], ValueError, "n must be a whole number"),
        (["n=1.5"], ValueError, "n must be a whole number"),
        (["seed=-1"], ValueError, "seed must be at least 0"),
        (["format=xlsx"], ValueError, "there is no format=xlsx"),
        (["format=parket"], ValueError, "did you mean parquet"),
        (["format=imagefolder"], ValueError, "format=parquet"),
        (["run=no/such/run"], ValueError, "there is no run at no/such/run"),
        (["condition.income=1M"], ValueError, "no such level"),
        (["condition.shoe=42"], ValueError, "can be told"),
        (["precision=int4"], ValueError, "float32 or bfloat16"),
        (["workers=0"], ValueError, "workers must be at least 1"),
        (["chunk_rows=0"], ValueError, "chunk_rows must be at least 1"),
        (["device=tpu9"], ValueError, "device must be"),
        (["writer.parquet.rows_per_file=0"], ValueError, "rows_per_file"),
    ],
)
def test_a_mistake_is_one_clear_error_and_leaves_nothing(run, tmp_path, words, error, message):
    with pytest.raises(error, match=message):
        write(run, tmp_path / "out", *words)
    assert list(tmp_path.iterdir()) == []


def test_a_full_folder_is_not_touched_unless_asked(run, tmp_path):
    out = tmp_path / "out"
    write(run, out, "n=10")
    before = hashes(out)
    with pytest.raises(FileExistsError, match="overwrite=true"):
        write(run, out, "n=20")
    assert hashes(out) == before
    write(run, out, "n=20", "overwrite=true")
    assert len(pd.read_parquet(out / "data")) == 20


def test_a_disk_that_fills_up_leaves_nothing(run, tmp_path, monkeypatch):
    def full(path):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("genmodels.writers.parquet.sync_file", full)
    with pytest.raises(OSError, match="No space left"):
        write(run, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_bfloat16_gives_nearly_the_same_rows(run, tmp_path):
    exact = pd.read_parquet(write(run, tmp_path / "a", "n=2000", "precision=float32") / "data")
    rounded = pd.read_parquet(write(run, tmp_path / "b", "n=2000", "precision=bfloat16") / "data")
    assert (exact["income"] == rounded["income"]).mean() > 0.97
