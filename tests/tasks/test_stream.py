"""`data.streaming=true`: training, resuming, sampling and judging without the whole in memory."""

import json
import logging
import signal
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch

from genmodels.callbacks.stop import Interrupted
from genmodels.data.sources import csv_options
from genmodels.data.sources.csv import CSV
from genmodels.data.streaming import buckets
from genmodels.data.streaming.split import StreamSplit
from genmodels.tasks import stream
from genmodels.tasks.compose import compose
from genmodels.tasks.dry_run import dry_run
from genmodels.tasks.evaluate import run as evaluate
from genmodels.tasks.parts import instantiate
from genmodels.tasks.prepare import prepare
from genmodels.tasks.sample import run as sample
from genmodels.tasks.schema import draft
from genmodels.tasks.train import train
from tests.tasks.small import signal_at_step, train_tiny, words, write_csv

STREAMED = ("data.streaming=true", "data.sample_rows=100", "data.most_validation=40")


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(csv_options, "_MOST_BLOCK", 1 << 11)
    monkeypatch.setattr(buckets, "_ROWS", 150)


def prepared(tmp_path, *more):
    return prepare(compose("train", words(tmp_path, *STREAMED, *more)), None, None)


def without_lima(found):
    """A sketch that failed to see a level."""
    keep = [t.filter(pc.not_equal(t["city"], "lima")) for t in (found.sample, found.shown)]
    return replace(found, sample=keep[0], shown=keep[1])


def test_all_training_rows_are_learned_from_and_no_others(tmp_path):
    made = prepared(tmp_path)
    counts = made.split.counts
    assert counts["rows"] == 600
    assert counts["validation"] == 40
    assert len(made.buckets) == counts["train"] == 600 - 40 - counts["holdout"]
    assert made.buckets.count > 1
    assert 100 <= len(made.train) < 120
    assert len(made.validation) == 40
    # what was encoded piece by piece is what would be encoded at once
    parts = [made.buckets.read(k) for k in range(made.buckets.count)]
    codes = torch.cat([told["codes"] for told, _ in parts])
    place = made.codec.layout.categorical.index(
        next(b for b in made.codec.layout.categorical if b.name == "city")
    )
    cities = (tmp_path / "people.csv").read_text().splitlines()[1:]
    mine = made.split.trains(np.arange(600))
    levels = made.schema["city"].levels
    expected = [levels.index(line.split(",")[1]) for line in np.array(cities)[mine]]
    assert sorted(codes[:, place].tolist()) == sorted(expected)


def test_numbers_are_read_alike_in_every_piece(tmp_path):
    """Of a decimal comma a piece without one knows nothing: 1.234 is a thousand and more."""
    rng = np.random.default_rng(0)
    numbers = [f"{int(x):,}".replace(",", ".") for x in rng.integers(1000, 9000, 500)]
    numbers += [f"{x:.2f}".replace(".", ",") for x in rng.uniform(1, 9, 500)]
    lines = ["pay;city", *(f"{n};{'ab'[k % 2]}" for k, n in enumerate(numbers))]
    path = tmp_path / "people.csv"
    path.write_text("\n".join(lines) + "\n")
    own = [w for w in words(tmp_path) if not w.startswith("data.path")]
    cfg = compose("train", [f"data.path={path}", *own, *STREAMED])
    made = prepare(cfg, None, None)
    whole = instantiate(cfg.data.parse)(CSV(path=path).load(), made.schema)["pay"].to_numpy()
    assert whole.max() > 8000 > 9 > whole.min()
    rows = np.flatnonzero(made.split.trains(np.arange(1000)))
    part = [made.buckets.read(k)[0] for k in range(made.buckets.count)]
    encoded = {name: torch.cat([p[name] for p in part]) for name in part[0]}
    back = made.codec.decode(encoded, rng=rng)["pay"].to_numpy()
    assert np.allclose(np.sort(back), np.sort(whole[rows]), rtol=0.05, atol=2)


def test_a_level_of_held_out_rows_alone_is_not_known(tmp_path):
    write_csv(tmp_path / "people.csv")
    text = (tmp_path / "people.csv").read_text().splitlines()
    held = StreamSplit(seed=0, holdout=0.2, validation=0.1, most_validation=40)
    number = int(np.flatnonzero(held.held_out(np.arange(600)))[0])
    text[number + 1] = "40,lima,900.00"
    (tmp_path / "people.csv").write_text("\n".join(text) + "\n")
    assert prepared(tmp_path).schema["city"].levels == ("bonn", "oslo", "rome")


def test_looking_alone_encodes_nothing(tmp_path):
    cfg = compose("train", words(tmp_path, *STREAMED))
    made = prepare(cfg, None, None, encode=False)
    assert made.buckets is None
    assert made.training_rows == made.split.counts["train"] > len(made.train)
    assert dry_run(cfg).samples == 4 * (made.training_rows // 50) * 50


def test_a_streamed_run_trains_samples_and_is_judged(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        run = train_tiny(tmp_path, *STREAMED)
    record = run.read_manifest()
    assert record["split"]["streamed"] is True
    assert record["split"]["counts"]["rows"] == 600
    assert "600 rows: " in caplog.text
    sample(compose("sample", [f"run={run}", "n=300", f"out={tmp_path / 'made'}"]))
    evaluate(
        compose(
            "evaluate",
            [f"run={run}", f"synthetic={tmp_path / 'made'}", f"out={tmp_path / 'report'}"],
        )
    )
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["summary"]


@pytest.mark.parametrize("step", [3, 8])
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path, monkeypatch, step):
    whole = train_tiny(tmp_path, *STREAMED, f"run={tmp_path / 'whole'}")
    with monkeypatch.context() as patch:
        signal_at_step(patch, step, signal.SIGTERM)
        with pytest.raises(Interrupted):
            train_tiny(tmp_path, *STREAMED)
    run = train(compose("train", [f"run={tmp_path / 'run'}", "resume=auto"]))
    a, b = whole.read_weights(), run.read_weights()
    assert all(torch.equal(a[name], b[name]) for name in a)
    split = [r.read_manifest()["split"] for r in (whole, run)]
    assert split[0] == split[1]
    assert sorted(p.suffix for p in tmp_path.iterdir()) == ["", "", ".csv"]


def test_other_data_under_the_same_name_are_noticed(tmp_path):
    train_tiny(tmp_path, *STREAMED)
    with (tmp_path / "people.csv").open("a") as file:
        file.write("30,oslo,1000.00\n")
    with pytest.raises(ValueError, match="not those"):
        train(compose("train", [f"run={tmp_path / 'run'}", "resume=auto", "trainer.max_epochs=9"]))


def test_typed_files_are_streamed_too(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "people.parquet"
    columns = {"age": rng.integers(18, 90, 500), "word": rng.choice(["a", "b"], 500)}
    pq.write_table(pa.table(columns), path, row_group_size=100)
    own = [w for w in words(tmp_path) if not w.startswith("data.path")]
    cfg = compose("train", ["data=parquet", f"data.path={path}", *own, *STREAMED])
    assert len(prepare(cfg, None, None).buckets) > 300


def test_a_separate_holdout_leaves_all_rows_to_training(tmp_path):
    apart = write_csv(tmp_path / "apart.csv", rows=90, seed=1)
    run = train_tiny(tmp_path, *STREAMED, f"data.holdout_path={apart}")
    assert run.read_manifest()["split"]["counts"]["holdout"] == 0
    sample(compose("sample", [f"run={run}", "n=200", f"out={tmp_path / 'made'}"]))
    evaluate(compose("evaluate", [f"run={run}", f"synthetic={tmp_path / 'made'}",
                                  f"out={tmp_path / 'report'}"]))  # fmt: skip
    assert (tmp_path / "report" / "report.html").is_file()
    with pytest.raises(ValueError, match="training data"):
        prepared(tmp_path, f"data.holdout_path={tmp_path / 'people.csv'}")


def test_a_schema_of_the_user_decides(tmp_path):
    out = tmp_path / "schema.yaml"
    data = f"data.path={write_csv(tmp_path / 'people.csv')}"
    draft(compose("schema", [data, *STREAMED[:2], f"out={out}"]))
    out.write_text(out.read_text().replace("kind: integer", "kind: continuous"))
    assert prepared(tmp_path, f"schema={out}").schema["age"].kind == "continuous"


def test_a_row_that_does_not_fit_is_named_with_what_helps(tmp_path, monkeypatch):
    out = tmp_path / "schema.yaml"
    data = f"data.path={write_csv(tmp_path / 'people.csv')}"
    draft(compose("schema", [data, f"out={out}"]))
    text = (tmp_path / "people.csv").read_text()
    (tmp_path / "people.csv").write_text(text.replace("oslo", "lima", 50))
    with pytest.raises(ValueError, match=r"'lima'.*one of a sample of the data; .*schema=<file>"):
        prepared(tmp_path, f"schema={out}")
    found = stream.sketched
    monkeypatch.setattr(stream, "sketched", lambda *a, **k: without_lima(found(*a, **k)))
    (tmp_path / "people.csv").write_text(text + "40,lima,900.00\n" * 3)
    with pytest.raises(ValueError, match=r"'lima'.*counted from row [\d,]+ of the data"):
        prepared(tmp_path, f"schema={out}")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("data.holdout=1.5", "data.holdout must be at least 0 and below 1"),
        ("data.cache=/nothere/at/all", "data.cache=/nothere/at/all is not a folder"),
        ("data.sample_rows=7", "data.sample_rows must be a whole number from 100 on, got 7"),
        ("data.sample_rows=1e3", "data.sample_rows must be a whole number"),
        ("trainer.devices=2", "start them together, by torchrun --nproc-per-node=2"),
        ("data=flights", "data.streaming=true is for files of rows"),
    ],
)
def test_what_cannot_work_is_said(tmp_path, word, message):
    own = [w for w in words(tmp_path, *STREAMED) if word != "data=flights" or "data.path" not in w]
    with pytest.raises(ValueError, match=message):
        prepare(compose("train", [*own, word]), None, None)


def test_held_out_data_without_rows_are_refused(tmp_path):
    (tmp_path / "apart.csv").write_text("age,city,income\n")
    with pytest.raises(ValueError, match="has no rows"):
        prepared(tmp_path, f"data.holdout_path={tmp_path / 'apart.csv'}")


def test_too_little_room_is_said_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("", (), {"free": 10})())
    with pytest.raises(ValueError, match=r"data\.cache=<folder>"):
        prepared(tmp_path)
