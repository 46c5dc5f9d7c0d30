import pytest

from genmodels.sampling.control.strata import parse_scenario, read_scenario, rows_of
from genmodels.schema import Column, TableSchema

SCHEMA = TableSchema((Column("age", "integer"), Column("day", "datetime")))


def test_a_scenario_is_read_and_the_rest_is_free(tmp_path):
    path = tmp_path / "stress.yaml"
    path.write_text(
        "tail:\n  share: 0.2\n  given: {age: '> 80', day: 2020-01-31}\n  temper: 1.5\n"
        "none: {share: 0.3}\n"
    )
    strata = parse_scenario(read_scenario(path), SCHEMA, temper=1.1)
    assert [(s.name, s.share, s.temper) for s in strata] == [
        ("tail", 0.2, 1.5), ("none", 0.3, 1.1), ("the rest", 0.5, 1.1),
    ]  # fmt: skip
    assert [str(w) for w in strata[0].wishes] == ["age: > 80", "day: 2020-01-31"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tail: {share: 0.7}\nhead: {share: 0.6}", "sum to 1.3"),
        ("tail: {shar: 0.7}", "no 'shar'; did you mean 'share'"),
        ("tail: {share: 2}", r"in \[0, 1\]"),
        ("tail: {given: {age: 3}}", "share must be"),
        ("tail: {share: 0.1, given: {agee: 3}}", r"scenario\.tail\.given\.agee.*'age'"),
        ("tail: {share: 0.1, given: [age]}", "must name columns"),
        ("tail: {share: 0.1, temper: 0}", "above 0"),
        ("tail: 5", "must have a share"),
        ("a: {rows: 3}\nb: {share: 0.5}", "all strata must.* look at 'b'"),
        ("a: {rows: 3, share: 0.5}", "none has a share"),
        ("a: {rows: 0}", "at least 1, got 0"),
        ("a: {rows: many}", "whole number"),
        ("- 5", "named strata"),
        ("", "named strata"),
        ("a: [", "is no YAML"),
        ("a: !!python/object:os.system {}", "is no YAML"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused(tmp_path, text, message):
    path = tmp_path / "stress.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        parse_scenario(read_scenario(path), SCHEMA, temper=1.0)


def test_a_scenario_may_say_how_many_rows_it_has():
    asked = {"a": {"rows": 3, "given": {"age": "> 80"}}, "b": {"rows": 5}}
    assert rows_of(asked) == 8
    assert rows_of({"a": {"share": 0.3}}) is None
    strata = parse_scenario(asked, SCHEMA, temper=1.0)
    assert [(s.name, s.rows, s.share) for s in strata] == [("a", 3, 0.375), ("b", 5, 0.625)]


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"scenario=nowhere\.yaml cannot be read"):
        read_scenario("nowhere.yaml")
