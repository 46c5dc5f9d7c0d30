import numpy as np
import pyarrow as pa
import pytest

from genmodels.metrics.groups.groups import attribute, groupings
from genmodels.metrics.tables.views import table_views
from genmodels.schema import Column, TableSchema
from tests.metrics.people import PEOPLE, people


def views(*tables):
    return table_views(list(tables), PEOPLE)


def numbers(values):
    schema = TableSchema((Column("x", "continuous", nullable=True),))
    return table_views([pa.table({"x": pa.array(values, pa.float64())})], schema)[0]


def test_levels_are_groups_and_their_counts_are_those_of_the_rows():
    table = people(500, 1)
    (view,) = views(table)
    (found,) = groupings([attribute(view, "sex", bins=4)], [view], crossed=2)
    counts = dict(zip(found.names, found.counts(view), strict=True))
    assert counts == {
        "sex=female": table["sex"].to_pylist().count("female"),
        "sex=male": table["sex"].to_pylist().count("male"),
    }


def test_crossings_are_those_of_pandas():
    table = people(400, 2)
    (view,) = views(table)
    chosen = [attribute(view, name, bins=4) for name in ("sex", "race", "job")]
    found = groupings(chosen, [view], crossed=3)
    assert [g.name for g in found] == [
        "sex", "race", "job", "sex x race", "sex x job", "race x job", "sex x race x job",
    ]  # fmt: skip
    frame = table.to_pandas()
    for grouping in found:
        names = [a.name for a in grouping.attributes]
        expected = frame.groupby(names).size()
        texts = [
            ", ".join(f"{n}={v}" for n, v in zip(names, np.atleast_1d(key), strict=True))
            for key in expected.index.to_list()
        ]
        counts = dict(zip(grouping.names, grouping.counts(view).tolist(), strict=True))
        assert counts == dict(zip(texts, expected.tolist(), strict=True))


def test_a_number_is_cut_at_its_quartiles_or_at_given_edges():
    view = numbers([*range(100), None])
    found = attribute(view, "x", bins=4)
    sizes = np.bincount(found.codes(view))
    assert sizes[0] == 1
    assert (np.abs(sizes[1:] - 25) <= 1).all()
    given = attribute(view, "x", bins=4, edges=[10, 20])
    assert given.labels == ("missing", "<10", "10 to 19", ">=20")
    assert np.bincount(given.codes(view)).tolist() == [1, 10, 10, 80]


def test_a_number_with_few_values_makes_one_group_of_each():
    view = numbers([0, 1, 1, 2.5, None])
    found = attribute(view, "x", bins=4)
    assert found.labels == ("missing", "0", "1", "2.5")
    assert found.codes(view).tolist() == [1, 2, 2, 3, 0]


def test_missing_is_a_group_and_a_group_only_one_side_has_is_known():
    one, two = people(50, 1), people(50, 2)
    blank = pa.array([None] * 10 + ["a"] * 39 + ["z"])
    two = two.set_column(3, "race", blank)
    a, b = views(one, two)
    (found,) = groupings([attribute(a, "race", bins=4)], [a, b], crossed=1)
    assert "race missing" in found.names
    assert "race=z" in found.names
    assert found.counts(a)[found.names.index("race=z")] == 0
    assert found.counts(b)[found.names.index("race missing")] == 10


def test_a_group_that_no_view_had_has_no_number():
    one, other = people(50, 1), people(50, 2).set_column(3, "race", pa.array(["z"] * 50))
    a, b = views(one, other)
    (found,) = groupings([attribute(a, "race", bins=4)], [a], crossed=1)
    assert (found.codes(b) == -1).all()
    assert found.counts(b).sum() == 0


@pytest.mark.parametrize(
    ("name", "edges", "complaint"),
    [
        ("sexe", None, "did you mean 'sex'"),
        ("id", None, "identifiers and constants"),
        ("sex", [1.0], "it is no number"),
        ("age", [30, 20], "ascending"),
        ("age", [], "ascending"),
    ],
)
def test_what_makes_no_groups_is_refused(name, edges, complaint):
    (view,) = views(people(50, 1))
    with pytest.raises(ValueError, match=complaint):
        attribute(view, name, bins=4, edges=edges)


def test_extreme_numbers_make_groups():
    view = numbers([1e300, -1e300, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, None])
    found = attribute(view, "x", bins=4)
    assert found.codes(view).max() == len(found.labels) - 1
    empty = attribute(numbers([None, None]), "x", bins=4)
    assert empty.labels == ("missing", "any value")
    assert empty.codes(numbers([None, 3.0])).tolist() == [0, 1]
