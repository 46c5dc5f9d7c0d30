"""Whatever comes in, a user gets a result or one clear line: never a traceback.

`GENMODELS_FUZZ` is the number of cases per test, 40 if it is not set; the slow test runs 10,000.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from genmodels.cli import _advice, main
from genmodels.codecs.table import TableCodec
from genmodels.data.infer import infer_schema
from genmodels.data.open import open_source
from genmodels.data.parse import apply_schema
from genmodels.data.schema_file import parse_schema
from genmodels.tasks.compose import compose
from genmodels.tasks.parts import instantiate
from genmodels.writers.base import Shard
from genmodels.writers.csv import CSVWriter
from tests.tasks.pictures import train_digits
from tests.tasks.small import train_tiny

CASES = int(os.environ.get("GENMODELS_FUZZ", "40"))
FUZZ = settings(
    max_examples=CASES,
    deadline=None,
    derandomize="GENMODELS_FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
    database=None,
)
WORDS = st.sampled_from(
    ["", "?", "NA", "1", "2", "-1", "3.5", "1,5", "1e308", "1e400", "inf", "nan", "=1+1", "'x", "é",
     "2013-01-01", "01/02/2013", "24:00", "yes", "no", "007", "x" * 300, "\x00", "\ufeff", "\u202e",
     "9223372036854775808", "<script>", '"', "\n", "NaT", "None", "1_000", "0x10", "😀"]
)  # fmt: skip
CELLS = st.one_of(WORDS, st.text(max_size=8), st.integers().map(str), st.floats().map(str))


def told(call, *arguments, **options):
    """The result, or None where the error is one that a user is told of in one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call(*arguments, **options)
    except Exception as error:
        if not _advice(error):
            raise
        return None


def learned(path):
    """All that is done with a table before a network sees it, and the way back to a file."""
    raw = told(lambda: open_source(path).load())
    if not isinstance(raw, pa.Table):
        return
    schema = told(infer_schema, raw)
    if schema is None:
        return
    table = apply_schema(raw, schema)
    codec = told(lambda: make_codec(table, schema))
    if codec is None:
        return
    encoded = codec.encode(table, 0)
    back = codec.decode(encoded, conditions=None, rng=np.random.default_rng(0), start=0)
    assert back.num_rows == table.num_rows
    out = path.parent / "out"
    out.mkdir(exist_ok=True)
    writer = CSVWriter(schema=schema, rows_per_file=1000, gzip=False)
    writer.write(iter([back]), out, Shard(number=0, of=1, start=0))


CODEC = instantiate(compose("train", ["model=tvae", "data=_table"]).codec)


def make_codec(table, schema):
    codec = CODEC(table, schema, seed=0)
    assert isinstance(codec, TableCodec)
    return codec


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@st.composite
def csv_files(draw):
    columns = draw(st.integers(1, 5))
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    rows = draw(st.lists(st.lists(CELLS, min_size=columns, max_size=columns), max_size=30))
    if draw(st.booleans()) and rows:
        rows *= draw(st.integers(1, 6))
    header = draw(st.lists(CELLS, min_size=columns, max_size=columns))
    if draw(st.booleans()):
        rows.append(draw(st.lists(CELLS, max_size=7)))  # ragged
    quoted = draw(st.booleans())

    def cell(text):
        return '"' + text.replace('"', '""') + '"' if quoted else text

    text = "\n".join(separator.join(map(cell, row)) for row in [header, *rows])
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"]))
    blob = bytearray(text.encode(encoding, errors="replace"))
    for _ in range(draw(st.integers(0, 2))):
        if blob:
            blob[draw(st.integers(0, len(blob) - 1))] = draw(st.integers(0, 255))
    return bytes(blob)


@FUZZ
@given(blob=st.one_of(csv_files(), st.binary(max_size=200)))
def test_a_csv_is_learned_or_refused(place, blob):
    path = place / "a.csv"
    path.write_bytes(blob)
    learned(path)


def arrays(rows):
    made = {
        pa.int8(): st.integers(-128, 127),
        pa.uint64(): st.integers(0, 2**64 - 1),
        pa.float16(): st.floats(width=16),
        pa.float64(): st.floats(),
        pa.bool_(): st.booleans(),
        pa.string(): CELLS.map(lambda text: text.encode(errors="replace").decode()),
        pa.large_string(): st.sampled_from(["a", "b"]),
        pa.binary(): st.binary(max_size=4),
        pa.date32(): st.dates(),
        pa.timestamp("ns"): st.integers(-(2**62), 2**62),
        pa.timestamp("s", "UTC"): st.integers(-(2**33), 2**33),
        pa.time64("us"): st.times(),
        pa.duration("s"): st.timedeltas(),
        pa.decimal128(20, 3): st.decimals(-1000, 1000, places=3),
        pa.list_(pa.int64()): st.lists(st.integers(0, 3), max_size=2),
        pa.struct([("a", pa.int64())]): st.fixed_dictionaries({"a": st.integers(0, 3)}),
        pa.null(): st.none(),
    }
    return st.sampled_from(list(made)).flatmap(
        lambda kind: st.lists(st.none() | made[kind], min_size=rows, max_size=rows).map(
            lambda values: pa.array(values, kind)
        )
    )


@FUZZ
@given(
    columns=st.integers(1, 25).flatmap(lambda rows: st.lists(arrays(rows), max_size=4)),
    names=st.lists(CELLS, min_size=4, max_size=4),
    dictionary=st.booleans(),
)
def test_a_parquet_file_is_learned_or_refused(place, columns, names, dictionary):
    names = [name.encode(errors="replace").decode() for name in names[: len(columns)]]
    if dictionary:
        columns = [c.dictionary_encode() if pa.types.is_string(c.type) else c for c in columns]
    path = place / "a.parquet"
    try:
        pq.write_table(pa.Table.from_arrays(columns, names=names), path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return  # no such file can be
    learned(path)


@st.composite
def damaged(draw, blob):
    blob = bytearray(blob)
    for _ in range(draw(st.integers(1, 3))):
        blob[draw(st.integers(0, len(blob) - 1))] = draw(st.integers(0, 255))
    return bytes(blob[: draw(st.integers(1, len(blob)))] if draw(st.booleans()) else blob)


def blob_of(write):
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


TABLE = pa.table({"a": [1, 2, 3], "b": ["x", "y", None]})
PNG = blob_of(lambda file: Image.fromarray(np.eye(6, dtype=np.uint8)).save(file, "PNG"))
PARQUET = blob_of(lambda file: pq.write_table(TABLE, file))
NPZ = blob_of(lambda f: np.savez(f, images=np.zeros((9, 4, 4), np.uint8), labels=np.arange(9) % 2))


@FUZZ
@given(blob=damaged(PARQUET))
def test_a_damaged_parquet_file_is_read_or_refused(place, blob):
    path = place / "damaged.parquet"
    path.write_bytes(blob)
    learned(path)


@FUZZ
@given(blob=damaged(NPZ))
def test_a_damaged_npz_is_read_or_refused(place, blob):
    path = place / "damaged.npz"
    path.write_bytes(blob)
    told(lambda: open_source(path).load())


@FUZZ
@given(blobs=st.lists(st.one_of(damaged(PNG), st.binary(max_size=40), st.just(PNG)), max_size=4))
def test_a_folder_of_pictures_is_read_or_refused(place, blobs):
    folder = place / "pictures"
    shutil.rmtree(folder, ignore_errors=True)
    for i, blob in enumerate(blobs):
        inside = folder / f"class {i % 2}"
        inside.mkdir(parents=True, exist_ok=True)
        (inside / f"{i}.png").write_bytes(blob)
    told(lambda: open_source(folder).load())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda node: (
        st.lists(node, max_size=3) | st.dictionaries(st.text(max_size=6), node, max_size=3)
    ),
    max_leaves=8,
)
COLUMN = st.dictionaries(
    st.sampled_from(["name", "kind", "levels", "missing", "decimals", "format", "nullable", "low"]),
    JSON | st.sampled_from(["continuous", "categorical", "datetime", "a"]),
)


SCHEMA = st.fixed_dictionaries(
    {"kind": st.sampled_from(["table", "images"]), "columns": st.lists(COLUMN, max_size=3)}
)


@FUZZ
@given(state=JSON | SCHEMA)
def test_a_schema_is_taken_or_refused(state):
    told(parse_schema, json.dumps(state))


VERBS = st.sampled_from(["train", "sample", "evaluate", "verify", "schema", "benchmark"])
KEYS = st.sampled_from(
    ["run", "n", "seed", "out", "model", "data", "data.path", "trainer.max_epochs", "given.a",
     "shares.a", "constraints", "condition.x", "writer.csv.gzip", "+a.b", "~model", "model.lr",
     "dataset", "hydra.run.dir", "@", "batching.batch_size", "filter.keep"]
)  # fmt: skip
VALUES = st.one_of(
    CELLS, st.sampled_from(["${oc.env:HOME}", "[1,", "{a: }", "null", "tvae", "???"])
)


@FUZZ
@given(verb=VERBS, words=st.lists(st.tuples(KEYS, VALUES).map("=".join) | CELLS, max_size=4))
def test_words_are_understood_or_refused(verb, words):
    told(compose, verb, words)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    table = train_tiny(folder, "model=tvae", "trainer.max_epochs=1").path
    return table, train_digits(folder / "digits", updates=5)


NAMES = st.sampled_from(["config.yaml", "schema.json", "codec.json", "margins.json",
                         "model.safetensors", "manifest.json"])  # fmt: skip


@settings(FUZZ, max_examples=max(10, CASES // 4))
@given(which=st.integers(0, 1), name=NAMES, data=st.data())
def test_a_damaged_run_is_sampled_or_refused(runs, place, which, name, data):
    good, run = runs[which], place / "run"
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(good, run)
    if not (run / name).exists():
        return
    (run / name).write_bytes(data.draw(damaged((run / name).read_bytes())))
    words = ["sample", f"run={run}", "n=3", f"out={place / 'rows'}", "overwrite=true"]
    stderr, sys.stderr = sys.stderr, io.StringIO()
    try:
        assert main(words) in (0, 2)
    finally:
        said, sys.stderr = sys.stderr.getvalue(), stderr
    assert "Traceback" not in said


@pytest.mark.slow
def test_ten_thousand_cases_end_without_a_traceback():
    """The tests above in a process of their own, with other cases each time."""
    if "GENMODELS_FUZZ" in os.environ:
        pytest.skip("this is the process of its own")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__]
    environment = {**os.environ, "GENMODELS_FUZZ": "1400"}
    done = subprocess.run(command, env=environment, cwd=Path(__file__).parents[1],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
