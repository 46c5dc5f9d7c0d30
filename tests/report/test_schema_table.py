"""The table that says what was decided."""

import pyarrow as pa
from rich.cells import cell_len
from rich.console import Console

from genmodels.data.infer import infer_schema
from genmodels.data.sources.parts import with_notes
from genmodels.report.schema_table import schema_table
from tests.report.made import NASTY


def test_each_column_shows_its_kind_gaps_values_and_reason():
    raw = pa.table(
        {
            "age": ["31", "?", "45", " "] * 30,
            "work": ["[bold]a", "b", "?", "b"] * 30,
            "when": ["2013-01-01", "2013-01-02"] * 60,
            "key": [f"C{i:03d}" for i in range(120)],
        }
    )
    raw = with_notes(raw, ["not UTF-8"])
    console = Console(width=160)
    with console.capture() as captured:
        console.print(schema_table(infer_schema(raw, target="work"), raw))
    text = captured.get()
    for part in ("50.0 %", "[bold]a", "(target)", "C000", "2013-01-02", "not UTF-8", "120 rows"):
        assert part in text


def test_nasty_names_and_values_stay_on_their_line():
    names = list(NASTY)
    raw = pa.table({name: [*names, "a", "b"] for name in names})
    raw = with_notes(raw, ["[bold]not\x1b[31m UTF-8"])
    console = Console(width=120)
    with console.capture() as captured:
        console.print(schema_table(infer_schema(raw, target=None), raw))
    text = captured.get()
    assert not set("\x1b\x07\r\u202e") & set(text)
    assert "[bold]not" in text
    assert "y" * 61 not in text.replace("\n", "")
    assert max(map(cell_len, text.splitlines())) <= 120
