"""The Python API of evaluation: `genmodels.evaluate(frame, real=train, holdout=test)`.

A thin face on the task of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias

from genmodels.data.open import as_source
from genmodels.data.schema_file import schema_path
from genmodels.report.rows import Report
from genmodels.schema import Schema
from genmodels.tasks.compose import compose, quoted
from genmodels.tasks.evaluate import evaluate as judge

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from genmodels.types import Images, Source

    Data: TypeAlias = pd.DataFrame | pa.Table | Images | str | Path

__all__ = ["evaluate"]


def evaluate(
    synthetic: Data,
    *,
    real: Data | None = None,
    holdout: Data | None = None,
    run: str | Path | None = None,
    target: str | None = None,
    sensitive: Sequence[str] = (),
    schema: Schema | Mapping[str, Any] | str | Path | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    overrides: Sequence[str] = (),
) -> Report:
    """Measure how far synthetic data, made by any tool, can be trusted.

    Args:
        synthetic: what to judge: a DataFrame, an Arrow table, `Images`, or a path.
        real: what the generator saw; not needed with `run`.
        holdout: real data that it did not see; not needed with a run that held some out.
        run: the run that made the data.
        target: what a user would predict; None: what the schema says.
        sensitive: names that tell groups of people apart.
        schema: what the data mean, or the file that says so; None: inferred from `real`.
        out: folder for report.html, report.json and report.md; None: beside `synthetic` when that
            is a path, else nothing is written.
        seed: of every random choice, 0 or more.
        overrides: further words of `genmodels evaluate`, such as "kinds.table.suite.folds=3".

    Returns:
        The report: its `rows` hold the figures, `genmodels.report.page.render.to_json` all.

    Raises:
        TypeError: when data are of another type.
        ValueError: when something does not fit, or is too little to compare.
        FileNotFoundError: when a path is not there.
    """
    data = {"synthetic": synthetic, "real": real, "holdout": holdout}
    given: dict[str, Source] = {}
    words = [f"seed={seed}"]
    for key, value in data.items():
        if isinstance(value, str | Path):
            words.append(f"{key}={quoted(str(value))}")
        elif value is not None:
            given[key] = as_source(value, what=key)
    words += [] if "synthetic" not in given else ["synthetic=memory"]
    words += [f"run={quoted(str(run))}"] if run is not None else []
    words += [f"out={quoted(str(out))}"] if out is not None else []
    words += [f"target={quoted(target)}"] if target is not None else []
    words += [f"sensitive=[{','.join(map(quoted, sensitive))}]"] if sensitive else []
    with TemporaryDirectory(prefix="genmodels-") as folder:
        if schema is not None:
            words.append(f"schema={quoted(str(schema_path(schema, Path(folder))))}")
        return judge(compose("evaluate", [*words, *overrides]), given=given)[0]
