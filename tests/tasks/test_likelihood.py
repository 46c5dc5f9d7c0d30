import numpy as np
import pytest

from genmodels.report.rows import Report
from genmodels.tasks.build import load_run
from genmodels.tasks.compose import compose
from genmodels.tasks.judged import Named, real_data
from genmodels.tasks.likelihood import Bounds, with_likelihood
from genmodels.tasks.parts import instantiate
from genmodels.tasks.train import train
from tests.tasks.small import TINY, train_tiny, write_csv

EMPTY = Report("nothing", {}, ())


def extended(run, train, holdout, options):
    parse = instantiate(compose("evaluate", ["synthetic=x"]).kinds.table.parse)
    return with_likelihood(EMPTY, run, train, holdout, parse=parse, options=options, seed=0)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("likelihood")
    run = train_tiny(folder, "model=tvae")
    cfg = compose("evaluate", [f"run={run.path}", f"synthetic={folder / 'people.csv'}"])
    return run, real_data(cfg, Named(cfg, {})), cfg.likelihood


def test_a_run_of_a_vae_gets_a_section_on_its_likelihood(made):
    run, real, options = made
    (section,) = extended(run, real.train, real.holdout, options).sections
    area, gap = section.rows
    n = min(len(real.train), len(real.holdout))
    assert area.n == gap.n == 2 * n
    assert 0.3 < area.value < 0.7
    assert gap.interval[0] < gap.value < gap.interval[1]
    assert "lower bound" in section.text


def test_the_same_seed_gives_the_same_bounds(made):
    run, real, _ = made
    bounds = Bounds(load_run(run), draws=2, batch_size=7, seed=3)
    assert np.array_equal(bounds(real.holdout), bounds(real.holdout))
    again = Bounds(load_run(run), draws=2, batch_size=7, seed=4)
    assert not np.array_equal(bounds(real.holdout), again(real.holdout))


def test_training_rows_against_themselves_show_no_gap(made):
    run, real, options = made
    report = extended(run, real.train, real.train, options)
    low, high = report.sections[0].rows[0].interval
    assert low < 0.5 < high


def test_no_rows_asked_for_leaves_the_report_alone(made):
    run, real, _ = made
    cfg = compose("evaluate", ["synthetic=x", "likelihood.rows=0"]).likelihood
    assert extended(run, real.train, real.holdout, cfg) is EMPTY


def test_rows_that_the_codec_cannot_express_are_a_remark(made):
    run, real, options = made
    short = real.holdout.select(["age"])
    report = extended(run, real.train, short, options)
    assert not report.sections
    assert "was not compared" in report.remarks[0]


def test_levels_that_training_lacked_are_no_obstacle(made, tmp_path):
    run, real, options = made
    path = tmp_path / "other.csv"
    rows = "\n".join(f"{20 + k},{'paris' if k % 3 else 'oslo'},{900 + k}.50" for k in range(60))
    path.write_text(f"age,city,income\n{rows}\n", encoding="utf-8")
    words = [f"run={run.path}", f"synthetic={path}", f"holdout={path}"]
    cfg = compose("evaluate", words)
    holdout = real_data(cfg, Named(cfg, {})).holdout
    report = extended(run, real.train, holdout, options)
    assert report.sections[0].rows[0].n == 2 * 20


def test_an_exact_likelihood_is_called_exact(tmp_path):
    words = ["model=tabvae", "trainer.max_epochs=1"]
    data = write_csv(tmp_path / "people.csv", rows=200)
    kept = [w for w in TINY if not w.startswith("model.")]
    run = train(compose("train", [f"data.path={data}", f"run={tmp_path / 'run'}", *kept, *words]))
    cfg = compose("evaluate", [f"run={run.path}", f"synthetic={data}"])
    real = real_data(cfg, Named(cfg, {}))
    (section,) = extended(run, real.train, real.holdout, cfg.likelihood).sections
    assert "exact" in section.text
    assert "bound" not in section.text


def test_a_run_of_a_gan_has_no_such_section(tmp_path):
    words = ["model=ctgan", "trainer.max_epochs=1", "validation.monitor=val/score"]
    words += ["model.generator.hidden=[8]", "model.discriminator.hidden=[8]"]
    data = write_csv(tmp_path / "people.csv", rows=200)
    kept = [w for w in TINY if not w.startswith(("model.encoder", "model.decoder"))]
    run = train(compose("train", [f"data.path={data}", f"run={tmp_path / 'run'}", *kept, *words]))
    cfg = compose("evaluate", [f"run={run.path}", f"synthetic={data}"])
    real = real_data(cfg, Named(cfg, {}))
    report = extended(run, real.train, real.holdout, cfg.likelihood)
    assert report is EMPTY


def test_a_model_that_was_trained_too_long_knows_its_training_rows(tmp_path):
    levels = np.random.default_rng(0).integers(0, 9, (300, 8))
    lines = ["a,b,c,d,e,f,g,h", *(",".join(f"k{x}" for x in line) for line in levels)]
    path = tmp_path / "noise.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = [f"data.path={path}", "data.holdout=0.4", f"run={tmp_path / 'run'}", "model=tvae"]
    words += ["trainer.accelerator=cpu", "logger=none", "callbacks.preview=null"]
    words += ["model.encoder.hidden=[128]", "model.decoder.hidden=[128]"]
    words += ["batching.batch_size=80", "trainer.max_epochs=300", "validation.every=300"]
    run = train(compose("train", [*words, "validation.select=last"]))
    cfg = compose("evaluate", [f"run={run.path}", f"synthetic={path}"])
    real = real_data(cfg, Named(cfg, {}))
    area, gap = extended(run, real.train, real.holdout, cfg.likelihood).sections[0].rows
    assert area.interval[0] > 0.8
    assert gap.interval[0] > 1.0
