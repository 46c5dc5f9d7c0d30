"""Every byte depends on the request alone: not on chunks, workers, processes or interruptions."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest

from genmodels.sampling import sampler as sampling
from genmodels.tasks.compose import compose
from genmodels.tasks.ranks import Rank, this_rank
from genmodels.tasks.sample import sample
from tests.tasks.pictures import train_digits
from tests.tasks.small import train_tiny

SHARDS = {
    "parquet": "writer.parquet.rows_per_file=7000",
    "csv": "writer.csv.rows_per_file=7000",
    "arrow": "writer.arrow.rows_per_file=7000",
    "npz": "writer.npz.rows_per_file=7000",
}
PICTURES = {
    "imagefolder": "writer.imagefolder.images_per_shard=250",
    "npz": "writer.npz.rows_per_file=250",
    "parquet": "writer.parquet.images_per_file=250",
    "webdataset": "writer.webdataset.rows_per_file=250",
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return train_tiny(tmp_path_factory.mktemp("rows"), "model=tvae", "condition=all").path


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return train_digits(tmp_path_factory.mktemp("digits") / "run", updates=30)


def write(run, out, *words):
    return sample(compose("sample", [f"run={run}", f"out={out}", *words]))


def manifest(out):
    return json.loads((out / "manifest.json").read_text())


def hashes(out):
    return {file["path"]: file["sha256"] for file in manifest(out)["files"]}


def told(out):
    """What the manifest says, but for the time of day and hashes of what tells it, too."""
    timed = ("created", "documents", "digest")
    return {key: value for key, value in manifest(out).items() if key not in timed}


@pytest.mark.parametrize("kind", SHARDS)
def test_rows_have_the_same_bytes_for_any_chunks_and_workers(rows, tmp_path, kind):
    words = ("n=20000", f"format={kind}", SHARDS[kind])
    one = write(rows, tmp_path / "one", *words)
    assert len(hashes(one)) == 3
    for k, more in enumerate((["chunk_rows=1000", "workers=1"], ["chunk_rows=10000", "workers=2"],
                              ["chunk_rows=20000", "workers=3"])):  # fmt: skip
        other = write(rows, tmp_path / str(k), *words, *more)
        assert hashes(other) == hashes(one)
        assert told(other) == told(one)


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_have_the_same_bytes_for_any_chunks_and_workers(digits, tmp_path, kind):
    words = ("n=600", f"format={kind}", PICTURES[kind])
    one = write(digits, tmp_path / "one", *words)
    other = write(digits, tmp_path / "other", *words, "chunk_rows=70", "workers=1")
    assert hashes(other) == hashes(one)
    assert told(other) == told(one)


def stopped_after(monkeypatch, blocks, error):
    """Let the next sampling fail when it has made so many blocks."""
    made, calls = sampling.Sampler._taken, []

    def fails(self, *arguments):
        calls.append(1)
        if len(calls) > blocks:
            raise error
        return made(self, *arguments)

    monkeypatch.setattr(sampling.Sampler, "_taken", fails)


DROPPED = ("constraints=age > 40", "redraws=0", "shortfall=drop", "chunk_rows=1000")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143), OSError(28, "No space")])
@pytest.mark.parametrize("more", [("chunk_rows=1000",), DROPPED])
def test_an_interrupted_sampling_goes_on_with_the_next_shard(
    rows, tmp_path, caplog, monkeypatch, error, more
):
    words = ("n=20000", "format=csv", SHARDS["csv"], *more)
    whole = write(rows, tmp_path / "whole", *words)
    taken = sampling.Sampler._taken
    stopped_after(monkeypatch, 45 if more == DROPPED else 18, error)
    with pytest.raises(type(error)):
        write(rows, tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()
    assert "shards of" in caplog.messages[-1]
    assert "same command goes on from there" in caplog.messages[-1]
    monkeypatch.setattr(sampling.Sampler, "_taken", taken)
    with caplog.at_level("INFO"):
        again = write(rows, tmp_path / "out", *words)
    assert any("going on with an interrupted sampling" in message for message in caplog.messages)
    assert hashes(again) == hashes(whole)
    assert told(again) == told(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"]


@pytest.mark.parametrize("kind", PICTURES)
def test_interrupted_pictures_go_on_with_the_next_shard(digits, tmp_path, monkeypatch, kind):
    words = ("n=600", f"format={kind}", PICTURES[kind], "filter.agree=true", "filter.steps=60",
             "redraws=1", "shortfall=drop", "chunk_rows=50")  # fmt: skip
    whole = write(digits, tmp_path / "whole", *words)
    taken = sampling.Sampler._taken
    stopped_after(monkeypatch, 8, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        write(digits, tmp_path / "out", *words)
    monkeypatch.setattr(sampling.Sampler, "_taken", taken)
    again = write(digits, tmp_path / "out", *words)
    assert hashes(again) == hashes(whole)
    assert told(again) == told(whole)


def test_another_request_does_not_take_up_what_was_left(rows, tmp_path, monkeypatch, caplog):
    words = ("n=20000", SHARDS["parquet"])
    taken = sampling.Sampler._taken
    stopped_after(monkeypatch, 4, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        write(rows, tmp_path / "out", *words)
    monkeypatch.setattr(sampling.Sampler, "_taken", taken)
    other = write(rows, tmp_path / "out", *words, "seed=5")
    assert "holds shards of another request" in caplog.text
    assert hashes(other) == hashes(write(rows, tmp_path / "fresh", *words, "seed=5"))


def as_rank(monkeypatch, number, of):
    monkeypatch.setenv("RANK", str(number))
    monkeypatch.setenv("WORLD_SIZE", str(of))


@pytest.mark.parametrize("more", [(), DROPPED])
def test_processes_share_the_shards_and_the_first_completes_them(rows, tmp_path, monkeypatch, more):
    words = ("n=20000", "format=parquet", SHARDS["parquet"], *more)
    alone = write(rows, tmp_path / "alone", *words)
    for number in (2, 1, 0):
        as_rank(monkeypatch, number, 3)
        assert not (tmp_path / "out").exists()
        write(rows, tmp_path / "out", *words)
    assert hashes(tmp_path / "out") == hashes(alone)
    assert told(tmp_path / "out") == told(alone)
    as_rank(monkeypatch, 1, 3)
    write(rows, tmp_path / "out", *words)  # one that comes late finds that all is done
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", "out"]


def test_processes_replace_a_dataset_of_the_same_request(rows, tmp_path, monkeypatch):
    words = ("n=20000", SHARDS["parquet"])
    before = hashes(write(rows, tmp_path / "out", *words))
    for number in (1, 0):
        as_rank(monkeypatch, number, 2)
        write(rows, tmp_path / "out", *words, "overwrite=true")
    assert hashes(tmp_path / "out") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_run_is_no_dataset_to_be_replaced(rows, tmp_path):
    with pytest.raises(FileExistsError, match="not a dataset"):
        write(rows, rows, "n=10", "overwrite=true")
    assert (rows / "model.safetensors").is_file()


def test_shards_of_a_run_that_changed_since_are_not_taken_up(rows, tmp_path, monkeypatch):
    run = shutil.copytree(rows, tmp_path / "run")
    words = ("n=20000", SHARDS["csv"], "format=csv")
    taken = sampling.Sampler._taken
    stopped_after(monkeypatch, 4, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        write(run, tmp_path / "out", *words)
    monkeypatch.setattr(sampling.Sampler, "_taken", taken)
    codec = run / "codec.json"
    codec.write_text(codec.read_text().replace("oslo", "omsk"))
    out = write(run, tmp_path / "out", *words)
    assert all("oslo" not in file.read_text() for file in (out / "data").iterdir())


BATCH = {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_LOCALID": "0"}
STEP = {"SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "8", "SLURM_LOCALID": "3"}
NODES = {"SLURM_STEP_TASKS_PER_NODE": "6(x2)"}
TORCHRUN = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}


@pytest.mark.parametrize(
    ("told", "rank"),
    [
        ({}, Rank()),
        (BATCH, Rank()),
        (STEP, Rank(3, 8, 3, 4)),
        (STEP | NODES, Rank(3, 8, 3, 6)),
        (TORCHRUN, Rank(1, 2, 0, 1)),
    ],
)
def test_the_environment_says_which_process_this_is(told, rank):
    assert this_rank(told) == rank


def test_a_process_without_a_share_does_nothing(rows, tmp_path, monkeypatch):
    as_rank(monkeypatch, 1, 2)
    write(rows, tmp_path / "out", "n=10")  # one shard: it is the first process's
    assert not list(tmp_path.iterdir())
    as_rank(monkeypatch, 0, 2)
    assert manifest(write(rows, tmp_path / "out", "n=10"))["rows"] == 10


def test_shares_are_whole_and_even():
    for of in range(1, 8):
        for count in range(40):
            shares = [Rank(number, of).share(count) for number in range(of)]
            assert [k for share in shares for k in share] == list(range(count))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1
            assert len(shares[0]) > 0 or count == 0


@pytest.mark.parametrize("told", [("2", "2"), ("-1", "2"), ("one", "2")])
def test_an_impossible_environment_is_refused(rows, tmp_path, monkeypatch, told):
    as_rank(monkeypatch, *told)
    with pytest.raises(ValueError, match=f"RANK={told[0]}, WORLD_SIZE=2"):
        write(rows, tmp_path / "out", "n=10")


def started(*words, **options):
    command = [sys.executable, "-m", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def test_two_processes_of_torchrun_write_the_bytes_of_one(rows, tmp_path):
    words = ["n=20000", SHARDS["parquet"]]
    alone = write(rows, tmp_path / "alone", *words)
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "genmodels"]
    out = tmp_path / "out"
    process = started(*launcher, "sample", f"run={rows}", f"out={out}", *words)
    said = process.communicate(timeout=300)[0].decode()
    assert process.returncode == 0, said
    assert hashes(out) == hashes(alone)
    assert told(out) == told(alone)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_sampling_goes_on_to_the_same_bytes(rows, tmp_path, number):
    words = ["n=200000", "writer.parquet.rows_per_file=10000", "workers=1"]
    whole = write(rows, tmp_path / "whole", *words)
    out = tmp_path / "out"
    process = started("genmodels", "sample", f"run={rows}", f"out={out}", *words)
    while not list(tmp_path.glob(".out.*/shards/00003.json")) and process.poll() is None:
        time.sleep(0.005)
    os.kill(process.pid, number)
    said = process.communicate(timeout=300)[0].decode()
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(number, -9), said
    assert not out.exists()
    assert (number == signal.SIGKILL) or "the same command goes on from there" in said
    write(rows, out, *words)
    assert hashes(out) == hashes(whole)
    assert sum(pq.read_metadata(file).num_rows for file in (out / "data").iterdir()) == 200_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"]
