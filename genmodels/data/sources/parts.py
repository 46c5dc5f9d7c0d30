"""Finding the files of a table and joining them: paths, globs, folders of parts, near names.

No format is known here; `csv.py` and `parquet.py` read what this file finds.
"""

from __future__ import annotations

import difflib
import glob
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from genmodels.files import sha256

__all__ = [
    "check_rows",
    "drop_columns",
    "files_fingerprint",
    "find_files",
    "join_parts",
    "notes_of",
    "streamed_parts",
    "table_fingerprint",
    "unique_names",
    "with_notes",
]

NOTES = b"genmodels.notes"


def find_files(path: str | Path | Sequence[str | Path], suffixes: tuple[str, ...]) -> list[Path]:
    """The files that `path` means: one file, a glob, a folder of parts, or a list of those.

    Args:
        path: where to look; "~" is the home folder.
        suffixes: endings that count inside a folder, such as (".csv", ".csv.gz").

    Raises:
        FileNotFoundError: when nothing is there, with near names.
        ValueError: when a folder has no file with one of the suffixes.
    """
    if not isinstance(path, str | Path):
        return [file for part in path for file in find_files(part, suffixes)]
    place = Path(path).expanduser()
    if place.is_file():
        return [place]
    if place.is_dir():
        return _files_in(place, suffixes)
    if glob.has_magic(str(place)):
        found = sorted(Path(p) for p in glob.glob(str(place), recursive=True))  # noqa: PTH207
        files = [p for p in found if p.is_file()]
        if files:
            return files
        raise FileNotFoundError(f"no file matches {str(path)!r}")
    raise FileNotFoundError(_not_found(place))


def _files_in(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    files = [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not _hidden(file.relative_to(folder)) and _ends(file, suffixes)
    ]
    keyed = next((f for f in files if any("=" in p for p in f.relative_to(folder).parts)), None)
    if keyed is not None:
        raise ValueError(
            f"{folder} is partitioned by folder names ({keyed.relative_to(folder)}), which hold "
            "column values; write it as plain files first"
        )
    if not files:
        raise ValueError(
            f"{folder} holds no file ending in {', '.join(suffixes)}{_other_data(folder)}"
        )
    return files


OTHER_DATA = {
    "csv": (".csv", ".csv.gz", ".tsv"),
    "parquet": (".parquet", ".arrow", ".feather"),
    "npz": (".npz",),
    "imagefolder": (".png", ".jpg", ".jpeg"),
}


def _other_data(folder: Path) -> str:
    """Which data=... would read a folder, for a message."""
    for kind, endings in OTHER_DATA.items():
        if any(_ends(file, endings) for file in folder.rglob("*") if file.is_file()):
            return f"; for what is in it set data={kind}"
    return ""


def _hidden(relative: Path) -> bool:
    return any(part.startswith((".", "_")) for part in relative.parts)


def _ends(file: Path, suffixes: tuple[str, ...]) -> bool:
    return file.name.lower().endswith(suffixes)


def _not_found(place: Path) -> str:
    if not place.parent.is_dir():
        return f"{place} does not exist: there is no folder {place.parent}"
    names = [p.name for p in place.parent.iterdir() if not p.name.startswith(".")]
    near = difflib.get_close_matches(place.name, names, n=3, cutoff=0.6)
    advice = f"; near names there: {', '.join(near)}" if near else ""
    return f"{place} does not exist{advice}"


def join_parts(parts: Iterable[tuple[Path, pa.Table]]) -> pa.Table:
    """Rows of all parts, in order; the parts must have the same columns.

    Raises:
        ValueError: naming the part and the columns in which it differs from the first.
    """
    tables: list[pa.Table] = []
    notes: list[str] = []
    for path, table in parts:
        if tables and set(table.column_names) != set(tables[0].column_names):
            raise ValueError(_differ(path, table.column_names, tables[0].column_names))
        notes += [n for n in notes_of(table) if n not in notes]
        tables.append(table.select(tables[0].column_names) if tables else table)
    metadata = tables[0].schema.metadata
    try:
        whole = pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(f"the parts have columns of different types: {error}") from error
    return with_notes(whole.replace_schema_metadata(metadata), notes)


def streamed_parts(
    parts: Sequence[tuple[Path, Callable[[], Iterator[pa.Table]]]],
    *,
    drop: Sequence[str] = (),
    forget: Sequence[str] = (),
    typed: bool = True,
) -> Iterator[pa.Table]:
    """Pieces of all parts, in order, with the columns and types that `join_parts` would give.

    Args:
        parts: a file, and what reads it in pieces.
        drop: columns to leave out.
        forget: columns to leave out where there are any.
        typed: False where all columns are texts, so that the first piece has the types of all.

    Raises:
        ValueError: naming the part that has other columns or types.
    """
    first = None if len(parts) == 1 or not typed else _common(parts)
    for path, read in parts:
        for piece in read():
            if first is None:
                first = piece.schema
            elif set(piece.column_names) != set(first.names):
                raise ValueError(_differ(path, piece.column_names, first.names))
            yield drop_columns(piece.select(first.names).cast(first), drop, forget)


def _common(parts: Sequence[tuple[Path, Callable[[], Iterator[pa.Table]]]]) -> pa.Schema | None:
    """The types that hold those of all parts, as the first piece of each says."""
    known = [(path, next(read(), None)) for path, read in parts]
    found = [(path, piece.schema) for path, piece in known if piece is not None]
    for path, schema in found:
        if set(schema.names) != set(found[0][1].names):
            raise ValueError(_differ(path, schema.names, found[0][1].names))
    try:
        common = pa.unify_schemas([schema for _, schema in found], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(f"the parts have columns of different types: {error}") from error
    return common.with_metadata(found[0][1].metadata) if found else None


def _differ(path: Path, names: list[str], first: list[str]) -> str:
    lacks = [n for n in first if n not in names]
    extra = [n for n in names if n not in first]
    parts = [f"lacks {', '.join(map(repr, lacks))}"] if lacks else []
    parts += [f"has also {', '.join(map(repr, extra))}"] if extra else []
    return f"{path} has other columns than the first part: it {' and '.join(parts)}"


def check_rows(table: pa.Table, where: str, *, least: int = 2) -> pa.Table:
    """Refuse a table that nothing can be learned from.

    Args:
        table: what was read.
        where: its name, for messages.
        least: how many rows are enough; 1 for rows that only ask for something.

    Raises:
        ValueError: for a table without rows or columns, or of too few rows.
    """
    if table.num_columns == 0:
        raise ValueError(f"{where} has no columns")
    if table.num_rows == 0:
        raise ValueError(f"{where} has column names but no rows")
    if table.num_rows < least:
        raise ValueError(f"{where} has one row only; at least two are needed (in practice, 100s)")
    return table


def drop_columns(table: pa.Table, drop: Sequence[str], forget: Sequence[str] = ()) -> pa.Table:
    """Leave out the named columns, and those to forget where there are any.

    Raises:
        ValueError: for a name that is not there, with the nearest.
    """
    for name in drop:
        if name not in table.column_names:
            near = difflib.get_close_matches(name, table.column_names, n=1)
            advice = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"drop: there is no column {name!r}{advice}")
    out = [*drop, *(name for name in forget if name in table.column_names and name not in drop)]
    return table.drop_columns(out) if out else table


def unique_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names made unique ("x", "x.1", "x.2") and filled in, and notes on what was changed."""
    notes: list[str] = []
    taken = Counter(names)
    seen: Counter[str] = Counter()
    out: list[str] = []
    for position, name in enumerate(names):
        new = name
        if not name.strip():
            new = f"Unnamed: {position}"
            notes.append(f"column {position + 1} has no name; it is called {new!r}")
        elif seen[name]:
            count = seen[name]
            while (new := f"{name}.{count}") in taken:
                count += 1
            notes.append(f"column name {name!r} occurs again; column {position + 1} is {new!r}")
        seen[name] += 1
        taken[new] += 1
        out.append(new)
    return out, notes


def notes_of(table: pa.Table) -> list[str]:
    """What a source decided while reading, for people."""
    return json.loads((table.schema.metadata or {}).get(NOTES, b"[]"))


def with_notes(table: pa.Table, notes: Sequence[str]) -> pa.Table:
    metadata = dict(table.schema.metadata or {})
    metadata.pop(NOTES, None)
    if notes:
        metadata[NOTES] = json.dumps(list(notes)).encode()
    return table.replace_schema_metadata(metadata or None)


def files_fingerprint(files: Sequence[Path]) -> str:
    """sha256 over the bytes of the files (of one file: the sha256 of that file)."""
    digests = [sha256(file) for file in files]
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )


def table_fingerprint(table: pa.Table) -> str:
    """sha256 over the Arrow content, whatever its chunks and dictionaries."""
    digest = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        flat = pa.table({name: column}).combine_chunks()
        digest.update(flat.schema.remove_metadata().to_string().encode())
        for batch in flat.to_batches(max_chunksize=1 << 16):
            digest.update(batch.serialize())
    return digest.hexdigest()
