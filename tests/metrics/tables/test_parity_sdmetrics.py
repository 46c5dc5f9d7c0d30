"""Our figures against SDMetrics' on the same seeded inputs, to 1e-6.

`scripts/benchmarks/parity_worker.py` makes the inputs and, in an environment that has SDMetrics,
the committed figures. What differs between versions, and where we differ on purpose:

- A number with a category (pair trends). 0.11.1, behind the published figures: ten equal-width
  bins of each table's own range, the maximum in a bin of its own, gaps with it: our "own".
  0.32.0: bins of the real range, values beyond it in the outermost bins, gaps in a bin of their
  own. Our "shared" has the same bins, but values at or beyond either end have a bin of their own,
  so that leaving the range counts as an error. Clipped, the two agree.
- Gaps in categories: TVComplement leaves them out, for us missing is a category.
- A constant column: CorrelationSimilarity raises (0.32.0), for us its correlations count as 0.
"""

import importlib.util
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from genmodels.metrics.tables.dependence import BINS, code_pairs, numeric_codes, pair_errors
from genmodels.metrics.tables.marginals import ks_statistic, total_variation
from genmodels.metrics.tables.views import table_views
from genmodels.schema import Column, TableSchema

SCRIPTS = Path(__file__).parents[3] / "scripts" / "benchmarks"
NEWER, OLDER = "parity_sdmetrics.json", "parity_sdmetrics_0_11.json"
ENVIRONMENT = "GENMODELS_SDMETRICS_PYTHON"


@pytest.fixture(scope="module")
def worker():
    spec = importlib.util.spec_from_file_location("parity_worker", SCRIPTS / "parity_worker.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def committed(name):
    return json.loads((SCRIPTS / "results" / name).read_text())


def views(*tables):
    """Tables of numbers and texts as views; texts are categories."""
    kinds = {
        n: "categorical" if v.dtype.kind in "UO" else "continuous" for n, v in tables[0].items()
    }
    schema = TableSchema(
        tuple(
            Column(name, kind, nullable=True, levels=("a",) if kind == "categorical" else None)
            for name, kind in kinds.items()
        )
    )
    return table_views([pa.table({n: pa.array(v) for n, v in t.items()}) for t in tables], schema)


def ours(worker, figure):
    """The same figure by our code."""
    metric, case, seed = figure["metric"], figure["case"], figure["seed"]
    sides = (False, True)
    if metric == "KSComplement":
        return 1 - ks_statistic(*worker.pair(worker.number_cases()[case], seed))
    if metric == "TVComplement":
        a, b = views(*({"k": x} for x in worker.pair(worker.level_cases()[case], seed)))
        present = [v.codes[v.codes > 0] for v in (a, b)]
        return 1 - total_variation(*present, a.sizes()[0])
    if metric == "CorrelationSimilarity":
        pairs = [worker.linked(seed, made, float(case.split()[1])) for made in sides]
    elif metric == "ContingencySimilarity":
        pairs = [worker.linked_levels(seed, made, case == "unseen") for made in sides]
    else:
        return of_mixed(views(*(worker.mixed(seed, made) for made in sides)), metric, case)
    a, b = views(*({"x": x[:, 0], "y": x[:, 1]} for x in pairs))
    return 1 - pair_errors(a, b, "shared").matrix[0, 1]


def of_mixed(tables, metric, case):
    a, b = tables
    first, second = sorted(a.names.index(name) for name in case.split("-"))
    if metric == "ColumnPairTrends":
        return 1 - pair_errors(a, b, "own").matrix[first, second]
    assert metric == "ContingencySimilarity of a number"
    codes = []
    for view in (a, b):
        bins = numeric_codes(view.numbers[:, first], a.numbers[:, first])
        bins = np.where(bins == BINS + 2, bins, np.clip(bins, 1, BINS))
        codes.append(np.column_stack([bins, view.codes[:, 0]]).astype(int))
    return 1 - code_pairs(*codes, np.array([BINS + 3, a.sizes()[0]]))[0, 1]


def compare(worker, found):
    for figure in found["figures"]:
        got = ours(worker, figure)
        assert got == pytest.approx(figure["value"], abs=1e-6), (found["versions"], figure)


@pytest.mark.parametrize(
    ("name", "version", "metrics"),
    [
        (NEWER, "0.32.0", {"ContingencySimilarity of a number"}),
        (OLDER, "0.11.1", {"ColumnPairTrends"}),
    ],
)
def test_our_figures_are_those_that_sdmetrics_gave(worker, name, version, metrics):
    found = committed(name)
    assert found["versions"]["sdmetrics"] == version
    known = {"KSComplement", "TVComplement", "CorrelationSimilarity", "ContingencySimilarity"}
    assert {f["metric"] for f in found["figures"]} == known | metrics
    assert len(found["figures"]) >= 40
    compare(worker, found)


def test_our_shared_bins_count_what_lies_beyond_the_real_range_as_an_error(worker):
    for figure in committed(NEWER)["figures"]:
        if figure["metric"] == "ContingencySimilarity of a number":
            a, b = views(*(worker.mixed(figure["seed"], made) for made in (False, True)))
            number = a.names.index(figure["case"][2:])
            shared = 1 - pair_errors(a, b, "shared").matrix[number, 2]
            assert shared == pytest.approx(figure["value"], abs=0.05)
            assert shared <= figure["value"] + 1 / worker.ROWS[0] + 1e-9


def test_our_figures_are_those_of_the_sdmetrics_at_hand(worker):
    python = os.environ.get(ENVIRONMENT)
    if not python:
        pytest.skip(f"set {ENVIRONMENT} to an interpreter that has sdmetrics")
    command = [python, "-W", "ignore", str(SCRIPTS / "parity_worker.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    compare(worker, json.loads(done.stdout))
