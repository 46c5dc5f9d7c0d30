"""A schema as YAML and back, and mistakes in it."""

import pyarrow as pa
import pytest

from genmodels.data.infer import infer_schema
from genmodels.data.schema_file import draft, load_schema, parse_schema
from genmodels.schema import Column, TableSchema


def test_a_draft_reads_back_unchanged(tmp_path):
    levels = ("no", "yes", "NA", "null", "1", "1.5", "2013-01-01", "a: b", "é", "~", "", "1:30")
    schema = TableSchema(
        (
            Column("a", "categorical", levels=levels, note="it's: 'so' #1"),
            Column("b", "continuous", "target", minimum=-1e-9, maximum=1e300, decimals=3),
            Column("c", "datetime", minimum="2013-01-01T00:00:00", format="%Y-%m-%d"),
            Column("no", "boolean", levels=(False, True), missing=("?", "-200")),
            Column("d", "categorical", "sensitive", True, levels=(1, 2), closed=False),
            Column("e", "constant", value="yes"),
            Column("f", "constant", nullable=True),
        )
    )
    path = tmp_path / "schema.yaml"
    path.write_text(draft(schema), encoding="utf-8")
    assert load_schema(path) == schema


def test_a_draft_explains_itself():
    text = draft(infer_schema(pa.table({"x": ["a", "b", "?"]})))
    assert text.startswith("#")
    assert "kept as a level" in text


def test_words_typed_without_quotes_stay_words():
    text = "columns:\n- {name: x, kind: categorical, levels: [no, yes, off]}\n"
    assert parse_schema(text)["x"].levels == ("no", "yes", "off")
    dated = "columns:\n- {name: x, kind: datetime, minimum: 2013-01-01, missing: [-200]}\n"
    assert parse_schema(dated)["x"].minimum == "2013-01-01"
    assert parse_schema(dated)["x"].missing == ("-200",)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{name: x, kind: continous}", "did you mean 'continuous'"),
        ("{name: x, kind: integer, nulable: true}", "'nulable'; did you mean 'nullable'"),
        ("{name: x, kind: integer, nullable: maybe}", "`nullable` is 'maybe', not a bool"),
        ("{name: x, kind: integer, role: goal}", "role 'goal' is not one of"),
        ("{name: x, kind: categorical}", "needs `levels`"),
        ("{name: x, kind: categorical, levels: abc}", "`levels` is a list"),
        ("{name: x, kind: categorical, levels: [a, 1]}", "mixes texts and numbers"),
        ("{name: x, kind: categorical, levels: [a, a]}", "listed twice"),
        ("{kind: integer}", "column 1 needs at least"),
        ("{name: x, kind: [", "not valid YAML"),
    ],
)
def test_mistakes_are_named(tmp_path, row, message):
    path = tmp_path / "s.yaml"
    path.write_text(f"columns:\n- {row}\n")
    with pytest.raises(ValueError, match=message):
        load_schema(path)


def test_a_file_that_is_no_schema(tmp_path):
    with pytest.raises(FileNotFoundError, match="no schema file"):
        load_schema(tmp_path / "x.yaml")
    for text in ("", "- a\n", "columns: {}\n", "columns: []\n"):
        with pytest.raises(ValueError, match="list `columns`"):
            parse_schema(text)


def test_nothing_but_plain_data_is_made_from_yaml():
    with pytest.raises(ValueError, match="not valid YAML"):
        parse_schema("columns: !!python/object/apply:os.getcwd []\n")
