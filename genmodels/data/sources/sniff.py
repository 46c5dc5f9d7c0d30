"""Finding out how a text file is written: encoding, separator, decimal comma."""

from __future__ import annotations

import codecs
import re

import pyarrow as pa

__all__ = ["encoding_of", "has_decimal_comma", "sniff_separator", "to_utf8"]

SEPARATORS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def to_utf8(data: pa.Buffer, where: str, encoding: str | None, notes: list[str]) -> pa.Buffer:
    """The content as UTF-8 without BOM; a guess is added to the notes.

    Raises:
        ValueError: when the content does not decode.
    """
    told = encoding is not None
    encoding = encoding_of(data, encoding, notes)
    try:
        if encoding == "utf-8":
            marked = data[:3].to_pybytes() == codecs.BOM_UTF8
            if told or marked:  # a guess has been checked
                _decode(data, encoding, whole=True)
            return data.slice(len(codecs.BOM_UTF8)) if marked else data
        return pa.py_buffer(codecs.decode(data, encoding).encode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{where} is not encoded as {encoding}: {error}") from error


def encoding_of(
    data: pa.Buffer, encoding: str | None, notes: list[str], *, whole: bool = True
) -> str:
    """How a content is encoded: as the user says, as its BOM says, or a guess, which is noted.

    Args:
        data: the content, or its beginning.
        encoding: what the user says.
        notes: receive a guess.
        whole: whether the end of the data is the end of the content.

    Raises:
        ValueError: for an encoding that nobody knows.
    """
    if encoding is not None:
        return _known(encoding)
    start = data[:4].to_pybytes()
    marked = next((name for bom, name in _BOMS if start.startswith(bom)), None)
    if marked is not None or _decodes(data, "utf-8", whole=whole):
        return marked or "utf-8"
    guess = "cp1252" if _decodes(data, "cp1252", whole=whole) else "latin-1"
    notes.append(f"not UTF-8; read as {guess} (set `encoding` if letters look wrong)")
    return guess


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise ValueError(f"no encoding is called {encoding!r}; try utf-8 or latin-1") from error


def _decodes(data: pa.Buffer, encoding: str, *, whole: bool) -> bool:
    try:
        _decode(data, encoding, whole=whole)
    except UnicodeDecodeError:
        return False
    return True


def _decode(data: pa.Buffer, encoding: str, *, whole: bool) -> None:
    """Only whether it can be done; little of the text is kept at a time."""
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(data)
    for start in range(0, len(view), 1 << 20):
        decoder.decode(view[start : start + (1 << 20)])
    decoder.decode(b"", final=whole)


def sniff_separator(head: str) -> str:
    """The candidate that cuts most lines into as many fields as the first line."""
    lines = [line for line in re.sub(r'"[^"]*"', '""', head).splitlines() if line.strip()][:100]
    lines = lines[:-1] if len(lines) > 2 else lines
    scores = {}
    for candidate in SEPARATORS:
        counts = [line.count(candidate) for line in lines]
        if counts[0]:
            scores[candidate] = (sum(c == counts[0] for c in counts) / len(counts), counts[0])
    return max(scores, key=lambda c: scores[c]) if scores else ","


def has_decimal_comma(table: pa.Table) -> bool:
    """Whether the first rows of some column are numbers such as 1,5 (not 1,234)."""
    number = re.compile(r"\s*[+-]?\d+,\d+\s*")
    grouped = re.compile(r"\s*[+-]?\d{1,3}(,\d{3})+\s*")
    for column in table.columns:
        texts = [t for t in column.slice(0, 1000).to_pylist() if t and "," in t]
        if not texts or not all(number.fullmatch(t) for t in texts):
            continue
        if not all(grouped.fullmatch(t) for t in texts):
            return True
    return False
