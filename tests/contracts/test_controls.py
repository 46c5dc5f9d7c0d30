"""Each control on each model of tables: it holds in every row, or it is refused by name."""

import json

import numpy as np
import pandas as pd
import pytest

from genmodels import Synthesizer
from genmodels.algorithms.base import Calibratable, Controllable
from genmodels.tasks.choices import CONFIGS, choices
from genmodels.tasks.compose import compose
from genmodels.tasks.control import Asked
from genmodels.tasks.sample import sample
from genmodels.tasks.sampler import build_sampler

ROWS = 240
MODELS = [
    name
    for name in choices("model", [CONFIGS])
    if compose("train", [f"model={name}"]).choices.codec != "image"
]
COMMON = ("callbacks.preview=null", "trainer.accelerator=cpu", "batching.updates_per_epoch=4")
REDRAWS = 300  # a model of four updates makes few rows that are as asked


def people():
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 100, ROWS), "D")
    frame = pd.DataFrame(
        {
            "id": [f"P{i:04d}" for i in range(ROWS)],
            "age": rng.integers(18, 80, ROWS).astype(float),
            "low": np.round(rng.random(ROWS) * 10, 1),
            "high": np.round(5 + rng.random(ROWS) * 10, 1),
            "sum": np.zeros(ROWS),
            "job": rng.choice(["clerk", "smith", "judge"], ROWS, p=[0.6, 0.3, 0.1]),
            "rich": rng.choice(["yes", "no"], ROWS, p=[0.3, 0.7]),
            "start": start,
            "end": start + pd.to_timedelta(rng.integers(0, 50, ROWS), "D"),
        }
    )
    frame["sum"] = np.round(frame["low"] + frame["high"] + rng.integers(0, 3, ROWS), 1)
    frame.loc[::7, "age"] = np.nan
    return frame


@pytest.fixture(scope="module", params=MODELS)
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    made = Synthesizer(request.param, epochs=1, overrides=COMMON, run=folder / "run")
    return request.param, made.fit(people(), target="rich")


def write(made, out, *words, n=60):
    cfg = compose(
        "sample",
        [f"run={made.run_}", f"out={out}", f"n={n}", f"redraws={REDRAWS}", *words],
    )
    folder = sample(cfg)
    manifest = json.loads((folder / "manifest.json").read_text())
    return pd.read_parquet(folder / "data"), manifest


HELD = [
    ({"given": {"rich": "yes"}}, lambda t: t["rich"] == "yes"),
    ({"given": {"age": "missing"}}, lambda t: t["age"].isna()),
    ({"given": {"age": "30..70"}}, lambda t: t["age"].between(30, 70)),
    ({"given": {"job": ["clerk", "judge"]}}, lambda t: t["job"].isin(["clerk", "judge"])),
    ({"given": {"job": "not smith"}}, lambda t: t["job"] != "smith"),
    (
        {"given": {"start": "2020-01-10..2020-03-31"}},
        lambda t: t["start"].between("2020-01-10", "2020-03-31"),
    ),
    ({"constraints": ["start <= end"]}, lambda t: t["start"] <= t["end"]),
    ({"constraints": ["sum = low + high"]}, lambda t: np.isclose(t["sum"], t["low"] + t["high"])),
    ({"constraints": ["0 <= low <= 9"]}, lambda t: t["low"].between(0, 9)),
    (
        {"constraints": ["rich = yes => age not missing"]},
        lambda t: (t["rich"] == "no") | t["age"].notna(),
    ),
]


def draw(made, n=60, **asked):
    wanted = Asked(**{"redraws": REDRAWS, **asked})
    drawn = build_sampler(made._loaded, seed=0, asked=wanted, block_rows=64).sample(n)
    return drawn.to_pandas()


@pytest.mark.parametrize(("asked", "holds"), HELD, ids=[str(asked)[:50] for asked, _ in HELD])
def test_what_is_asked_of_each_row_holds_in_each_row(run, asked, holds):
    _, made = run
    table = draw(made, **asked)
    assert len(table) == 60
    assert holds(table).all()
    assert table["id"].is_unique


def test_several_wishes_hold_together_and_do_not_depend_on_how_many_rows(run):
    _, made = run
    asked = {"given": {"age": ">= 30", "rich": "no"}, "constraints": ["start <= end"]}
    table = draw(made, **asked)
    fits = (table["age"] >= 30) & (table["rich"] == "no") & (table["start"] <= table["end"])
    assert fits.all()
    pd.testing.assert_frame_equal(draw(made, n=9, **asked), table.head(9))


def test_levels_are_balanced_or_have_target_shares(run):
    _, made = run
    table = draw(made, n=300, balance="job")
    assert table["job"].value_counts(normalize=True).between(0.23, 0.44).all()
    table = draw(made, n=300, shares={"rich": {"yes": 0.8}})
    assert 0.7 < (table["rich"] == "yes").mean() < 0.9


def test_a_scenario_has_its_strata(run, tmp_path):
    _, made = run
    path = tmp_path / "stress.yaml"
    path.write_text("old: {share: 0.5, given: {age: '>= 40', rich: 'yes'}}\n")
    table, manifest = write(made, tmp_path / "out", f"scenario={path}", n=200)
    assert ((table["age"] >= 40) & (table["rich"] == "yes")).mean() > 0.4
    assert manifest["control"]["scenario"] == {
        "old": {"share": 0.5, "given": {"age": ">= 40", "rich": "yes"}}
    }


def test_partial_rows_are_completed_or_it_is_refused_by_name(run, tmp_path):
    name, made = run
    partial = people()[["id", "age", "job", "start"]].head(50)
    partial.loc[partial.index[::2], "job"] = None
    partial.to_csv(tmp_path / "partial.csv", index=False)
    if not isinstance(made._loaded.model, Controllable):
        with pytest.raises(ValueError, match=rf"model={name} cannot do complete=.*tabvae"):
            write(made, tmp_path / "out", f"complete={tmp_path / 'partial.csv'}", n=50)
        with pytest.raises(ValueError, match=rf"model={name} cannot do complete="):
            made.complete(partial)
        return
    table, _ = write(made, tmp_path / "out", f"complete={tmp_path / 'partial.csv'}", n=50)
    whole = made.complete(partial, seed=0)
    for filled in (table, whole):
        assert len(filled) == 50
        assert filled["id"].tolist() == partial["id"].tolist()
        assert filled["start"].tolist() == partial["start"].tolist()
        known = partial["job"].notna().to_numpy()
        assert (filled["job"].to_numpy()[known] == partial["job"].to_numpy()[known]).all()
        assert filled["job"].notna().all()
        told = partial["age"].notna().to_numpy()
        assert (filled["age"].to_numpy()[told] == partial["age"].to_numpy()[told]).all()
        assert filled["age"].notna().all()


def test_temper_changes_the_rows_or_is_refused_by_name(run):
    name, made = run
    if not isinstance(made._loaded.model, Controllable):
        with pytest.raises(ValueError, match=rf"model={name} cannot do temper="):
            made.sample(10, temper=1.5)
        return
    assert not made.sample(50, temper=3.0).equals(made.sample(50))


@pytest.mark.parametrize("how", ["pin", "marginal"])
def test_margins_are_those_of_training_or_it_is_refused_by_name(run, how):
    name, made = run
    if not isinstance(made._loaded.model, Calibratable):
        with pytest.raises(ValueError, match=rf"model={name} cannot do calibrate={how}.*tabvae"):
            made.sample(10, calibrate=how)
        return
    table, real = made.sample(4000, calibrate=how), people()
    for column in ("age", "low", "high", "start"):
        assert table[column].min() >= real[column].min()
        assert table[column].max() <= real[column].max()
    if how == "marginal":
        for column, share in (("job", {"clerk": 0.6, "smith": 0.3, "judge": 0.1}),
                              ("rich", {"yes": 0.3, "no": 0.7})):  # fmt: skip
            found = table[column].value_counts(normalize=True)
            wanted = real[column].value_counts(normalize=True)
            assert set(found.index) == set(share)
            assert (found - wanted).abs().max() < 0.08  # 12 rows of 240 chose the weights
        assert abs(table["age"].isna().mean() - real["age"].isna().mean()) < 0.08
    with pytest.raises(ValueError, match=f"calibrate={how} and given cannot be combined"):
        build_sampler(made._loaded, seed=0, asked=Asked(given={"rich": "yes"}), calibrate=how)


def test_what_cannot_be_drawn_is_an_error_or_fewer_rows(run, tmp_path):
    _, made = run
    words = ("constraints=[age > 50]", "redraws=0")
    with pytest.raises(ValueError, match=r"of the first 60 rows are as asked after 0 redraws"):
        write(made, tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()
    table, manifest = write(made, tmp_path / "out", *words, "shortfall=drop", n=400)
    assert 0 < len(table) < 400
    assert (table["age"].isna() | (table["age"] > 50)).all()
    assert manifest["rows"] == len(table)
    assert manifest["shortfall"]["dropped"] == 400 - len(table)
    assert manifest["control"]["constraints"] == ["age > 50"]


def test_levels_that_share_a_code_can_be_asked_for():
    overrides = (*COMMON, "codec.max_levels=2")  # clerk, and the others together
    made = Synthesizer("tabvae", epochs=1, overrides=overrides).fit(people(), target="rich")
    assert set(draw(made, given={"job": "judge"}, redraws=0)["job"]) == {"judge"}
    both = draw(made, n=600, given={"job": ["smith", "judge"]}, redraws=0)["job"]
    assert 0.65 < (both == "smith").mean() < 0.85
    assert set(draw(made, given={"job": "not smith"})["job"]) == {"clerk", "judge"}


def test_there_are_models_of_both_kinds():
    assert {"ctgan", "tvae", "tabvae"} <= set(MODELS)
