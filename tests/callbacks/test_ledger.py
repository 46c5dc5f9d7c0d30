"""Lines of numbers: appended, cut back to where training goes on, taken once."""

import json
import math

from genmodels.callbacks.ledger import Ledger


class Writer:
    def __init__(self):
        self.seen = []

    def add_scalar(self, *args):
        self.seen.append(args)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_has_its_clocks_and_null_for_what_is_not_finite(tmp_path):
    path, writer = tmp_path / "metrics.jsonl", Writer()
    ledger = Ledger(path=path, writer=writer)
    ledger.record({"a": 1.5, "b": math.nan}, samples_seen=10, epoch=1)
    ledger.record({}, samples_seen=11, epoch=1)
    (row,) = lines(path)
    assert (row["samples_seen"], row["epoch"], row["a"], row["b"]) == (10, 1, 1.5, None)
    assert row["time"] >= 0
    assert [args[:1] + args[2:] for args in writer.seen] == [("a", 10), ("b", 10)]


def test_what_lies_beyond_the_checkpoint_is_cut_off(tmp_path):
    path = tmp_path / "metrics.jsonl"
    ledger = Ledger(path=path, writer=None)
    for seen in (10, 20, 30):
        ledger.record({"a": 1.0}, samples_seen=seen, epoch=1)
    with path.open("a") as file:
        file.write('{"samples_seen": 5, "tr')
    again = Ledger(path=path, writer=None)
    again.start(seconds=100.0, samples_seen=20)
    assert [row["samples_seen"] for row in lines(path)] == [10, 20]
    assert again.elapsed >= 100


def test_a_value_is_taken_once(tmp_path):
    ledger = Ledger(path=tmp_path / "m.jsonl", writer=None)
    ledger.record({"val/score": 0.5}, samples_seen=1, epoch=1)
    assert ledger.take("val/score") == 0.5
    assert ledger.take("val/score") is None
    assert ledger.latest == {"val/score": 0.5}
