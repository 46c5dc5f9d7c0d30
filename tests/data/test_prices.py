"""Real prices come oldest first, with the rest of their bars, or not at all."""

import logging

import numpy as np
import pytest

from genmodels.data.prices import Observed

ROWS = [f"2020-01-0{d},{10 + d},{100 * d}" for d in range(1, 8)]


def load(tmp_path, header, rows, column="close"):
    path = tmp_path / "prices.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return Observed(path=str(path), column=column).load()


def test_the_newest_row_first_is_turned_round_and_said(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        found = load(tmp_path, "Date,Close,Volume", ROWS[::-1])
    assert found["series"].tolist() == list(range(11, 18))
    assert found["volume"].tolist() == [100.0 * d for d in range(1, 8)]
    assert "taken in the order of Date" in caplog.text


def test_rows_in_order_are_left_alone(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        assert load(tmp_path, "Date,Close,Volume", ROWS)["series"].tolist() == list(range(11, 18))
        again = ["2020-01-01,09:30,10", "2020-01-01,09:31,11"]  # the date alone repeats
        assert load(tmp_path, "Date,Time,Close", again)["series"].tolist() == [10, 11]
        odd = ["first,11", "second,10"]  # no dates
        assert load(tmp_path, "Date,Close", odd)["series"].tolist() == [11, 10]
    assert caplog.text == ""


def test_a_date_that_occurs_twice_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Date 2020-01-03 more than once: give prices of one"):
        load(tmp_path, "Date,Close,Volume", [*ROWS, ROWS[2]])


def test_several_assets_are_several_columns(tmp_path):
    rows = ["1,10", "2,20", "3,30"]
    found = load(tmp_path, "Oil,Gas", rows, ["gas", "oil"])
    assert found["series"].tolist() == [[10, 1], [20, 2], [30, 3]]
    assert set(found) == {"series"}
    with pytest.raises(ValueError, match="different columns"):
        load(tmp_path, "Oil,Gas", rows, ["oil", "oil"])


def test_bars_are_brought_to_the_level_of_adjusted_closes(tmp_path):
    found = load(tmp_path, "Open,HIGH,Close,Adj Close", ["8,12,10,5", "10,14,12,6"], "adj close")
    assert found["series"].tolist() == [5, 6]
    assert found["open"].tolist() == [4, 5]
    assert found["high"].tolist() == [6, 7]


def test_a_volume_that_is_no_number_does_not_spoil_the_prices(tmp_path):
    found = load(tmp_path, "Close,Volume", ["1,1.2M", "2,3M"])
    assert set(found) == {"series"}


def test_a_column_is_found_in_any_case_or_the_nearest_named(tmp_path):
    assert np.isnan(load(tmp_path, "CLOSE,a", ["1,2", ",3"])["series"]).tolist() == [False, True]
    with pytest.raises(ValueError, match="no column=closing; did you mean Close"):
        load(tmp_path, "Close", ["1", "2"], "closing")
