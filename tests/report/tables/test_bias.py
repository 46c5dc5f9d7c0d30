import numpy as np
import pyarrow as pa
import pytest

from genmodels.report.page.verdicts import judge
from genmodels.report.reading import with_sensitive
from genmodels.report.tables.bias import bias, sensitive_of
from genmodels.report.tables.parts import Parts
from genmodels.schema import ImageSchema
from tests.metrics.people import PEOPLE, people, replaced


def section(synthetic, target="hired", minimum=30, n=1500):
    parts = Parts.prepare(people(n, 1), people(n, 2), synthetic, PEOPLE, rows=n, seed=0)
    remarks = []
    found = bias(
        parts,
        sensitive=sensitive_of(parts),
        target=target,
        minimum=minimum,
        cases=10,
        rows=n,
        remarks=remarks,
    )
    return found, remarks


def test_fresh_real_rows_are_level():
    found, remarks = section(people(1500, 3))
    assert remarks == []
    assert {judge(row) for row in found.rows} <= {"level", "unsure"}
    starts = {row.metric.split(",")[0] for row in found.rows}
    assert starts == {
        "share of a group", "amplification of a label gap", "equalised odds difference",
    }  # fmt: skip


def test_a_dropped_group_and_flipped_labels_are_seen():
    table = people(1500, 3)
    women = np.asarray(table["sex"]) == "female"
    flipped = replaced(table, "hired", np.where(women, "yes", np.asarray(table["hired"])))
    kept = flipped.filter(pa.array(np.asarray(table["race"]) != "b"))
    found, _ = section(kept)
    told = {row.metric.split(":")[0]: judge(row) for row in found.rows}
    assert told["share of a group, race"] == "bad"
    assert told["amplification of a label gap, sex"] in ("floor", "beyond")
    assert told["equalised odds difference, sex"] in ("worse", "bad", "floor", "beyond")


def test_what_cannot_be_told_is_a_remark():
    found, remarks = section(people(1500, 3), minimum=5000)
    assert found is None
    assert "no two groups" in remarks[0]
    found, remarks = section(people(1500, 3), target="job")
    assert {row.metric.split(",")[0] for row in found.rows} == {"share of a group"}
    assert "audit bias" in remarks[0]


def test_named_columns_become_sensitive_and_others_stop_being_so():
    schema = with_sensitive(PEOPLE, ["age", "sex"])
    assert [c.name for c in schema.columns if c.role == "sensitive"] == ["age", "sex"]
    assert with_sensitive(PEOPLE, []) == PEOPLE


@pytest.mark.parametrize(
    ("names", "complaint"), [(["sx"], "did you mean 'sex'"), (["hired"], "is the target")]
)
def test_wrong_names_are_refused(names, complaint):
    with pytest.raises(ValueError, match=complaint):
        with_sensitive(PEOPLE, names)


def test_images_have_no_sensitive_columns():
    with pytest.raises(ValueError, match="images have none"):
        with_sensitive(ImageSchema(1, 8, 8), ["sex"])
