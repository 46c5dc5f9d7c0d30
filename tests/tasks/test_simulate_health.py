"""Epidemics and line lists as datasets: rows, chunks, fits, mistakes, and who else takes them."""

import pandas as pd
import pytest

from genmodels.cli import main
from genmodels.data.open import open_source
from genmodels.data.parse import apply_schema
from genmodels.schema import schema_from_state
from genmodels.tasks.choices import CONFIGS, choices
from genmodels.tasks.compose import compose
from genmodels.tasks.simulate import simulate
from genmodels.tasks.verify import verify
from tests.tasks.simulated import hashes, made, manifest_of
from tests.tasks.small import TINY, left

TOWN = ("simulator.model.population.size=3000", "simulator.model.days=90", "seed=3")
EPIDEMIC, PATIENTS = ("simulator=seir", *TOWN), ("simulator=patients", *TOWN)


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize("words", [EPIDEMIC, PATIENTS, (*EPIDEMIC, "simulator.rows=day")])
def test_a_simulated_dataset_is_whole_and_reads_back_by_its_schema(tmp_path, words, form):
    out = made(tmp_path / "out", *words, f"format={form}", "n=300")
    assert verify(compose("verify", [f"dataset={out}"])) == []
    told = manifest_of(out)
    assert told["simulator"]["name"] == words[0].partition("=")[2]
    assert told["simulator"]["cannot_make"]
    assert told["simulator"]["parameters"]["disease"]["name"] == "covid"
    schema = schema_from_state(told["schema"])
    table = apply_schema(open_source(out).load(), schema)
    assert table.num_rows == told["rows"] == 300 * (270 if "simulator.rows=day" in words else 1)
    assert "This model cannot make" in (out / "README.md").read_text()


@pytest.mark.parametrize(
    "words",
    [EPIDEMIC, (*EPIDEMIC, "simulator.rows=day", "vaccination=doses"), PATIENTS],
    ids=["run", "day", "patients"],
)
def test_chunks_and_workers_change_no_row(tmp_path, words):
    many = "n=300" if "simulator=seir" in words else "n=20000"
    whole = made(tmp_path / "whole", *words, many)
    chunked = made(tmp_path / "chunked", *words, many, "chunk_rows=137", "workers=3")
    assert hashes(whole) == hashes(chunked)
    fewer = pd.read_parquet(made(tmp_path / "fewer", *words, "n=150") / "data")
    every = pd.read_parquet(whole / "data")
    pd.testing.assert_frame_equal(fewer, every.head(len(fewer)))
    other = pd.read_parquet(made(tmp_path / "other", *words, "n=150", "seed=4") / "data")
    assert not other.equals(fewer)


def test_rows_of_runs_sum_up_rows_of_days(tmp_path):
    words = (*EPIDEMIC, "vaccination=doses", "simulator.model.vaccination.per_day=20")
    run = pd.read_parquet(made(tmp_path / "run", *words, "n=20", "simulator.every=30") / "data")
    day = pd.read_parquet(made(tmp_path / "day", *words, "n=20", "simulator.rows=day") / "data")
    by_run = day.groupby("run")
    assert len(run) == len(by_run) == 20
    for name in ("deaths", "reported"):
        assert (run[name] == by_run[name].sum()).all()
    assert (run["infected"] == by_run["infections"].sum() + 20).all()
    assert (run["attack_rate"] == run["infected"] / 3000).all()
    days = day.groupby(["run", "day"])[["infectious", "reported"]].sum()["infectious"].unstack()
    assert (run["peak_infectious"] == days.max(axis=1)).all()
    assert (run["peak_day"] == days.idxmax(axis=1)).all()
    monthly = day.assign(month=day["day"] // 30).groupby(["run", "month"])["reported"].sum()
    curve = [f"reported_{start:02d}" for start in (0, 30, 60)]
    assert (run[curve].to_numpy() == monthly.unstack().to_numpy()).all()
    parts = ["susceptible", "exposed", "infectious", "recovered", "dead", "vaccinated"]
    assert (day.groupby(["run", "day"])[parts].sum().sum(axis=1) == 3000).all()
    assert day["date"].astype(str).iloc[[0, -1]].tolist() == ["2020-02-01", "2020-04-30"]


def test_whole_outbreaks_are_counted_when_asked(tmp_path):
    out = made(tmp_path / "out", *PATIENTS, "simulator.counts=outbreak", "n=2")
    frame, told = pd.read_parquet(out / "data"), manifest_of(out)
    assert told["rows"] == len(frame)
    assert (frame["outbreak"] == 0).sum() == told["simulator"]["first_outbreak"]
    assert frame["outbreak"].nunique() == 2
    one = pd.read_parquet(made(tmp_path / "one", *PATIENTS, "n=100") / "data")
    pd.testing.assert_frame_equal(one, frame.head(100))


def test_the_size_of_the_outbreak_is_said(tmp_path, capsys):
    assert main(["simulate", *PATIENTS, "n=10", f"out={tmp_path / 'out'}"]) == 0
    size = manifest_of(tmp_path / "out")["simulator"]["first_outbreak"]
    assert f"n={size} lists them all" in capsys.readouterr().out


def test_help_shows_every_commented_setting_of_the_chosen_files(capsys):
    words = ["simulator=seir", "disease=measles", "simulator.model.initial=7", "--help"]
    assert main(["simulate", *words]) == 0
    text = capsys.readouterr().out
    for part in (
        "simulator.model.disease.r0=15.0 ",
        "simulator.model.disease.delays.ward=[5.0, 3.0] ",
        "simulator.model.initial=7 ",
        "simulator.reporting.rate=0.3 ",
        "disease=...  (here: measles)",
    ):
        assert text.count(part) == 1, part
    assert "run (a row each" in text
    assert "as in price files" not in text
    assert "vaccination.per_day" not in text
    assert main(["simulate", "simulator=patients", "--help"]) == 0
    assert "simulator.care.cost_ward_day=700.0" in capsys.readouterr().out


def case_counts(tmp_path):
    words = ("simulator=seir", "simulator.model.population.size=20000", "simulator.rows=day", "n=1")
    frame = pd.read_parquet(made(tmp_path / "true", *words) / "data")
    counts = frame.groupby("day")["reported"].sum().rename("Cases")
    counts.to_csv(tmp_path / "cases.csv", index=False)
    return tmp_path / "cases.csv"


def test_a_fit_of_case_counts_is_said_kept_and_simulated(tmp_path, capsys):
    path, out = case_counts(tmp_path), tmp_path / "out"
    words = ["simulator.model.population.size=20000", "simulator.fit.bootstrap=30", "n=50"]
    assert (
        main(["simulate", "simulator=seir", f"fit={path}", "column=cases", *words, f"out={out}"])
        == 0
    )
    text = capsys.readouterr().out
    for part in ("std. error", "reporting_rate", "AIC", "twice as large", "genmodels verify"):
        assert part in text
    told = manifest_of(out)
    estimates = told["fit"]["estimates"]
    assert estimates["r0"]["value"] == pytest.approx(2.9, rel=0.05)
    assert estimates["reporting_rate"]["value"] == pytest.approx(0.3, rel=0.05)
    assert told["simulator"]["parameters"]["disease"]["r0"] == estimates["r0"]["value"]
    assert "**Fitted** to 180 observations" in (out / "README.md").read_text()
    frame = pd.read_parquet(out / "data")
    truth = pd.read_csv(path)["Cases"].sum()
    assert frame["reported"].median() == pytest.approx(truth, rel=0.1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["simulator=sier"], "did you mean seir"),
        (["simulator=seir", "disease=mesles"], "did you mean measles"),
        (["simulator=seir", "simulator.model.disease.r=1"], "simulator.model.disease.r0"),
        (["simulator=seir", "simulator.model.disease.r0=-1"], "r0 must be at least 0, got -1"),
        (["simulator=seir", "simulator.model.disease.r0=low"], "r0 must be a number, got 'low'"),
        (["simulator=seir", "simulator.model.population.contacts=[[1,2],[3]]"], "square matrix"),
        (["simulator=seir", "simulator.model.population.immune=-0.5"], "must be a share in [0, 1]"),
        (["simulator=seir", "simulator.rows=week"], "simulator.rows must be run or day"),
        (["simulator=seir", "simulator.curve=deaths"], "simulator.curve must be reported or"),
        (["simulator=seir", "simulator.every=999"], "simulator.every=999 is more than"),
        (["simulator=seir", "simulator.model.interventions=4"], "interventions must be a list"),
        (["simulator=seir", "simulator.model.method=gillespie"], "100,000 has too many"),
        (["simulator=seir", "fit=cases.csv", "column=case"], "did you mean Cases"),
        (["simulator=seir", "fit=cases.csv", "column=cases"], "at least 14 days, got 2"),
        (
            ["simulator=seir", "fit=cases.csv", "simulator.model.disease.r0=2"],
            "simulator.model.disease.r0=... and fit=cases.csv cannot be combined",
        ),
        (
            ["simulator=seir", "fit=cases.csv", "simulator.fit=null", "column=cases"],
            "simulator.fit=null",
        ),
        (["simulator=patients", "fit=cases.csv", "column=cases"], "fit simulator=seir"),
        (["simulator=patients", "simulator.care.tested=[1]"], "must have 4 numbers, got 1"),
        (["simulator=patients", "simulator.counts=people"], "must be patient or outbreak"),
        (["simulator=gbm", "disease=measles"], "disease=... has no place in genmodels simulate"),
    ],
)
def test_a_mistake_is_one_clear_line_and_leaves_nothing(
    tmp_path, monkeypatch, capsys, words, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases.csv").write_text("Cases,a\n1,2\n2,2\n")
    code = main(["simulate", "n=10", *words])
    out, err = capsys.readouterr()
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in out + err
    assert left(tmp_path) == []


@pytest.mark.parametrize("name", sorted(choices("disease", [CONFIGS])))
def test_every_disease_makes_epidemics_and_patients(tmp_path, name):
    words = (f"disease={name}", *TOWN, "simulator.model.population.immune=0.3")
    runs = pd.read_parquet(made(tmp_path / "runs", "simulator=seir", *words, "n=50") / "data")
    assert runs["infected"].between(20, 3000).all()
    out = made(tmp_path / "out", "simulator=patients", *words, "n=500")
    frame = pd.read_parquet(out / "data")
    assert manifest_of(out)["simulator"]["parameters"]["disease"]["name"] == name
    assert {"asymptomatic", "mild"} <= set(frame["severity"].unique())


def test_a_disease_of_ones_own_is_a_file_of_the_same_keys(tmp_path):
    folder = tmp_path / "mine" / "disease"
    folder.mkdir(parents=True)
    text = (CONFIGS / "disease" / "influenza.yaml").read_text()
    (folder / "cold.yaml").write_text(text.replace("name: influenza", "name: cold"))
    cfg = compose(
        "simulate",
        [*PATIENTS, "disease=cold", "n=50", f"out={tmp_path / 'out'}"],
        config_dir=tmp_path / "mine",
    )
    assert manifest_of(simulate(cfg))["simulator"]["parameters"]["disease"]["name"] == "cold"


@pytest.mark.parametrize("model", ["ctgan", "tvae"])
@pytest.mark.parametrize("words", [EPIDEMIC, PATIENTS], ids=["seir", "patients"])
def test_generators_train_on_health_data_and_are_judged_without_special_code(
    tmp_path, words, model
):
    real, run, drawn = tmp_path / "real", tmp_path / "run", tmp_path / "drawn"
    made(real, *words, "n=400", "simulator.model.initial=40")
    usual = [word for word in TINY if not word.startswith("model")]
    small = [*usual, f"model={model}", "debug=fast", "validation.rows=50"]
    where = ["data=parquet", f"data.path={real / 'data'}", f"run={run}"]
    assert main(["train", *where, *small, "trainer.max_epochs=1"]) == 0
    assert main(["sample", f"run={run}", "n=200", f"out={drawn}"]) == 0
    frame, truth = (pd.read_parquet(path / "data") for path in (drawn, real))
    assert list(frame) == list(truth)
    if "simulator=patients" in words:
        assert set(frame["severity"].dropna()) <= set(truth["severity"])
        assert frame["onset_date"].isna().any()
    if (model == "ctgan") == ("simulator=patients" in words):
        assert main(["evaluate", f"run={run}", f"synthetic={drawn}", "tensorboard=false"]) == 0
        axes = {axis["axis"] for axis in manifest_of(drawn)["evaluation"]["axes"]}
        assert axes >= {"fidelity", "coverage", "memorisation"}
