"""Learning rates rise, fall, and drop when the monitored number stands still."""

from types import SimpleNamespace

import pytest

from genmodels.callbacks.anneal import Anneal
from genmodels.callbacks.ledger import Ledger

OPTIONS = {"monitor": "val/loss", "warm_up": 1000, "floor": 0.1, "patience": 2, "factor": 0.5}


class Alone(SimpleNamespace):
    """The strategy of one process."""

    def broadcast(self, value):
        return value

    def reduce_boolean_decision(self, value, *, all):
        return value


def anneal(tmp_path, **changes):
    ledger = Ledger(path=tmp_path / "metrics.jsonl", writer=None)
    made = Anneal(ledger=ledger, **OPTIONS, **({"most_drops": 1, "least": 0.0} | changes))
    return made, ledger


def measured(made, ledger, values, trainer):
    for value in values:
        ledger.record({"val/loss": value}, samples_seen=1, epoch=1)
        made.on_train_epoch_end(trainer, None)


def test_the_rate_rises_to_its_full_size_and_falls_to_the_floor(tmp_path):
    made, _ = anneal(tmp_path)
    assert made.share(0, 0.0) == pytest.approx(0.001)
    assert made.share(499, 0.0) == pytest.approx(0.5)
    assert made.share(5000, 0.0) == 1.0
    assert made.share(5000, 0.5) == pytest.approx(0.55)
    assert made.share(5000, 1.0) == pytest.approx(0.1)


def test_a_plateau_drops_the_rate_and_the_next_one_stops(tmp_path):
    made, ledger = anneal(tmp_path)
    trainer = SimpleNamespace(strategy=Alone(), should_stop=False)
    measured(made, ledger, [5.0, 4.0, 4.5], trainer)
    assert made.share(5000, 0.0) == 1.0
    measured(made, ledger, [4.0], trainer)
    assert made.share(5000, 0.0) == 0.5
    assert not trainer.should_stop
    measured(made, ledger, [4.1, 4.1], trainer)
    assert trainer.should_stop


def test_a_tiny_gain_is_no_improvement(tmp_path):
    made, ledger = anneal(tmp_path, least=0.1)
    trainer = SimpleNamespace(strategy=Alone(), should_stop=False)
    measured(made, ledger, [5.0, 4.95, 4.91], trainer)
    assert made.drops == 1


def test_an_epoch_without_a_measurement_changes_nothing(tmp_path):
    made, ledger = anneal(tmp_path)
    trainer = SimpleNamespace(strategy=Alone(), should_stop=False)
    measured(made, ledger, [5.0], trainer)
    for _ in range(9):
        made.on_train_epoch_end(trainer, None)
    assert (made.drops, made.waited) == (0, 0)


def test_its_state_goes_on_after_a_resume(tmp_path):
    made, ledger = anneal(tmp_path)
    trainer = SimpleNamespace(strategy=Alone(), should_stop=False)
    measured(made, ledger, [5.0, 5.0, 5.0, 5.0], trainer)
    again, _ = anneal(tmp_path)
    again.load_state_dict(made.state_dict())
    assert (again.best, again.waited, again.drops) == (made.best, made.waited, made.drops)
    assert again.drops == 1


@pytest.mark.parametrize(("key", "value"), [("patience", 0), ("factor", 1.0)])
def test_options_out_of_range_are_refused(tmp_path, key, value):
    ledger = Ledger(path=tmp_path / "metrics.jsonl", writer=None)
    with pytest.raises(ValueError, match=r"callbacks\.anneal"):
        Anneal(ledger=ledger, **(OPTIONS | {key: value}), most_drops=1, least=0.0)
