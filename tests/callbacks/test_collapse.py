"""The alarm says what it saw, once; it goes back to what was best, so often and no more."""

import logging
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from genmodels.callbacks.checkpoint import read_checkpoint
from genmodels.callbacks.collapse import CollapseAlarm
from genmodels.callbacks.follow import Follow
from genmodels.callbacks.ledger import Ledger
from genmodels.metrics.quick import image_diversity
from genmodels.run import Run
from genmodels.schedules import Constant
from genmodels.tasks.compose import compose
from genmodels.tasks.train import train
from genmodels.types import Images
from tests.algorithms.test_image_updates import batch, gan, optimizers


def alarm(tmp_path, spreads=(), **changes):
    """With a diversity that takes these values in turn, then 1."""
    values = iter(spreads)
    options = {
        "run": Run(tmp_path), "ledger": Ledger(path=tmp_path / "metrics.jsonl", writer=None),
        "sample": lambda n: [0] * n, "validation": [0] * 4, "seed": 0,
        "diversity": lambda real, made, seed: next(values, 1.0), "monitor": "val/score",
        "rows": 10, "least_diversity": 0.5, "most_won": 0.99, "patience": 3, "worse": 1.5,
        "rollback": False, "factor": 0.5, "most_rollbacks": 2, "advice": "Try augment=ada",
    }  # fmt: skip
    (tmp_path / "checkpoints").mkdir(exist_ok=True)
    return CollapseAlarm(**(options | changes))


def trainer_of(model, callbacks=()):
    return SimpleNamespace(
        optimizers=optimizers(model), callbacks=list(callbacks), is_global_zero=True,
        current_epoch=0, max_epochs=1000, should_stop=False,
        strategy=SimpleNamespace(broadcast=lambda value: value),
    )  # fmt: skip


def measure(made, scores, won=0.7, model=None, trainer=None):
    """End one epoch per score."""
    model = model or gan()
    trainer = trainer or trainer_of(model)
    for score in scores:
        values = {"val/score": score, "train/discriminator/won": won}
        made.ledger.record(values, samples_seen=model.num_samples, epoch=1)
        made.on_train_epoch_end(trainer, model)
        trainer.current_epoch += 1


def said(caplog):
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def test_little_diversity_three_times_in_a_row_is_said_once(tmp_path, caplog):
    made = alarm(tmp_path, [0.4, 0.4, 0.9, 0.4, 0.3, 0.31, 0.2, 0.2])
    measure(made, [0.1] * 5)
    assert said(caplog) == []
    measure(made, [0.1] * 3)
    (line,) = said(caplog)
    assert "31% as far apart as real ones" in line
    assert "augment=ada" in line
    assert "\n" not in line
    assert made.ledger.latest["val/diversity"] == 0.2


def test_a_discriminator_that_always_wins_is_a_sign_where_nothing_improves(tmp_path, caplog):
    measure(alarm(tmp_path), [0.6, 0.5, 0.4, 0.3, 0.2, 0.1], won=1.0)
    assert said(caplog) == []
    measure(alarm(tmp_path), [0.1] * 4, won=0.995)
    assert "tells 99.5% of all pairs apart" in said(caplog)[0]


def test_a_score_that_rises_is_a_sign_when_it_is_far_from_its_best(tmp_path, caplog):
    measure(alarm(tmp_path), [1.0, 1.1, 1.2, 1.3, 1.2, 1.5, 1.6])
    assert said(caplog) == []
    measure(alarm(tmp_path), [1.0, 1.1, 1.2, 1.6])
    assert "val/score rose 3 times in a row, from a best of 1 to 1.6" in said(caplog)[0]


def test_it_warns_again_after_all_was_well(tmp_path, caplog):
    measure(alarm(tmp_path, [0.1] * 4 + [0.9] + [0.1] * 3), [0.1] * 8)
    assert len(said(caplog)) == 2


def test_what_it_counted_survives_a_resume(tmp_path, caplog):
    first = alarm(tmp_path, [0.1, 0.1])
    measure(first, [0.1, 0.1])
    second = alarm(tmp_path, [0.1])
    second.load_state_dict(first.state_dict())
    measure(second, [0.1])
    assert len(said(caplog)) == 1


def test_it_goes_back_to_the_best_weights_with_lower_rates_and_an_unbroken_clock(tmp_path, caplog):
    torch.manual_seed(0)
    model, follow = gan(), Follow(rate=Constant(value=1.0))
    made = alarm(tmp_path, rollback=True)
    trainer = trainer_of(model, [follow, made])
    follow.on_train_start(trainer, model)

    def learn():
        model.update(batch(model), trainer.optimizers, measure=False)
        model.num_samples += 12
        model.samples_seen.fill_(model.num_samples)

    learn()
    measure(made, [0.1], model=model, trainer=trainer)
    best = {name: value.clone() for name, value in model.state_dict().items()}
    moments = trainer.optimizers[0].state_dict()["state"][0]["exp_avg_sq"].clone()
    for score in (0.2, 0.3, 0.4):
        learn()
        measure(made, [score], model=model, trainer=trainer)
    after = model.state_dict()
    assert int(after.pop("samples_seen")) == 48
    assert all(torch.equal(value, best[name]) for name, value in after.items())
    assert torch.equal(trainer.optimizers[0].state_dict()["state"][0]["exp_avg_sq"], moments)
    follow.on_train_batch_start(trainer, model, None, 0)
    rates = [group["lr"] for made_ in trainer.optimizers for group in made_.param_groups]
    assert rates == pytest.approx([1e-3, 1e-3])
    assert "went back to the weights with val/score = 0.1" in said(caplog)[-1]
    for _ in range(3):
        measure(made, [0.2, 0.3, 0.4, 0.5], model=model, trainer=trainer)
    assert made.rollbacks == 2


def rolled_back(tmp_path, caplog, change):
    """After a good state, a change, and three bad numbers: whether it went back, and the log."""
    model, made = gan(), alarm(tmp_path, rollback=True)
    trainer = trainer_of(model, [made])
    model.num_samples = 500
    measure(made, [0.3], model=model, trainer=trainer)
    change(made, model, trainer)
    measure(made, [0.4, 0.5, 0.6], model=model, trainer=trainer)
    return made.rollbacks > 0, "\n".join(said(caplog))


def test_a_state_of_a_future_that_did_not_happen_is_not_gone_back_to(tmp_path, caplog):
    def crash(made, model, trainer):
        saved = made.state_dict()
        model.num_samples = 1000
        measure(made, [0.2], model=model, trainer=trainer)
        made.load_state_dict(saved)
        model.num_samples = 500

    back, text = rolled_back(tmp_path, caplog, crash)
    assert not back
    assert text.count("the run went on from an earlier state: it is removed") == 1
    assert not (tmp_path / "checkpoints" / "good.ckpt").exists()


def test_a_state_with_a_clock_ahead_of_the_run_is_not_gone_back_to(tmp_path, caplog):
    def rewind(made, model, trainer):
        model.num_samples = 499

    assert not rolled_back(tmp_path, caplog, rewind)[0]


def test_a_resumed_run_goes_back_to_the_state_that_it_had_kept(tmp_path, caplog):
    def resume(made, model, trainer):
        made.load_state_dict(made.state_dict())

    assert rolled_back(tmp_path, caplog, resume)[0]


def test_the_best_number_is_that_of_the_state_that_was_kept(tmp_path):
    model, made = gan(), alarm(tmp_path, rollback=True)
    measure(made, [0.3], model=model)
    model.nonfinite.fill_(True)
    measure(made, [0.2], model=model)
    assert made.best == 0.3
    model.nonfinite.fill_(False)
    measure(made, [0.25], model=model)
    assert made.best == 0.25
    assert torch.load(tmp_path / "checkpoints" / "good.ckpt", weights_only=True)["best"] == 0.25


def test_only_the_first_process_tells_of_a_way_back(tmp_path, caplog):
    def follow(made, model, trainer):
        trainer.is_global_zero = False

    back, text = rolled_back(tmp_path, caplog, follow)
    assert back
    assert "went back" not in text


@pytest.mark.parametrize("model", ["dcgan", "r3gan", "stylegan2"])
@pytest.mark.parametrize("kind", ["warn", "rollback"])
def test_the_advice_names_what_a_model_takes(model, kind):
    cfg = compose("train", [f"model={model}", "data=digits", f"alarm={kind}"])
    advice = cfg.callbacks.collapse.advice
    assert advice.startswith("Try augment=ada")
    assert ("warm_up=ramp" in advice) == ("warm_up" in cfg.model)
    assert ("alarm=rollback" in advice) == (kind == "warn")
    words = [word for word in re.split("[ ,;]+", advice) if "=" in word]
    compose("train", [f"model={model}", "data=digits", *words])


def test_without_rollback_nothing_is_written_or_moved(tmp_path):
    made, model = alarm(tmp_path), gan()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    measure(made, [0.1, 0.2, 0.3, 0.4], model=model)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_run_with_rollback_keeps_a_state_and_records_the_diversity(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "some.npz", images=rng.integers(0, 256, (60, 8, 8), np.uint8))
    words = ["model=dcgan", "data=npz", f"data.path={tmp_path / 'some.npz'}", "alarm=rollback"]
    words += ["trainer.accelerator=cpu", "logger=none", "callbacks.preview=null"]
    words += ["batching.batch_size=8", "batching.updates_per_epoch=2", "trainer.max_epochs=2"]
    words += ["model.generator.width=4", "model.discriminator.width=4", f"run={tmp_path / 'run'}"]
    run = train(compose("train", words))
    assert (run.checkpoints / "good.ckpt").is_file()
    states = read_checkpoint(run)["callbacks"]
    (state,) = [value for key, value in states.items() if "CollapseAlarm" in key]
    assert math.isfinite(state["best"])
    assert "val/diversity" in run.metrics.read_text()


def pictures(spread, labels, seed=0):
    rng = np.random.default_rng(seed)
    base = rng.integers(60, 190, (3, 1, 8, 8))
    noise = rng.normal(size=(len(labels), 1, 8, 8)) * np.asarray(spread)[labels, None, None, None]
    return Images(np.clip(base[labels] + noise, 0, 255).astype(np.uint8), labels)


def test_diversity_is_that_of_the_least_varied_class():
    labels = np.arange(90) % 3
    real = pictures([30, 30, 30], labels)
    assert image_diversity(real, pictures([30, 30, 30], labels, 0), 0) == pytest.approx(1, abs=0.1)
    assert image_diversity(real, real, 0) == pytest.approx(1.0)
    assert image_diversity(real, pictures([30, 2, 30], labels, 0), 0) < 0.5
    assert image_diversity(real, pictures([0, 30, 30], labels, 0), 0) == pytest.approx(0, abs=1e-6)
