"""A dataset that is not as it was written is told from one that is, whatever was done to it."""

import json

import pytest

from genmodels.tasks.verify import _printable
from genmodels.writers.base import MANIFEST, file_entry
from genmodels.writers.manifest import manifest_of, write_manifest
from genmodels.writers.verify import differences, digest


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "out"
    (folder / "data").mkdir(parents=True)
    files = [folder / "data" / name for name in ("a.csv", "b.csv")]
    for file in (*files, folder / "README.md"):
        file.write_text(f"rows of {file.name}")
    manifest = manifest_of([file_entry(folder, file) for file in files], {"rows": 2})
    write_manifest(folder, manifest, [folder / "README.md"])
    return folder


def altered(folder, change, *, honest=True):
    path = folder / MANIFEST
    manifest = json.loads(path.read_text())
    change(manifest)
    if honest:
        manifest["digest"] = digest(manifest)
    path.write_text(json.dumps(manifest))


def test_a_dataset_as_it_was_written_has_no_differences(folder):
    assert list(differences(folder)) == []


def flip(folder):
    path = folder / "data" / "b.csv"
    blob = bytearray(path.read_bytes())
    blob[3] ^= 1
    path.write_bytes(blob)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (flip, "data/b.csv: changed"),
        (lambda f: (f / "data" / "a.csv").write_text("x"), "data/a.csv: changed: 1 bytes"),
        (lambda f: (f / "data" / "a.csv").unlink(), "data/a.csv: missing"),
        (lambda f: (f / "README.md").write_text("rows of README.MD"), "README.md: changed"),
        (lambda f: (f / "data" / "c.csv").write_text(""), "data/c.csv: not listed"),
        (lambda f: (f / "empty").symlink_to("/etc"), "empty: not listed"),
        (
            lambda f: altered(f, lambda m: m.update(rows=3), honest=False),
            "manifest.json: changed since it was written",
        ),
        (
            lambda f: altered(f, lambda m: m["files"].append(m["files"][0])),
            "data/a.csv: listed more than once",
        ),
    ],
)
def test_one_line_says_what_differs(folder, harm, said):
    harm(folder)
    (line,) = differences(folder)
    assert line.startswith(said)


@pytest.mark.parametrize(
    "path", ["../secret", "/etc/passwd", "data/../../secret", "a\\b", "", "data//a.csv", 7, None]
)
def test_a_manifest_cannot_name_what_lies_outside(folder, path):
    (folder.parent / "secret").write_text("secret")
    altered(folder, lambda m: m["files"][0].update(path=path))
    found = list(differences(folder))
    assert any("not a path inside the dataset" in line for line in found)


def test_a_link_is_not_followed(folder):
    target = folder.parent / "elsewhere.csv"
    (folder / "data" / "a.csv").replace(target)
    (folder / "data" / "a.csv").symlink_to(target)
    (line,) = differences(folder)
    assert "a link" in line
    inner = folder.parent / "inner"
    (folder / "data").replace(inner)
    (folder / "data").symlink_to(inner)
    assert sum("a link" in line for line in differences(folder)) == 2


def test_a_dataset_that_a_link_names_is_as_it_was_written(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert list(differences(tmp_path / "link")) == []


def test_a_manifest_that_is_a_link_is_none(folder, tmp_path):
    (folder / MANIFEST).replace(tmp_path / MANIFEST)
    (folder / MANIFEST).symlink_to(tmp_path / MANIFEST)
    with pytest.raises(ValueError, match="has no manifest"):
        list(differences(folder))


@pytest.mark.parametrize("change", [lambda m: m.pop("files"), lambda m: m.update(rows="many")])
def test_a_manifest_without_what_every_one_has_is_refused(folder, change):
    altered(folder, change)
    with pytest.raises(ValueError, match="manifest"):
        list(differences(folder))


def test_names_that_no_file_can_have_are_differences(folder):
    for path in ("x" * 5000, "\ud800"):
        altered(folder, lambda m, path=path: m["files"][0].update(path=path))
        assert any(line.startswith(path[:50]) for line in differences(folder))


def test_a_name_cannot_move_the_cursor():
    said = _printable("x\r\x1b[2K/h is as it was written\n")
    assert said == "x\\r\\x1b[2K/h is as it was written\\n"
    assert len(_printable("x" * 5000)) == 300
    assert _printable("größe.csv: missing") == "größe.csv: missing"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"synthetic": 1}', "[" * 100_000])
def test_what_is_no_manifest_is_refused(folder, text):
    (folder / MANIFEST).write_text(text)
    with pytest.raises(ValueError, match="manifest"):
        list(differences(folder))
    (folder / MANIFEST).unlink()
    with pytest.raises(ValueError, match="is not a dataset written by genmodels"):
        list(differences(folder))


def test_a_manifest_without_lists_is_refused(folder):
    altered(folder, lambda m: m.update(files={"path": "data/a.csv"}))
    with pytest.raises(ValueError, match="no list of files"):
        list(differences(folder))
