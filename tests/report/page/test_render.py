"""The forms of a report carry the same numbers, and no name breaks any of them."""

import html as entities
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from genmodels.report.page.canvas import canvas, png
from genmodels.report.page.html import to_html
from genmodels.report.page.render import print_report, to_json, to_markdown, write_report
from genmodels.report.page.texts import cell, flat, number, short
from genmodels.report.rows import Detail, Picture, Report, Section
from tests.report.made import NASTY, report, row

FIGURES = ("value", "ceiling", "independent", "copies")


def visible(page):
    """The text of a page as a reader sees it."""
    body = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", page, flags=re.DOTALL)
    return entities.unescape(re.sub(r"<[^>]*>", " ", body))


def numbers(text):
    """Numbers that stand alone, with a decimal point or three digits at least."""
    found = re.findall(r"(?<![\w.,$])-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w,]|\.\d)", text)
    return {x.replace(",", "") for x in found if "." in x or len(x) > 2}


def terminal(made, width=100):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    print_report(made, console)
    console.file.close()
    return console.export_text()


def test_html_escapes_names_and_needs_nothing_from_outside():
    page = to_html(report())
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r'\b(?:src|href)=(?!"(?:data:image/png;base64,|#))', page)
    assert not re.search(r"\bon\w+=|url\(|@import|\bstyle=", page)
    assert not set("\x1b\x07\u202e") & set(page)
    assert len(page.encode()) < 300_000


def test_the_policy_allows_the_style_and_nothing_else():
    from base64 import b64encode
    from hashlib import sha256

    page = to_html(report())
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL).group(1)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    assert b64encode(sha256(style.encode()).digest()).decode() in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_tags_are_closed_in_order():
    stack = []
    for closing, name in re.findall(r"<(/?)(\w+)[^>]*?(?<!/)>", to_html(report())):
        if name in ("meta", "img"):
            continue
        if closing:
            assert stack.pop() == name
        else:
            stack.append(name)
    assert stack == []


def test_every_number_of_the_page_is_in_the_json():
    made = report()
    state = to_json(made)
    known = set()

    def collect(node):
        if isinstance(node, dict):
            for key, value in node.items():
                collect(key)
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)
        elif isinstance(node, str):
            known.update(numbers(flat(node)))
        elif node is not None and not isinstance(node, bool):
            known.update(numbers(number(node)))
            known.add(number(node).replace(",", ""))

    collect(state)
    shown = numbers(visible(to_html(made)))
    assert len(shown) > 30
    assert shown - known == set()


def test_all_forms_carry_the_same_numbers():
    made = report()
    state, markdown, page = to_json(made), to_markdown(made), to_html(made)
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    cells = {text.strip("| ") for line in rows for text in line.split(" | ")}
    for section in state["sections"]:
        for figure in section["rows"]:
            for key in FIGURES:
                assert number(figure[key]) in cells
                assert f">{number(figure[key])}</td>" in page
                assert figure[key] is None or float(number(figure[key])) == figure[key]
            for end in figure["interval"] or ():
                assert number(end) in markdown
                assert number(end) in page
        for detail in section["details"]:
            for x in (x for line in detail["lines"] for x in line if isinstance(x, float)):
                assert cell(x) in cells
                assert f">{cell(x)}</td>" in page
    for line in state["summary"]:
        assert numbers(line) <= numbers(markdown)


def test_json_says_what_the_page_shows_first():
    state = to_json(report())
    assert state["format"] == 4
    first = state["axes"][0]
    assert set(first) == {"axis", "verdict", "sentence", "figure", "counts"}
    assert state["summary"][0].lower().startswith(first["axis"])
    assert first["sentence"] in state["summary"][0]
    assert {a["axis"] for a in state["axes"] if a["verdict"] == "untested"} >= {"privacy", "bias"}
    assert state["sections"][0]["pictures"] == list(NASTY[:2])


def test_a_caution_comes_before_every_verdict():
    made = replace(report(), cautions=("Beware <b>of these rows.",))
    assert to_json(made)["cautions"] == ["Beware <b>of these rows."]
    page, markdown = visible(to_html(made)), to_markdown(made)
    for text in (page, markdown, terminal(made)):
        assert text.index("of these rows.") < text.index("Fidelity")


def test_the_worst_axis_is_on_top_of_the_page():
    text = visible(to_html(report()))
    assert text.index("Fidelity") < text.index("Utility") < text.index("Privacy")
    assert "would score 0.886 AUC on real data instead of 0.927" in " ".join(text.split())


def test_markdown_shows_comparisons_as_they_are_and_no_tag_or_quotation():
    lines = ((">= 3", "a <= b", 1.0), ("<b>", "a<b", 1.0))
    details = (Detail("x <= y", ("what", "which", "n"), lines),)
    made = Report("r", {}, (Section("s", "> 3 or less", (), details),), ("> 80 was asked",))
    text = to_markdown(made).splitlines()
    assert "| >= 3 | a <= b | 1 |" in text
    assert "| &lt;b> | a&lt;b | 1 |" in text
    assert "### x <= y" in text
    assert "- &gt; 80 was asked" in text
    assert "&gt; 3 or less" in text


def test_markdown_tables_keep_their_cells_and_nothing_is_markup():
    lines = to_markdown(report()).splitlines()
    text = "\n".join(lines)
    assert "<script" not in text
    assert not re.search(r"(?<!\\)[$`~]", text)
    assert "\x1b" not in text
    width = None
    for line in lines:
        if not line.startswith("|"):
            width = None
            continue
        bars = len(re.findall(r"(?<!\\)\|", line))
        assert width in (None, bars)
        width = bars


def test_files_are_written_whole_and_json_is_strict(tmp_path):
    made = report()
    paths = write_report(made, tmp_path / "report")
    assert [p.name for p in paths] == ["report.json", "report.md", "report.html"]
    assert sorted(p.name for p in (tmp_path / "report").iterdir()) == sorted(p.name for p in paths)
    state = json.loads(paths[0].read_text(), parse_constant=lambda x: pytest.fail(x))
    assert state == json.loads(json.dumps(to_json(made)))


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_terminal_shows_headlines_only_and_markup_in_names_is_harmless(width):
    text = terminal(report(), width)
    assert "\x1b" not in text
    assert "[bold]" in text
    assert "quiet" not in text
    assert "2 more figures (1 of those that count" in " ".join(text.split())
    assert max(cell_len(line.rstrip()) for line in text.splitlines()) <= width


def test_pictures_beyond_the_budget_are_left_out_and_that_is_said():
    noise = np.random.default_rng(0).normal(size=(260, 260))
    figure, axes = canvas(9, 9)
    axes.imshow(noise, interpolation="nearest")
    big = png(figure, shades=200)
    shown = tuple(Picture(f"column {k}", big) for k in range(2_000_000 // len(big)))
    page = to_html(Report("t", {}, (Section("s", "", (row(0.1),), (), shown),)))
    assert len(page.encode()) < 1_500_000
    assert "pictures were left out" in page
    assert page.count("<img") >= 3


def test_fifty_columns_fit():
    many = [f"{k} {name}" for k in range(5) for name in NASTY]
    page = to_html(report(many, pictures=50))
    assert page.count("<img") == 51
    assert "left out to keep" not in page
    assert len(page.encode()) < 800_000


def test_long_particulars_are_cut_on_the_page_only():
    lines = tuple((k, f"level {k}") for k in range(400))
    made = Report("t", {}, (Section("s", "", (), (Detail("d", ("k", "name"), lines),)),))
    page = to_html(made)
    assert "level 149<" in page
    assert "level 150<" not in page
    assert "250 more lines are in report.json" in page
    assert len(to_json(made)["sections"][0]["details"][0]["lines"]) == 400


def test_an_empty_report_has_all_forms():
    empty = Report("nothing", {}, ())
    assert "not tested" in to_html(empty)
    assert "nothing" in to_markdown(empty)
    assert "not tested" in terminal(empty)


def test_texts_are_one_line_of_letters_that_can_be_seen():
    assert flat("a\n\tb\x00\u202e") == "a b��"
    assert flat(NASTY[3]) == NASTY[3]
    assert short("x" * 100 + "end", 20) == "x" * 12 + "..." + "xxend"
    assert number(123456.789) == "1.2346e+05"
    assert number(32561) == "32,561"
