"""Verdicts, what they mean in words, and which figure speaks for an axis."""

import pytest

from genmodels.report.page.meaning import MEANINGS, UNTESTED, meaning
from genmodels.report.page.summary import findings, summary
from genmodels.report.page.verdicts import KINDS, chip, judge, severity, verdict
from genmodels.report.rows import Report, Section
from tests.report.made import row


def of(*rows):
    return Report("t", {}, (Section("s", "", rows),))


def test_an_error_of_many_ceilings_is_no_longer_close_where_the_floor_is_at_the_ceiling():
    shapes = {"ceiling": 0.0073, "independent": 0.0069, "scale": 0.2}
    assert judge(row(0.0598, interval=(0.056, 0.063), **shapes)) == "worse"
    assert judge(row(0.0080, interval=(0.006, 0.010), **shapes)) == "level"
    assert judge(row(0.0200, interval=(0.016, 0.024), **shapes)) == "close"
    assert judge(row(0.2500, interval=(0.240, 0.260), **shapes)) == "bad"


def test_a_few_cases_where_real_data_have_none_are_not_level():
    assert judge(row(0.002, interval=(0.001, 0.004))) == "close"
    assert judge(row(0.002, interval=(0.0, 0.004))) == "level"


def test_an_interval_from_real_data_half_the_way_to_the_floor_is_undecided():
    assert judge(row(0.5, interval=(-0.1, 1.2))) == "unsure"
    assert verdict(row(0.3, interval=(-0.1, 0.6))) == "undecided"
    assert judge(row(0.1, interval=(-0.1, 0.4))) == "level"
    learnt = {"axis": "utility", "better": "higher", "ceiling": 0.9, "independent": 0.5}
    assert judge(row(0.62, interval=(0.505, 0.91), **learnt)) == "unsure"
    assert judge(row(0.001, independent=0.01, interval=(0.0, 0.02), scale=0.2)) == "level"


def test_what_teaches_no_better_than_noise_when_real_is_not_called_useful():
    nothing = {"axis": "utility", "better": "higher", "ceiling": 0.52, "independent": 0.5}
    assert judge(row(0.51, scale=0.5, **nothing)) == "unsure"
    assert "cannot be told" in meaning(row(0.51, scale=0.5, **nothing))


def test_a_few_copies_are_bad_enough():
    copied = {"copies": 1.0, "floor_is": "copies", "axis": "memorisation", "scale": 0.2}
    assert judge(row(0.1, interval=(0.08, 0.12), **copied)) == "worse"
    assert judge(row(0.7, interval=(0.65, 0.75), **copied)) == "bad"
    assert judge(row(0.9, interval=(0.85, 0.95), **copied)) == "floor"


def test_the_floor_of_an_axis_is_named():
    copied = row(1.0, copies=1.0, independent=0.0, floor_is="copies", axis="memorisation")
    assert chip(copied) == "as bad as copies"
    assert chip(row(1.0)) == "as bad as shuffled data"
    assert chip(row(2.0)) == "worse than shuffled data"
    assert chip(row(1.0, ceiling=None)) == "no reference"


def test_severity_grows_with_the_value():
    sizes = [severity(row(v / 50, ceiling=0.01, interval=(v / 55, v / 45))) for v in range(1, 80)]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("axis", UNTESTED)
@pytest.mark.parametrize("kind", [k for k in KINDS if k != "unknown"])
def test_every_verdict_on_every_axis_has_a_sentence(axis, kind):
    values = {
        "level": 0.0, "close": 0.2, "worse": 0.5, "bad": 1.0, "floor": 1.0, "beyond": 3.0,
        "unsure": 0.5,
    }  # fmt: skip
    more = {"interval": (-1.0, 2.0)} if kind == "unsure" else {}
    floor = 0.0 if kind == "bad" else 1.0
    made = row(values[kind], axis=axis, independent=floor, metric="anything", **more)
    assert judge(made) == kind
    assert len(meaning(made).split()) > 3
    assert meaning(made)[0].isupper() or meaning(made)[0].isdigit()
    assert "{" not in meaning(made)


def test_sentences_name_only_what_is_known():
    for entry in MEANINGS:
        for text in entry.says.values():
            text.format(value="", ceiling="", floor="", what="")


def test_a_utility_sentence_says_what_a_model_would_score():
    made = row(0.886123, ceiling=0.92712, independent=0.5, better="higher", axis="utility",
               metric="AUC for 'income', trained on synthetic")  # fmt: skip
    assert "would score 0.886 AUC on real data instead of 0.927" in meaning(made)


def test_the_worst_headline_figure_speaks_and_the_others_are_counted():
    found = findings(of(row(0.2), row(1.0, metric="pair trend error"), row(9.0, headline=False)))
    assert found[0].axis == "fidelity"
    assert found[0].worst.metric == "pair trend error"
    assert found[0].counts == {"close": 1, "floor": 1}
    assert "columns do not go together" in found[0].sentence
    assert [f.axis for f in found[1:]] == [a for a in UNTESTED if a != "fidelity"]


def test_the_worst_axis_is_first_and_what_is_undecided_comes_before_what_is_level():
    found = findings(
        of(
            row(0.0, axis="coverage"),
            row(0.5, axis="utility", interval=(-1.0, 2.0)),
            row(0.6),
            row(1.1, axis="memorisation", copies=1.0, floor_is="copies"),
        )
    )
    tested = [f.axis for f in found if f.worst is not None]
    assert tested == ["memorisation", "fidelity", "utility", "coverage"]


def test_what_differs_by_chance_only_ranks_in_the_order_of_reading():
    found = findings(of(row(1.0), row(1.04, axis="coverage"), row(1.02, metric="later")))
    assert [f.axis for f in found[:2]] == ["fidelity", "coverage"]
    assert found[0].worst.metric == "a figure"


def test_axes_without_a_figure_are_said_to_be_untested():
    lines = summary(of(row(0.0)))
    assert any("Privacy was not tested" in line and "no evidence" in line for line in lines)
    assert any("sensitive=[" in line for line in lines)
    assert len(lines) == len(UNTESTED)
