"""A simulated dataset: its files, what its manifest says, and that all others read it."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from genmodels.cli import main
from genmodels.data.open import open_source
from genmodels.tasks.choices import CONFIGS, choices
from genmodels.tasks.compose import compose
from genmodels.tasks.verify import verify
from tests.simulators.prices import MODELS, closes
from tests.tasks.simulated import hashes, made, manifest_of
from tests.tasks.small import TINY, left

NAMES = sorted(MODELS)
SHORT = ("simulator.steps=5", "n=1100", "seed=3")


def prices_csv(path, model="garch", steps=1500):
    frame = pd.DataFrame({"Close": closes(MODELS[model], steps=steps, seed=1)})
    frame.to_csv(path, index=False)
    return path


def test_there_are_simulators():
    assert set(choices("simulator", [CONFIGS])) >= set(MODELS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_simulated_dataset_is_whole_and_says_what_it_is(tmp_path, name, form):
    out = made(tmp_path / "out", f"simulator={name}", f"format={form}", *SHORT)
    assert verify(compose("verify", [f"dataset={out}"])) == []
    told = manifest_of(out)
    assert told["synthetic"] is True
    assert "simulated by a model" in told["statement"]
    assert "generative" not in told["statement"]
    assert told["simulator"]["name"] == name
    assert told["simulator"]["cannot_make"]
    assert told["rows"] == 1100
    assert "fit" not in told
    table = open_source(out).load()
    assert table.num_rows == 1100
    assert table.column_names == [f"close_{t}" for t in range(6)]
    card = (out / "README.md").read_text()
    assert f"# Simulated data: `{name}`" in card
    assert "was simulated by a model" in card
    assert name in json.loads((out / "croissant.json").read_text())["rai:dataCollection"]


@pytest.mark.parametrize("rows", ["path", "step"])
def test_chunks_and_shards_change_no_row(tmp_path, rows):
    words = (*SHORT, "simulator=heston", f"simulator.rows={rows}")
    whole = made(tmp_path / "whole", *words)
    chunked = made(tmp_path / "chunked", *words, "chunk_rows=37")
    assert hashes(whole) == hashes(chunked)
    assert hashes(made(tmp_path / "one", *words, "workers=1")) == hashes(whole)
    assert hashes(made(tmp_path / "three", *words, "workers=3", "n=1100")) == hashes(whole)
    parts = made(tmp_path / "parts", *words, "writer.parquet.rows_per_file=500")
    fewer = made(tmp_path / "fewer", *words, "n=150")
    every = pd.read_parquet(whole / "data")
    assert len(hashes(parts)) > 1
    pd.testing.assert_frame_equal(pd.read_parquet(parts / "data"), every)
    first = pd.read_parquet(fewer / "data")
    pd.testing.assert_frame_equal(first, every.head(len(first)))


def test_rows_of_steps_are_price_files(tmp_path):
    out = made(tmp_path / "out", *SHORT, "simulator.rows=step", "n=3", "simulator.start=50")
    frame = pd.read_parquet(out / "data")
    assert list(frame) == ["path", "step", "close"]
    assert frame["path"].tolist() == np.repeat([0, 1, 2], 6).tolist()
    assert frame["step"].tolist() == list(range(6)) * 3
    assert (frame.loc[frame["step"] == 0, "close"] == 50).all()


def test_several_assets_have_their_names(tmp_path):
    words = ("simulator.model.correlation=[[1,0.9],[0.9,1]]", "simulator.names=[oil,gas]")
    out = made(tmp_path / "out", *SHORT, *words, "simulator.values=return")
    frame = pd.read_parquet(out / "data")
    assert list(frame) == [f"{name}_{t}" for name in ("oil", "gas") for t in range(1, 6)]
    assert frame["oil_1"].corr(frame["gas_1"]) == pytest.approx(0.9, abs=0.03)


def test_a_fit_is_said_kept_and_simulated(tmp_path, capsys):
    path, out = prices_csv(tmp_path / "prices.csv"), tmp_path / "out"
    code = main(["simulate", "simulator=garch", f"fit={path}", f"out={out}", *SHORT])
    text = capsys.readouterr().out
    assert code == 0
    for part in ("std. error", "gamma", "AIC", "cannot make", "genmodels verify"):
        assert part in text
    told = manifest_of(out)
    assert told["fit"]["of"] == "prices.csv"
    assert told["fit"]["observations"] == 1500
    estimates = told["fit"]["estimates"]
    assert set(estimates) == {"mu", "omega", "alpha", "beta", "gamma", "nu"}
    assert all(told["simulator"]["parameters"][k] == e["value"] for k, e in estimates.items())
    assert told["fit"]["cannot_make"]
    assert "**Fitted** to 1,500" in (out / "README.md").read_text()
    assert verify(compose("verify", [f"dataset={out}"])) == []


def test_other_prices_at_the_same_place_are_another_dataset(tmp_path):
    path = prices_csv(tmp_path / "prices.csv")
    first = manifest_of(made(tmp_path / "a", *SHORT, f"fit={path}"))
    path = prices_csv(tmp_path / "prices.csv", steps=1400)
    assert manifest_of(made(tmp_path / "b", *SHORT, f"fit={path}"))["request"] != first["request"]


def test_generators_train_on_simulated_paths_without_special_code(tmp_path):
    out = made(tmp_path / "out", *SHORT, "simulator.values=return", "simulator=garch")
    run = tmp_path / "run"
    words = [
        "data=parquet",
        f"data.path={out / 'data'}",
        f"run={run}",
        *TINY,
        "trainer.max_epochs=1",
    ]
    assert main(["train", *words]) == 0
    assert main(["sample", f"run={run}", "n=200", f"out={tmp_path / 'drawn'}"]) == 0
    assert len(pd.read_parquet(tmp_path / "drawn" / "data")) == 200


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["simulator=grch"], "did you mean garch"),
        (["simulator.model.sgima=1"], "did you mean simulator.model.sigma"),
        (["simulator.model.sigma=-1"], "sigma must be at least 0, got -1"),
        (["simulator.model.sigma=high"], "sigma must be a number"),
        (["simulator.model.correlation=[[1,2],[2,1]]"], "positive definite"),
        (["simulator=garch", "simulator.model.beta=0.99"], "must be below 1"),
        (["simulator.steps=0"], "simulator.steps must be at least 1"),
        (["simulator.rows=day"], "simulator.rows must be path or step"),
        (["fit=missing.csv"], "missing.csv does not exist"),
        (["fit=prices.csv", "simulator.model.mu=0"], "simulator.model.mu=... and fit=prices.csv"),
        (["fit=prices.csv", "simulator.bars.noise=0"], "simulator.bars.noise=... and fit="),
        (["fit=prices.csv", "simulator.values=bar"], "the file needs open beside its closes"),
        (["simulator.values=bar", "simulator.bars.pieces=0"], "bars.pieces must be a whole number"),
        (["fit=prices.csv", "column=[Close,b]"], "no column=b"),
        (["fit=prices.csv", "simulator.fit=null"], "simulator=gbm cannot be fitted"),
        (["fit=prices.csv", "column=closing"], "did you mean Close"),
        (["fit=words.csv"], "something else than numbers"),
        (["fit=gaps.csv"], "row 3 holds nan"),
        (["fit=few.csv"], "at least 61 prices"),
        (["format=xlsx"], "there is no format=xlsx"),
        (["workers=0"], "workers must be at least 1"),
        (["n=0"], "n must be at least 1"),
        (["seed=-1"], "seed must be at least 0"),
    ],
)
def test_a_mistake_is_one_clear_line_and_leaves_nothing(
    tmp_path, monkeypatch, capsys, words, message
):
    monkeypatch.chdir(tmp_path)
    prices_csv(tmp_path / "prices.csv")
    (tmp_path / "words.csv").write_text("close,a\n1,2\ntwo,3\n")
    (tmp_path / "gaps.csv").write_text("close,a\n1,2\n2,2\n,3\n")
    (tmp_path / "few.csv").write_text("close,a\n1,2\n1.1,2\n")
    code = main(["simulate", "n=10", *words])
    out, err = capsys.readouterr()
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in out + err
    assert left(tmp_path) == []


def test_a_dataset_that_is_there_is_not_replaced_unasked(tmp_path):
    out = made(tmp_path / "out", *SHORT)
    with pytest.raises(FileExistsError, match="overwrite=true"):
        made(out, *SHORT)
    before = hashes(out)
    assert hashes(made(out, *SHORT, "overwrite=true")) == before


@pytest.mark.parametrize("rows", ["path", "step"])
def test_bars_are_the_same_in_any_chunk_and_read_back(tmp_path, rows):
    words = (*SHORT, "simulator=garch", "simulator.values=bar", f"simulator.rows={rows}")
    whole = made(tmp_path / "whole", *words)
    assert hashes(made(tmp_path / "parts", *words, "chunk_rows=37", "workers=2")) == hashes(whole)
    frame = pd.read_parquet(whole / "data")
    fields = ["open", "high", "low", "close", "volume"]
    steps = [f"{field}_{t}" for field in fields for t in range(1, 6)]
    assert list(frame) == (["path", "step", *fields] if rows == "step" else steps)
    assert manifest_of(whole)["simulator"]["bars"]["overnight"] == 0.2
    assert '"overnight": 0.2' in (whole / "README.md").read_text()
    assert verify(compose("verify", [f"dataset={whole}"])) == []


@pytest.mark.data
@pytest.mark.skipif("GENMODELS_DATA" not in os.environ, reason="GENMODELS_DATA is not set")
def test_real_bars_are_fitted_and_simulated(tmp_path):
    path = f"{os.environ['GENMODELS_DATA']}/tables/ohlc_aapl.csv.gz"
    words = (f"fit={path}", "simulator.values=bar", "simulator.rows=step")
    told = manifest_of(made(tmp_path / "out", *SHORT, *words))["fit"]["bars"]["estimates"]
    assert 0.2 < told["bars.overnight"]["value"] < 0.6
    assert told["bars.coupling"]["value"] > 5 * told["bars.coupling"]["standard_error"]
    assert 5e7 < told["bars.volume"]["value"] < 5e8


@pytest.mark.data
@pytest.mark.skipif("GENMODELS_DATA" not in os.environ, reason="GENMODELS_DATA is not set")
def test_real_prices_are_fitted_and_simulated(tmp_path):
    path = f"{os.environ['GENMODELS_DATA']}/tables/ohlc_aapl.csv.gz"
    words = ("simulator=garch", f"fit={path}", "column=Adj Close", "simulator.values=return")
    out = made(tmp_path / "out", *SHORT, *words)
    notes = " ".join(manifest_of(out)["fit"]["notes"])
    assert "standard deviation is 0.03" in notes
    assert "no finite fourth moment" in notes
    assert 0.025 < pd.read_parquet(out / "data").to_numpy().std() < 0.04
