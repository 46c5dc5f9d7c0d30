"""Cells that a spreadsheet would run are made texts, everything else stays, all come back."""

import itertools

import pyarrow as pa
import pytest

from genmodels.spreadsheets import guarded, restored

HARMLESS = ["", "-", "+", "=", "'", "''", "a=b", "-1", "+5.25", "-.5", "-1e-3", "x", "'tis", "1-2"]
DANGEROUS = ["=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "+49 30 1234", "-1+cmd|x", "\t=1", "\r=1"]
DANGEROUS += ["'=1", "''=1", "--", "=\n1", "\n=1", "\x00=1"]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_formula_stays(text):
    assert guarded(pa.array([text])).to_pylist() == [text]


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert guarded(pa.array([text])).to_pylist() == ["'" + text]


def test_every_text_comes_back():
    texts = ["".join(t) for n in range(6) for t in itertools.product("'=-1\t", repeat=n)]
    texts += [*HARMLESS, *DANGEROUS, None, "größer", "'größer"]
    there = guarded(pa.array(texts))
    assert restored(there).to_pylist() == texts
    assert len(set(there.to_pylist())) == len(set(texts))
    assert restored(guarded(there)).to_pylist() == there.to_pylist()


def test_a_column_without_any_is_not_touched():
    column = pa.array(["a", None, "b=1"])
    assert guarded(column) is column
    assert restored(column) is column
