"""calibrate=...: margins agree with training, rows stay rows, refusals, and who is told of it."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

import genmodels
from genmodels import Synthesizer
from genmodels.tasks import calibrate
from genmodels.tasks.calibrate import read_calibrate
from genmodels.tasks.compose import compose
from genmodels.tasks.evaluate import evaluate
from genmodels.tasks.sample import sample
from genmodels.tasks.sampler import build_sampler
from genmodels.types import Images
from tests.tasks.test_evaluate import FAST

QUICK = ("callbacks.preview=null", "trainer.accelerator=cpu", "batching.updates_per_epoch=30")
ROWS = 3000


def people(rows=ROWS, seed=0):
    """A job that tells the wage, a number with a point mass, missing values and a date."""
    rng = np.random.default_rng(seed)
    job = rng.choice(["clerk", "smith", "judge"], rows, p=[0.7, 0.25, 0.05])
    wage = np.round(rng.lognormal(np.where(job == "judge", 5.0, 3.0), 0.3), 2)
    bonus = np.where(rng.random(rows) < 0.4, 0.0, np.round(rng.gamma(2.0, 300.0, rows), 1))
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D")
    frame = pd.DataFrame({"job": job, "wage": wage, "bonus": bonus, "start": start})
    frame["rich"] = np.where(wage > 60, "yes", "no")
    frame.loc[rng.random(rows) < 0.1, ["bonus", "start"]] = None
    return frame


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    people().to_csv(folder / "people.csv", index=False)
    people(400, 1).to_csv(folder / "apart.csv", index=False)
    synthesizer = Synthesizer("tabvae", epochs=1, overrides=QUICK, run=folder / "run")
    return synthesizer.fit(people(), target="rich")


@pytest.fixture(scope="module")
def off_course(made, tmp_path_factory):
    """The same run with the biases of its heads moved: margins are wrong on purpose."""
    place = tmp_path_factory.mktemp("moved") / "run"
    made.save(place)
    moved = Synthesizer.load(place)
    likelihood = moved._loaded.model.held["likelihood"]
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for bias in likelihood.biases:
            bias += 0.5 * torch.randn(bias.shape, generator=generator)
        components = likelihood.components
        likelihood.mixture_bias[:, :, components : 2 * components] += 0.4
    return moved


def write(made, out, *words, n=300):
    words = (f"run={made.run_}", f"out={out}", f"n={n}", *words)
    return sample(compose("sample", words))


def distances(frame):
    """By name: total variation of levels, Kolmogorov-Smirnov distance of numbers and dates."""
    real, found = people(), {}
    for name in ("job", "rich"):
        shares = [f[name].value_counts(normalize=True) for f in (real, frame)]
        found[name] = shares[0].subtract(shares[1], fill_value=0).abs().sum() / 2
    for name in ("wage", "bonus", "start"):
        parts = [pd.to_numeric(f[name].dropna()).to_numpy(float) for f in (real, frame)]
        found[name] = stats.ks_2samp(*parts).statistic
        found[f"{name} missing"] = abs(real[name].isna().mean() - frame[name].isna().mean())
    return found


def test_margins_are_those_of_training_after_marginal_and_are_not_before(off_course):
    before, after = (
        distances(off_course.sample(20_000, calibrate=how)) for how in ("off", "marginal")
    )
    assert max(before.values()) > 0.1
    assert max(after.values()) < 0.025
    assert sum(after.values()) < 0.2 * sum(before.values())


def test_a_rule_that_was_learned_survives(off_course):
    kept = []
    for how in ("off", "marginal"):
        frame = off_course.sample(20_000, calibrate=how)
        kept.append(((frame["rich"] == "yes") == (frame["wage"] > 60)).mean())
    assert kept[1] > max(0.9, kept[0] - 0.01)


@pytest.mark.parametrize("how", ["pin", "marginal"])
def test_numbers_reach_the_ends_of_training_and_nothing_beyond(made, how):
    frame, real = made.sample(60_000, calibrate=how), people()
    for name in ("wage", "bonus", "start"):
        assert frame[name].min() == real[name].min()
        assert frame[name].max() == real[name].max()
        most = (frame[name] == real[name].max()).mean()
        assert most < 4 * max((real[name] == real[name].max()).mean(), 1 / ROWS)


def test_pin_leaves_levels_and_the_middle_of_the_first_number_alone(made):
    off, pin = made.sample(5000), made.sample(5000, calibrate="pin")
    assert (off["job"] == pin["job"]).all()
    inner = off["wage"].between(*off["wage"].quantile([0.05, 0.95]))
    assert (off["wage"] == pin["wage"])[inner].mean() > 0.999


@pytest.mark.parametrize("how", ["pin", "marginal"])
def test_row_i_depends_on_neither_n_nor_workers_nor_the_call(made, how):
    def draw(n, workers):
        loaded = made._loaded
        made_of = build_sampler(loaded, seed=3, calibrate=how, block_rows=64, workers=workers)
        return made_of.sample(n).to_pandas()

    whole = draw(300, 1)
    pd.testing.assert_frame_equal(draw(300, 2), whole)
    pd.testing.assert_frame_equal(draw(70, 1), whole.head(70))


def test_a_pilot_is_drawn_once_for_a_run_that_was_loaded(made, monkeypatch):
    made.save(folder := made.run_.parent / "once")
    drawn, again = [], Synthesizer.load(folder)
    whole = calibrate.calibration_of
    monkeypatch.setattr(
        calibrate, "calibration_of", lambda *a, **k: (drawn.append(a[2]), whole(*a, **k))[1]
    )
    frames = [again.sample(20, calibrate=how) for how in ("pin", "pin", "marginal", "pin")]
    assert drawn == ["pin", "marginal"]
    pd.testing.assert_frame_equal(frames[0], frames[3])


def test_manifest_card_and_frame_say_so_and_nothing_is_said_when_off(made, tmp_path):
    on = write(made, tmp_path / "on", "calibrate=marginal")
    told = json.loads((on / "manifest.json").read_text())["calibrated"]
    assert told["calibrate"] == "marginal"
    assert told["pilot_rows"] == 32768
    card = (on / "README.md").read_text()
    assert "calibrate=marginal" in card
    assert "every level and number occurs, in expectation, as often as in training" in card
    off = write(made, tmp_path / "off", "calibrate=off")
    assert "calibrated" not in json.loads((off / "manifest.json").read_text())
    assert "alibrated" not in (off / "README.md").read_text()
    assert made.sample(5, calibrate="pin").attrs == {"calibrate": "pin"}
    assert made.sample(5).attrs == {}


@pytest.mark.parametrize("named", ["", "data", "data/*.csv", "data/train-00000-of-00001.csv"])
def test_the_report_says_so_whatever_part_of_the_dataset_is_named(made, tmp_path, named):
    out = write(made, tmp_path / "made", "calibrate=pin", "format=csv")
    folder = made.run_.parent
    words = [f"real={folder / 'people.csv'}", f"holdout={folder / 'apart.csv'}"]
    words += [f"synthetic={out / named}", f"out={tmp_path / 'report'}", *FAST]
    if named:
        words.append("kinds.table.suite.utility_rows=10")
    report, paths = evaluate(compose("evaluate", words))
    assert report.facts["calibrated"] == "pin"
    assert "calibrate=pin" in report.cautions[0]
    for path in paths:
        assert "calibrate=pin" in path.read_text()


def test_the_report_of_a_frame_says_so_and_that_of_another_does_not(made):
    for how, told in (("marginal", "marginal"), ("off", None)):
        report = genmodels.evaluate(
            made.sample(300, calibrate=how), real=people(), holdout=people(400, 1), overrides=FAST
        )
        assert report.facts.get("calibrated") == told
        assert any("calibrate" in text for text in report.cautions) == (told is not None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["calibrate=margnal"], "off, pin or marginal, got 'margnal'.*marginal"),
        (["calibrate=pin", "given.rich=yes"], "calibrate=pin and given cannot be combined"),
        (["calibrate=marginal", "balance=job"], "marginal and balance cannot"),
        (["calibrate=marginal", "shares.job={judge: 0.5}"], "marginal and shares cannot"),
        (["calibrate=marginal", "temper=1.2"], "marginal and temper cannot"),
        (["calibrate=marginal", "constraints=[wage > 3]"], "marginal and constraints cannot"),
    ],
)
def test_a_mistake_is_named_and_leaves_nothing(made, tmp_path, words, message):
    with pytest.raises(ValueError, match=message):
        write(made, tmp_path / "out", *words)
    assert not list(tmp_path.iterdir())


def test_a_scenario_and_partial_rows_are_refused(made, tmp_path):
    (tmp_path / "stress.yaml").write_text("old: {share: 0.5, given: {rich: 'yes'}}\n")
    people(300)[["job"]].to_csv(tmp_path / "partial.csv", index=False)
    for word in (f"scenario={tmp_path / 'stress.yaml'}", f"complete={tmp_path / 'partial.csv'}"):
        with pytest.raises(ValueError, match=f"{word.split('=')[0]} cannot be combined"):
            write(made, tmp_path / "out", "calibrate=pin", word)


def test_a_run_without_margins_says_to_train_again(made, tmp_path):
    made.save(tmp_path / "kept")
    old = tmp_path / "old"
    shutil.copytree(tmp_path / "kept", old)
    (old / "margins.json").unlink()
    assert len(Synthesizer.load(old).sample(5)) == 5
    with pytest.raises(ValueError, match="Train again"):
        Synthesizer.load(old).sample(5, calibrate="pin")
    (old / "margins.json").write_text('{"variables": []}')
    with pytest.raises(ValueError, match=r"margins.json: the margins do not go with"):
        Synthesizer.load(old)


def test_pictures_and_scores_within_modes_are_refused():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
    few = (*QUICK[:2], "batching.updates_per_epoch=1")
    pictures = Synthesizer("conv_vae", epochs=1, overrides=(*few, "model.latent_dim=8"))
    pictures.fit(Images(pixels, np.arange(40) % 2, ("cat", "dog")))
    with pytest.raises(ValueError, match=r"calibrate=pin: .* model=conv_vae makes pictures"):
        pictures.sample(2, calibrate="pin")
    modes = Synthesizer("tabvae", epochs=1, overrides=(*few, "codec=mode_specific"))
    with pytest.raises(ValueError, match="codec=tabvae or codec=quantile"):
        modes.fit(people(300), target="rich").sample(5, calibrate="pin")


def test_a_bare_off_of_yaml_is_off():
    assert read_calibrate(False) == "off"
    assert compose("sample", ["run=x"]).calibrate == "off"
