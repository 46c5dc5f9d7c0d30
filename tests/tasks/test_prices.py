"""`genmodels evaluate` of prices: found by what a dataset says of itself, or where a user says."""

import json

import numpy as np
import pandas as pd
import pytest

from genmodels.cli import main
from genmodels.report.page.verdicts import judge
from genmodels.tasks.compose import compose
from genmodels.tasks.evaluate import evaluate
from genmodels.tasks.simulate import simulate
from tests.simulators.prices import MODELS, closes
from tests.tasks.small import TINY
from tests.tasks.test_evaluate import FAST

SECTION = "Prices: stylised facts of returns"


def made(out, *words):
    return simulate(compose("simulate", [f"out={out}", "simulator.steps=30", "n=120", *words]))


def judged(*words):
    return evaluate(compose("evaluate", [*words, *FAST, "finance.repeats=20", "note=false"]))


def named(tmp_path, *words, others=()):
    real, apart, synthetic = (
        made(tmp_path / name, f"seed={seed}", *words, *(others if name == "made" else ()))
        for seed, name in enumerate(("train", "test", "made"))
    )
    return f"real={real}", f"holdout={apart}", f"synthetic={synthetic}"


@pytest.mark.parametrize("rows", ["path", "step"])
@pytest.mark.parametrize("values", ["close", "return", "bar"])
def test_simulated_data_are_known_to_be_prices(tmp_path, rows, values):
    words = (f"simulator.rows={rows}", f"simulator.values={values}")
    report, paths = judged(*named(tmp_path, *words), "finance.only=true")
    assert [section.title for section in report.sections] == [SECTION]
    assert {row.axis for row in report.rows} == {"fidelity"}
    assert "autocorrelation of |r|" in paths[0].with_suffix(".json").read_text()
    assert b"data:image/png" in paths[2].read_bytes()


def test_the_section_comes_with_all_others(tmp_path):
    words = ("simulator.values=return", "simulator.steps=12")
    report, _ = judged(*named(tmp_path, *words))
    assert report.sections[0].title == SECTION
    assert len(report.sections) > 5
    report, _ = judged(*named(tmp_path, *words, "overwrite=true"), "finance.rows=none")
    assert SECTION not in [section.title for section in report.sections]


def test_other_data_have_no_such_section(tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 3)), columns=list("abc"))
    for k, name in enumerate(("train", "test", "made")):
        frame[100 * k : 100 * k + 100].to_csv(tmp_path / f"{name}.csv", index=False)
    where = [f"real={tmp_path}/train.csv", f"holdout={tmp_path}/test.csv"]
    report, _ = judged(*where, f"synthetic={tmp_path}/made.csv")
    assert SECTION not in [section.title for section in report.sections]
    assert not any("prices" in remark for remark in report.remarks)


def prices_csv(path, name="Close", rows=1500):
    dates = pd.date_range("2015-01-01", periods=rows, freq="D").astype(str)
    pd.DataFrame({"Date": dates, name: closes(MODELS["garch"], steps=rows - 1, seed=1)}).to_csv(
        path, index=False
    )
    return path


def test_a_price_file_is_compared_with_simulated_bars_of_a_fit(tmp_path):
    path = prices_csv(tmp_path / "prices.csv")
    out = made(tmp_path / "out", f"fit={path}", "simulator.rows=step", "simulator.steps=400")
    words = (f"real={path}", f"synthetic={out}", "finance.only=true", "finance.rows=step")
    report, paths = judged(*words)
    assert report.facts["training returns"] == 1049
    assert report.facts["held-out returns"] == 450
    kinds = {row.metric.split(":")[0]: judge(row) for row in report.rows}
    assert kinds["volatility clustering"] not in ("level", "close")
    assert json.loads(paths[0].read_text())["facts"]["judged"] == "out"


def test_generated_paths_are_judged_by_what_their_run_learned_from(tmp_path):
    out = made(tmp_path / "out", "simulator.values=return", "simulator=garch", "n=400")
    run = tmp_path / "run"
    words = ["data=parquet", f"data.path={out / 'data'}", f"run={run}", *TINY]
    assert main(["train", *words, "trainer.max_epochs=1"]) == 0
    assert main(["sample", f"run={run}", "n=200", f"out={tmp_path / 'drawn'}"]) == 0
    report, _ = judged(f"run={run}", f"synthetic={tmp_path / 'drawn'}", "likelihood.rows=0")
    assert report.sections[0].title == SECTION
    kinds = {row.metric.split(":")[0]: judge(row) for row in report.sections[0].rows}
    assert "volatility clustering" in kinds


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["finance.rows=paths"], "finance.rows must be one of auto, path, step, none; did you"),
        (["finance.holds=price", "finance.rows=step"], "finance.holds must be close or return"),
        (["finance.only=true"], "Say finance.rows=path"),
        (["finance.only=true", "finance.rows=path"], "expects columns like close_1"),
        (["finance.only=true", "finance.rows=step", "finance.price=Shut"], "no finance.price=Shut"),
        (["finance.only=true", "finance.rows=step", "finance.held_out=1"], "must be in (0, 1)"),
        (["finance.only=true", "finance.rows=step", "finance.repeats=1"], "repeats must be at"),
        (["finance.only=true", "finance.rows=step", "finance.price=Date"], "than numbers"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    prices_csv(tmp_path / "prices.csv", rows=200)
    prices_csv(tmp_path / "other.csv", rows=201)
    given = ["real=prices.csv", "synthetic=other.csv"]
    given += [] if "finance.only=true" in words else ["holdout=other.csv"]
    code = main(["evaluate", *given, *words])
    out, err = capsys.readouterr()
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in out + err
