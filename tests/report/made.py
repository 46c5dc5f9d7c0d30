"""A report made by hand, with names that try to break every form of it."""

import numpy as np

from genmodels.report.page.pictures import histogram, scatter
from genmodels.report.rows import Detail, Picture, Report, Row, Section

NASTY = (
    "<script>alert(1)</script>",
    "\"quoted\" 'twice'",
    "$x_1$ and `code`",
    "\U0001f469\u200d\U0001f52c emoji",
    "y" * 200,
    "line\nbreak\r| cell",
    "\x1b[31mred\x07",
    "\u202ebackwards",
    "[bold]markup[/bold] [link](http://a.b)",
    "# head *star* _under_ ~~gone~~ &lt;",
)


def row(
    value, *, ceiling=0.0, independent=1.0, copies=None, better="lower", axis="fidelity", **more
):
    metric = more.pop("metric", "a figure")
    return Row(axis, metric, value, ceiling, independent, copies, better, 1234, 7, **more)


def report(names=NASTY, *, pictures=2):
    x = np.random.default_rng(0).normal(size=(300, 2))
    rows = tuple(
        row(0.1234567 * k, metric=f"error of {name}", interval=(0.0123 * k, 0.2), note=f"of {name}")
        for k, name in enumerate(names)
    )
    lines = tuple((name, 0.25 + k, k, None) for k, name in enumerate(names))
    details = (Detail("All names", ("name", *names[:3]), lines),)
    shown = tuple(Picture(name, histogram(x[:, 0], x[:, 1])) for name in names[:pictures])
    others = (
        row(0.88612, ceiling=0.92734, independent=0.49871, copies=0.92, better="higher",
            axis="utility", metric=f"AUC for {names[0]!r}, trained on synthetic"),
        row(0.0123, ceiling=None, independent=None, axis="coverage", metric="odd"),
        row(0.3, axis="fidelity", metric="quiet", headline=False),
    )  # fmt: skip
    wide = (Picture("a cloud", scatter(x, x), wide=True),)
    sections = (
        Section(names[0], f"About {names[4]}.", rows, details, shown),
        Section("Second", "text", others, (), wide),
    )
    facts = {"rows": 1234567, "path": names[5], "share": 0.125}
    return Report(f"Report on {names[0]}", facts, sections, (f"Left out: {names[2]}.",))
