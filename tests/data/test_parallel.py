import io
import logging
import sys
import threading
import time

import pytest

from genmodels.data.sources import parallel
from genmodels.data.sources.parallel import for_chunks, num_workers


def test_ranges_cover_everything_once_and_in_order():
    for total in (0, 1, 63, 64, 65, 1000):
        ranges = list(for_chunks(lambda a, b: (a, b), total, workers=4, what="x"))
        assert [i for a, b in ranges for i in range(a, b)] == list(range(total))


def test_an_error_stops_what_has_not_begun():
    begun = []

    def work(start, stop):
        begun.append(start)
        time.sleep(0.005)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(for_chunks(work, 64 * 1000, workers=1, what="x"))
    assert len(begun) < 1000


def test_threads_end_with_the_work():
    before = threading.active_count()
    list(for_chunks(lambda a, b: None, 1000, workers=3, what="x"))
    assert threading.active_count() == before
    assert num_workers(3) == 3
    assert 1 <= num_workers(None) <= 8


def test_long_work_says_how_far_it_is(monkeypatch, caplog):
    monkeypatch.setattr(parallel, "SECONDS_BETWEEN_LINES", -1.0)
    with caplog.at_level(logging.INFO):
        list(for_chunks(lambda a, b: None, 128, workers=1, what="reading images"))
    assert "reading images: 64/128, " in caplog.text
    assert "/s" in caplog.text


def test_a_terminal_gets_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(parallel, "QUIET_BELOW", 100)
    assert len(list(for_chunks(lambda a, b: b, 200, workers=1, what="reading images"))) == 4
    assert "reading images" in sys.stderr.getvalue()
