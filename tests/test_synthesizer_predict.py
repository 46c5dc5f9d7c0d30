"""Log-probabilities and predictions of a trained synthesizer, and refusals by name."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from genmodels import Synthesizer
from genmodels.types import Images

COMMON = ("callbacks.preview=null", "trainer.accelerator=cpu")
SHORT = (
    *COMMON, "model.network.hidden=32", "batching.batch_size=128", "model.optimizer.lr=0.005",
    "batching.updates_per_epoch=60", "callbacks.anneal.warm_up=1000",
)  # fmt: skip
TINY = (
    *COMMON, "model.network.hidden=4", "model.likelihood.components=2",
    "batching.updates_per_epoch=2",
)  # fmt: skip


def frame(rows=1200, seed=0):
    """y is yes where x > 0, unless the size is s, where it is the other way round."""
    rng = np.random.default_rng(seed)
    x, size = rng.normal(size=rows), rng.choice(["s", "m", "l"], rows)
    data = pd.DataFrame(
        {
            "x": x,
            "size": pd.Categorical(size, ["s", "m", "l", "never"], ordered=True),
            "flag": x + rng.normal(size=rows) * 0.1 > 0.0,
            "wait": pd.to_timedelta(rng.integers(0, 500, rows), "s"),
            "at": pd.date_range("2020-01-01", periods=rows, freq="7h", tz="Europe/Paris"),
            "gap": pd.array(rng.integers(0, 500, rows), dtype="Int64"),
            "z": 2.0 * x + rng.normal(size=rows) * 0.2,
            "y": np.where((x > 0) ^ (size == "s"), "yes", "no"),
        },
        index=[f"row {i}" for i in range(rows)],
    )
    data.loc[data.index[::7], "gap"] = pd.NA
    return data


@pytest.fixture(scope="module")
def fitted():
    return Synthesizer("tabvae", epochs=8, overrides=SHORT).fit(frame(), target="y")


def test_a_strong_rule_is_predicted(fitted):
    data = frame(300, seed=1)
    found = fitted.predict(data)
    assert (found == data["y"]).mean() > 0.93
    assert found.name == "y"
    assert found.dtype == data["y"].dtype
    assert found.index.equals(data.index)


def test_a_column_that_the_run_does_not_know_is_left_out_with_a_warning(fitted, caplog):
    data = frame(20, seed=1)
    found = fitted.predict_proba(data.assign(note="n", other=1))
    assert "left out: 'note', 'other'" in caplog.text
    pd.testing.assert_frame_equal(found, fitted.predict_proba(data))


def test_more_candidates_and_a_scenario_can_be_asked_for_in_python(fitted, tmp_path):
    strata = {"one": {"share": 0.5, "given": {"y": "yes"}}}
    (tmp_path / "s.yaml").write_text(json.dumps(strata))
    some = fitted.sample(20, scenario=strata)
    pd.testing.assert_frame_equal(some, fitted.sample(20, scenario=tmp_path / "s.yaml"))
    given = {"x": "> 0.5", "z": "> 1"}
    assert not fitted.sample(20, given=given, candidates=1).equals(fitted.sample(20, given=given))


def test_one_row_is_enough(fitted):
    one = frame(300, seed=1).head(1)
    assert len(fitted.predict(one)) == len(fitted.predict_proba(one)) == 1
    assert len(fitted.log_prob(one)) == 1
    completed = fitted.complete(one.drop(columns="y"))
    assert completed["x"].tolist() == one["x"].tolist()
    with pytest.raises(ValueError, match="one row only"):
        Synthesizer("tabvae", overrides=TINY).fit(one)


def test_probabilities_sum_to_one_and_name_the_classes(fitted):
    data = frame(40, seed=2)
    found = fitted.predict_proba(data)
    assert list(found.columns) == ["no", "yes"]
    assert found.index.equals(data.index)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-9)
    flags = fitted.predict_proba(data, "flag")
    assert list(flags.columns) == [False, True]
    assert fitted.predict(data, "flag").dtype == bool


def test_what_the_rows_say_of_the_target_is_not_read(fitted):
    data = frame(30, seed=3)
    found = fitted.predict_proba(data)
    for other in (data.assign(y="no"), data.drop(columns="y"), data.assign(y=None)):
        pd.testing.assert_frame_equal(fitted.predict_proba(other), found)


def test_columns_that_are_not_there_are_summed_over(fitted):
    data = frame(150, seed=4)
    found = fitted.predict(data[["x", "size"]], draws=8)
    assert (found == data["y"]).mean() > 0.9
    pd.testing.assert_series_equal(fitted.predict(data[["x", "size"]], draws=8), found)
    likely = fitted.predict_proba(data[["x"]], draws=8)["yes"]
    assert ((likely > 0.2) & (likely < 0.8)).mean() > 0.15  # without the size


def test_numbers_are_told_by_their_mean_or_median(fitted):
    data = frame(150, seed=5)
    for how in ("mean", "median"):
        found = fitted.predict(data, "z", how=how, draws=16)
        assert np.corrcoef(found, data["z"])[0, 1] > 0.8
    assert found.dtype == np.float64


def test_times_and_spans_come_back_in_their_dtype(fitted):
    data = frame(20, seed=6)
    for name in ("at", "wait"):
        found = fitted.predict(data, name, draws=4)
        assert found.dtype == data[name].dtype
        assert found.between(frame()[name].min(), frame()[name].max()).all()


def test_the_mean_of_a_column_with_gaps_is_that_of_its_values(fitted):
    found = fitted.predict(frame(30, seed=7), "gap", draws=8)
    assert found.notna().all()
    assert found.between(0, 500).all()


def test_a_log_probability_is_higher_where_the_rule_holds(fitted):
    data = frame(100, seed=8)
    wrong = data.assign(y=data["y"].map({"yes": "no", "no": "yes"}))
    found, other = fitted.log_prob(data), fitted.log_prob(wrong)
    assert found.shape == (100,)
    assert found.dtype == np.float64
    assert (found > other).mean() > 0.9
    np.testing.assert_array_equal(found, fitted.log_prob(data))
    np.testing.assert_allclose(found[:7], fitted.log_prob(data.head(7)), atol=1e-3)


@pytest.mark.parametrize("target", ["y", "size", "flag"])
def test_given_the_others_it_is_that_of_the_prediction(fitted, target):
    data = frame(60, seed=9)
    others = [name for name in data.columns if name != target]
    found = np.exp(fitted.log_prob(data, given=others))
    p = fitted.predict_proba(data, target)
    wanted = p.to_numpy()[np.arange(60), p.columns.get_indexer(data[target])]
    np.testing.assert_allclose(found, wanted, atol=0.02)  # but for the place within a step
    assert np.array_equal(fitted.log_prob(data, given=list(data.columns)), np.zeros(60))


def test_a_saved_run_predicts_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "kept")
    data = frame(20, seed=10)
    loaded = Synthesizer.load(tmp_path / "kept")
    pd.testing.assert_frame_equal(loaded.predict_proba(data), fitted.predict_proba(data))


CALLS = {
    "log_prob": lambda made, data: made.log_prob(data),
    "predict_proba": lambda made, data: made.predict_proba(data),
    "predict": lambda made, data: made.predict(data),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_before_fit_there_is_a_clear_error(call):
    with pytest.raises(NotFittedError, match=r"call fit\(data\) first"):
        call(Synthesizer("tabvae"), frame(5))


@pytest.mark.parametrize("model", ["tvae", "ctgan"])
def test_models_without_an_exact_likelihood_are_refused_by_name(model):
    few = (*COMMON, "batching.updates_per_epoch=1")
    made = Synthesizer(model, epochs=1, overrides=few).fit(frame(150)[["x", "y"]], target="y")
    for call in CALLS.values():
        with pytest.raises(ValueError, match=f"model={model} cannot .*tabvae"):
            call(made, frame(5)[["x", "y"]])


def test_models_of_images_are_refused_by_name():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
    few = (*COMMON, "model.latent_dim=4", "batching.updates_per_epoch=1")
    images = Images(pixels, np.arange(40) % 2, ("cat", "dog"))
    made = Synthesizer("conv_vae", epochs=1, overrides=few).fit(images)
    with pytest.raises(ValueError, match="model=conv_vae makes pictures"):
        made.predict(frame(5))


def test_mistakes_are_named(fitted):
    data = frame(5)
    with pytest.raises(ValueError, match=r"there is no 'sise'; did you mean 'size'\?"):
        fitted.predict(data, "sise")
    for target in ("y", "z"):
        with pytest.raises(ValueError, match="how must be mean or median, got 'mode'"):
            fitted.predict(data, target, how="mode")
    with pytest.raises(ValueError, match=r"has no classes.* use predict"):
        fitted.predict_proba(data, "z")
    with pytest.raises(ValueError, match="'xl'"):
        fitted.predict(data.assign(size="xl"))
    with pytest.raises(ValueError, match="'xl'"):
        fitted.log_prob(data.assign(size="xl"))
    with pytest.raises(ValueError, match="no column 'size'"):
        fitted.log_prob(data.drop(columns="size"))
    with pytest.raises(ValueError, match=r"given must be a list of names, such as \['x'\]"):
        fitted.log_prob(data, given="x")
    with pytest.raises(TypeError, match="pandas DataFrame"):
        fitted.predict([[1.0]])


def test_what_cannot_be_predicted_is_refused_by_name():
    data = frame(120)[["x"]].assign(one="same", key=[f"K{i:05d}" for i in range(120)])
    made = Synthesizer("tabvae", epochs=1, overrides=TINY).fit(data)
    with pytest.raises(ValueError, match="the run has no target"):
        made.predict(data)
    with pytest.raises(ValueError, match="'key' holds identifiers"):
        made.predict(data, "key")
    with pytest.raises(ValueError, match="'one' had one value in training, 'same'"):
        made.predict(data, "one")
