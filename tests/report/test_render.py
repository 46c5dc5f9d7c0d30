import json
import re

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from genmodels.report.html import to_html
from genmodels.report.render import print_report, to_json, to_markdown, write_report
from genmodels.report.summary import cell, number
from genmodels.report.tables import TableSuite
from genmodels.schema import Column, TableSchema

DATE = "日付 $a$"
EVIL = '<script>alert("1")</script>|`$x_1$`'


@pytest.fixture(scope="module")
def report():
    schema = TableSchema(
        (
            Column(EVIL, "continuous"),
            Column(DATE, "categorical", levels=("<b>", "ü$")),
            Column("id", "identifier"),
        )
    )
    suite = TableSuite(
        rows=500,
        detection_rows=200,
        folds=2,
        utility_rows=300,
        nearest_rows=100,
        pictures=9,
        worst_pairs=5,
    )
    tables = []
    for seed in range(3):
        x = np.random.default_rng(seed).normal(size=300)
        kind = np.where(x > 0, "<b>", "ü$")
        tables.append(pa.table({EVIL: x, DATE: kind, "id": np.arange(300)}))
    return suite(*tables, schema, target=DATE, seed=0, progress=lambda _: None)


def test_html_escapes_names_and_needs_nothing_from_outside(report):
    html = to_html(report)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<b>" not in html
    assert "Content-Security-Policy" in html
    assert not re.search(r'\b(src|href)=(?!"data:)', html)
    assert len(html.encode()) < 1_000_000


def test_all_forms_carry_the_same_numbers(report):
    state, markdown, html = to_json(report), to_markdown(report), to_html(report)
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    cells = {text.strip("| ") for line in rows for text in line.split(" | ")}
    checked = 0
    for section in state["sections"]:
        for row in section["rows"]:
            for key in ("value", "ceiling", "independent", "copies"):
                assert number(row[key]) in cells
                assert f">{number(row[key])}</td>" in html
                assert row[key] is None or float(number(row[key])) == row[key]
                checked += 1
        for detail in section["details"]:
            for x in (x for line in detail["lines"] for x in line if isinstance(x, float)):
                assert cell(x) in cells
                assert f">{cell(x)}</td>" in html
    assert checked > 20


def test_markdown_tables_keep_their_cells(report):
    lines = to_markdown(report).splitlines()
    assert "<script" not in "\n".join(lines)
    width = None
    for line in lines:
        if not line.startswith("|"):
            width = None
            continue
        bars = len(re.findall(r"(?<!\\)\|", line))
        assert width in (None, bars)
        width = bars


def test_files_are_written_whole_and_json_is_strict(report, tmp_path):
    paths = write_report(report, tmp_path / "report")
    assert [p.name for p in paths] == ["report.json", "report.md", "report.html"]
    assert sorted(p.name for p in (tmp_path / "report").iterdir()) == sorted(p.name for p in paths)
    state = json.loads(paths[0].read_text(), parse_constant=lambda x: pytest.fail(x))
    assert state == json.loads(json.dumps(to_json(report)))


def test_the_terminal_shows_the_summary_and_markup_in_names_is_harmless(report):
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    print_report(report, console)
    console.file.close()
    text = console.export_text()
    assert "C2ST AUC" in text
    assert to_json(report)["summary"][0][:40] in text
