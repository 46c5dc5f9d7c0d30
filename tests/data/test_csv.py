"""CSV files as text: separators, encodings, damage, parts."""

import gzip

import pyarrow as pa
import pytest

from genmodels.data.open import open_source
from genmodels.data.sources.csv import CSV
from genmodels.data.sources.parts import notes_of


def load(tmp_path, content, name="x.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return CSV(path=path, **options).load()


def test_every_column_is_text_and_empty_fields_are_null(tmp_path):
    table = load(tmp_path, 'a,b\n1,x\n,""\n02,"y, z"\n')
    assert table.schema.types == [pa.string(), pa.string()]
    assert table.to_pydict() == {"a": ["1", None, "02"], "b": ["x", None, "y, z"]}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separator_is_found(tmp_path, separator):
    rows = [["a", "b c", "d"], ["1", '"x,;|\t y"', "3"], ["4", "z", "6"]]
    table = load(tmp_path, "\n".join(separator.join(r) for r in rows))
    assert table.to_pydict() == {"a": ["1", "4"], "b c": ["x,;|\t y", "z"], "d": ["3", "6"]}


def test_decimal_comma_does_not_hide_the_semicolon(tmp_path):
    table = load(tmp_path, "a;b\n1,5;2,5\n3,25;4,0\n")
    assert table["a"].to_pylist() == ["1,5", "3,25"]
    assert "decimal comma" in notes_of(table)


def test_a_single_column_needs_no_separator(tmp_path):
    assert load(tmp_path, "name\nAnn\nBob\n")["name"].to_pylist() == ["Ann", "Bob"]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", False),
        ("utf-8-sig", False),
        ("latin-1", True),
        ("cp1252", True),
        ("utf-16", False),
    ],
)
def test_encoding_is_found_and_a_guess_is_said(tmp_path, encoding, said):
    table = load(tmp_path, "größe,b\né,1\nü,2\n".encode(encoding))
    assert table.to_pydict() == {"größe": ["é", "ü"], "b": ["1", "2"]}
    assert any("not UTF-8" in note for note in notes_of(table)) == bool(said)


def test_a_declared_encoding_that_does_not_fit_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not encoded as ascii"):
        load(tmp_path, "a,b\né,1\n2,3\n", encoding="ascii")
    with pytest.raises(ValueError, match="no encoding is called 'uft8'"):
        load(tmp_path, "a,b\n1,1\n2,3\n", encoding="uft8")
    with pytest.raises(ValueError, match="not encoded as utf-8"):
        load(tmp_path, b"\xe9,b\n1,1\n2,3\n", encoding="utf8")


def test_a_mark_that_the_content_belies_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"not encoded as utf-8: .*invalid start byte"):
        load(tmp_path, b"\xef\xbb\xbf\x80,\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n", "one row only"),
        ("a,b\n1,2\n3\n4,5\n", r"row 2 has 1 fields instead of 2: '3'"),
        ("a,b\n1,2\n3,4\n5,6,7\n", r"row 3 has 3 fields instead of 2"),
        ('a,b\n1,2\n3,"4\n5,6\n', "never closed"),
    ],
)
def test_damage_is_refused_with_the_place(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        load(tmp_path, content)


def test_one_row_is_enough_to_ask_for_something(tmp_path):
    (tmp_path / "one.csv").write_text("a,b\n1,2\n")
    assert open_source(tmp_path / "one.csv", least=1).load().num_rows == 1
    with pytest.raises(ValueError, match="one row only"):
        open_source(tmp_path / "one.csv").load()


def test_repeated_and_absent_names_are_made_unique_visibly(tmp_path):
    table = load(tmp_path, "a,a,,a.1,a\n1,2,3,4,5\n6,7,8,9,0\n")
    assert len(set(table.column_names)) == 5
    assert table.column_names[0] == "a"
    assert table.column_names[2] == "Unnamed: 2"
    assert len(notes_of(table)) == 3


def test_compressed_files_globs_folders_and_lists_are_joined(tmp_path):
    (tmp_path / "p0.csv").write_text("a,b\n1,2\n")
    (tmp_path / "p1.csv.gz").write_bytes(gzip.compress(b"b,a\n4,3\n"))
    (tmp_path / "_SUCCESS").write_text("")
    wanted = {"a": ["1", "3"], "b": ["2", "4"]}
    for path in (tmp_path, str(tmp_path / "p*"), [tmp_path / "p0.csv", tmp_path / "p1.csv.gz"]):
        assert CSV(path=path).load().to_pydict() == wanted


def test_parts_with_other_columns_are_refused_by_name(tmp_path):
    (tmp_path / "p0.csv").write_text("a,b\n1,2\n")
    (tmp_path / "p1.csv").write_text("a,c\n3,4\n")
    with pytest.raises(ValueError, match=r"p1.csv.*lacks 'b' and has also 'c'"):
        CSV(path=tmp_path).load()


def test_a_missing_file_names_its_neighbours(tmp_path):
    (tmp_path / "adult.csv").write_text("a\n1\n2\n")
    with pytest.raises(FileNotFoundError, match=r"adlut.csv does not exist.*adult.csv"):
        CSV(path=tmp_path / "adlut.csv").load()
    with pytest.raises(FileNotFoundError, match="no folder"):
        CSV(path=tmp_path / "nowhere" / "x.csv").load()
    with pytest.raises(FileNotFoundError, match="no file matches"):
        CSV(path=str(tmp_path / "z*.csv")).load()


def test_names_given_for_a_file_without_header(tmp_path):
    assert load(tmp_path, "1,2\n3,4\n", names=["u", "v"])["u"].to_pylist() == ["1", "3"]
    with pytest.raises(ValueError, match="has 2 columns, but `names` has 1"):
        load(tmp_path, "1,2\n3,4\n", names=["u"])


def test_dropping_columns_and_a_wrong_name(tmp_path):
    assert load(tmp_path, "age,b\n1,2\n3,4\n", drop=["b"]).column_names == ["age"]
    with pytest.raises(ValueError, match="did you mean 'age'"):
        load(tmp_path, "age,b\n1,2\n3,4\n", drop=["agee"])


def test_newlines_and_quotes_inside_fields(tmp_path):
    table = load(tmp_path, 'a,b\n"x\ny","q""z"\n1,2\n')
    assert table.to_pydict() == {"a": ["x\ny", "1"], "b": ['q"z', "2"]}


def test_fingerprint_is_of_the_bytes(tmp_path):
    for name, text in (("a.csv", "a\n1\n2\n"), ("b.csv", "a\n1\n2\n"), ("c.csv", "a\n1\n3\n")):
        (tmp_path / name).write_text(text)
    a, b, c = (CSV(path=tmp_path / f"{n}.csv").fingerprint() for n in "abc")
    assert a == b != c


def test_an_archive_or_damaged_gzip_is_refused(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK")
    with pytest.raises(ValueError, match="unpack it"):
        CSV(path=tmp_path / "x.zip").load()
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n" * 99)[:20])
    with pytest.raises(ValueError, match="cannot be read"):
        CSV(path=tmp_path / "x.csv.gz").load()
