"""Tables that people bring: whatever they hold, a report or one clear line comes out of them."""

import json

import numpy as np
import pandas as pd
import pytest

import genmodels
from genmodels.report.page.html import to_html
from genmodels.report.page.markdown import to_markdown
from genmodels.report.page.render import to_json
from tests.tasks.test_evaluate import FAST

NASTY = {
    "a": "<script>alert(1)</script>",
    "b": "quote\"'`|$x^2$",
    "c": "😀 émoji\n new\tline",
    "d": "L" * 200,
    "t": "t&<b>",
}


def rows(n, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    return pd.DataFrame(
        {
            "a": a.round(3),
            "b": (a + rng.normal(size=n)).round(2),
            "c": np.where(a > 0, "x", "y"),
            "d": rng.choice(["p", "q", "r"], n),
            "t": np.where(a + rng.normal(size=n) > 0, "yes", "no"),
        }
    )


def judge(change=lambda frame: frame, *, n=120, target="t", **more):
    data = {
        name: change(rows(n, seed))
        for name, seed in (("real", 1), ("holdout", 2), ("synthetic", 3))
    }
    return genmodels.evaluate(**(data | more), target=target, overrides=FAST)


def whole(report):
    """Every form of a report can be made, and none lets a tag through."""
    page = to_html(report)
    assert "<script" not in page
    assert "<script" not in to_markdown(report)
    assert json.dumps(to_json(report), allow_nan=False)
    return report


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.head(5),
        lambda d: d.assign(k=1.0, m="same"),
        lambda d: d.assign(k=np.nan, m=pd.Series([None] * len(d), dtype=object)),
        lambda d: d.assign(a=d.a * 1e300, b=d.b * 1e-300),
        lambda d: d[["c", "d", "t"]],
        lambda d: d.assign(t=d.t.where(d.a > 0, None)),
    ],
    ids=[
        "five rows",
        "constant",
        "all missing",
        "huge and tiny",
        "discrete only",
        "gaps in target",
    ],
)
def test_ugly_tables_are_judged(change):
    report = whole(judge(change))
    assert {"fidelity", "memorisation"} <= {row.axis for row in report.rows}


def test_nasty_names_are_escaped():
    report = whole(judge(lambda d: d.rename(columns=NASTY), target="t&<b>"))
    assert any("t&<b>" in row.metric for row in report.rows)


def test_values_that_are_no_numbers_are_counted():
    report = whole(judge(synthetic=rows(120, 3).assign(a="junk")))
    lines = [line for s in report.sections for d in s.details for line in d.lines]
    assert any(line[0] == "a" and 120 in line for line in lines)


def test_a_column_too_many_is_remarked_and_one_too_few_is_an_error():
    report = judge(synthetic=rows(120, 3).assign(z=1))
    assert any("'z'" in remark for remark in report.remarks)
    with pytest.raises(ValueError, match="synthetic data have no column 'b'"):
        judge(synthetic=rows(120, 3).drop(columns="b"))


def test_a_target_of_one_class_is_refused_or_remarked():
    with pytest.raises(ValueError, match="'t' is the same in every training row"):
        judge(lambda d: d.assign(t="yes"))
    report = judge(holdout=rows(120, 2).assign(t="yes"))
    assert any("single value of 't'" in remark for remark in report.remarks)
    assert whole(judge(synthetic=rows(120, 3).assign(t="yes")))
