import pytest

from genmodels.report.page.summary import number, summary, verdict
from genmodels.report.rows import Report, Row, Section, rounded


def row(value, *, ceiling=0.0, floor=1.0, better="lower", axis="fidelity", **more):
    return Row(axis, "a figure", value, ceiling, floor, None, better, 100, 0, **more)


@pytest.mark.parametrize(
    ("made", "gap"),
    [
        (row(0.5), 0.5),
        (row(-0.2), 0.0),
        (row(0.7, ceiling=0.9, floor=0.5, better="higher"), 0.5),
        (row(0.4, ceiling=0.5, floor=1.0, better="near"), 0.2),
        (row(0.1, floor=0.0, scale=0.2), 0.5),
        (row(0.3, interval=(-0.1, 0.7)), 0.0),
        (row(0.3, ceiling=None), None),
        (row(0.1, floor=None, scale=0.4), 0.25),
    ],
)
def test_gap_is_the_share_of_the_way_from_ceiling_to_floor(made, gap):
    assert made.gap() == pytest.approx(gap)


def test_verdicts_are_words():
    words = [verdict(row(v)) for v in (0.0, 0.2, 0.5, 1.0, 3.0)]
    assert words == [
        "level with held-out real data",
        "close to held-out real data",
        "clearly worse than held-out real data",
        "as bad as independently shuffled data",
        "worse than independently shuffled data",
    ]
    assert verdict(row(1.0, floor=0.0, scale=0.2)) == "bad"
    assert verdict(row(1.0, ceiling=None)) == "no reference"
    assert verdict(row(5.9, ceiling=0.2, floor=275.0)) == "close to held-out real data"
    assert verdict(row(0.3, ceiling=0.2, floor=275.0)) == "level with held-out real data"


def test_the_worst_axis_comes_first_and_quiet_rows_do_not_count():
    rows = (
        row(0.2),
        row(0.9, headline=False),
        row(0.6, axis="utility"),
        row(0.0, axis="memorisation"),
    )
    lines = summary(Report("t", {}, (Section("s", "", rows),)))
    assert [line.split(":")[0] for line in lines[:3]] == ["Utility", "Fidelity", "Memorisation"]
    assert any("Privacy was not tested" in line for line in lines)
    assert any("Bias" in line for line in lines)


def test_numbers_are_rounded_once():
    assert row(0.123456789).value == 0.12346
    assert rounded(-1e-19) == 0.0
    assert number(123456.789) == "1.2346e+05"
    assert number(0.12346) == "0.12346"
    assert number(32561) == "32,561"
    with pytest.raises(ValueError, match="finite"):
        row(float("nan"))
