"""Time and memory of the table codecs: fit, encode, decode; on Adult and on a million mixed rows.

    GENMODELS_DATA=<folder with tables/adult_train.csv.gz> python scripts/benchmarks/codec.py

Prints what it measures and writes scripts/benchmarks/results/codec.json. Each case runs in a
process of its own, on one thread, so that peak memory is that of the case.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import yaml

from genmodels.codecs.table import TableCodec
from genmodels.files import write_json
from genmodels.schema import Column, TableSchema

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results" / "codec.json"
BLOCK = 8192
CODECS = ("mode_specific", "quantile")


def options(name: str) -> dict[str, Any]:
    config = yaml.safe_load((ROOT / "configs" / "codec" / f"{name}.yaml").read_text())
    return {key: value for key, value in config.items() if not key.startswith("_")}


def levels_of(column: pa.ChunkedArray) -> tuple[str, ...]:
    return tuple(sorted(column.combine_chunks().dictionary.to_pylist()))


def adult() -> tuple[pa.Table, TableSchema]:
    raw = csv.read_csv(Path(os.environ["GENMODELS_DATA"]) / "tables" / "adult_train.csv.gz")
    columns, arrays = [], []
    for name in raw.column_names:
        data = raw[name]
        if pa.types.is_integer(data.type):
            columns.append(Column(name, "integer"))
        else:
            data = data.dictionary_encode()
            columns.append(Column(name, "categorical", levels=levels_of(data)))
        arrays.append(data)
    return pa.table(arrays, names=raw.column_names), TableSchema(tuple(columns))


def category(rng: np.random.Generator, rows: int, levels: int, power: float) -> pa.Array:
    weights = np.arange(1, levels + 1) ** -power
    codes = np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(rows)).astype(np.int32)
    codes = np.minimum(codes, levels - 1)
    return pa.DictionaryArray.from_arrays(
        pa.array(codes), pa.array([f"level {i:06d}" for i in range(levels)])
    )


def mixed(rows: int) -> tuple[pa.Table, TableSchema]:
    """Fifteen columns: 4 continuous, 4 integer, 4 categorical, 1 boolean, 2 dates."""
    rng = np.random.default_rng(0)
    normal = rng.normal(size=rows)
    second = np.where(rng.random(rows) < 0.3, normal * 2 - 8, normal + 3)
    money = np.where(rng.random(rows) < 0.6, 0.0, np.round(np.exp(3 + 2 * normal), 2))
    year = rng.integers(0, 5 * 365, rows)
    seconds = rng.normal(14 * 3600, 3 * 3600, rows).clip(0, 86399).astype(np.int64)
    base = 1_500_000_000_000_000
    days = (base // 86_400_000_000 + year) * 86_400_000_000
    arrays: dict[str, tuple[str, pa.Array, dict[str, Any]]] = {
        "normal": ("continuous", pa.array(normal), {}),
        "two_modes": ("continuous", pa.array(second), {}),
        "money": ("continuous", pa.array(money), {"decimals": 2}),
        "rate": ("continuous", pa.array(np.exp(normal), mask=rng.random(rows) < 0.1), {}),
        "age": ("integer", pa.array(rng.gamma(9, 4, rows).astype(np.int64) + 17), {}),
        "weight": ("integer", pa.array(np.exp(12 + 0.5 * normal).astype(np.int64)), {}),
        "children": ("integer", pa.array(rng.poisson(1.2, rows).astype(np.int64)), {}),
        "score": (
            "integer",
            pa.array(rng.integers(300, 851, rows), mask=rng.random(rows) < 0.2),
            {},
        ),
        "colour": ("categorical", category(rng, rows, 5, 0.5), {}),
        "state": ("categorical", category(rng, rows, 50, 1.0), {}),
        "job": ("categorical", category(rng, rows, 900, 1.0), {}),
        "plan": ("categorical", category(rng, rows, 3, 0.5), {}),
        "active": ("boolean", pa.array(rng.random(rows) < 0.7), {"levels": (False, True)}),
        "signed": ("datetime", pa.array(days).cast(pa.timestamp("us")), {}),
        "seen": (
            "datetime",
            pa.array(days + seconds * 1_000_000).cast(pa.timestamp("us", "America/New_York")),
            {"timezone": "America/New_York"},
        ),
    }
    columns = []
    for name, (kind, data, extra) in arrays.items():
        if kind == "categorical":
            extra = {"levels": tuple(data.dictionary.to_pylist())}
        columns.append(Column(name, kind, nullable=data.null_count > 0, **extra))
    table = pa.table({name: data for name, (_, data, _) in arrays.items()})
    return table, TableSchema(tuple(columns))


def wide_text(rows: int) -> tuple[pa.Table, TableSchema]:
    """One open-set text column of 300,000 levels."""
    data = category(np.random.default_rng(0), rows, 300_000, 0.7)
    listed = tuple(data.dictionary.to_pylist()[:1000])
    schema = TableSchema((Column("text", "categorical", levels=listed, closed=False),))
    return pa.table({"text": data}), schema


def timed(call: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """Fastest wall time of `repeats` calls, and the last result."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        result = call()
        best = min(best, time.perf_counter() - start)
    return best, result


def resident() -> float:
    """Memory of this process now, MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def per_column(codec: TableCodec, encoded: dict[str, Any]) -> dict[str, float]:
    """Microseconds to decode one block, by column."""
    values, codes = (
        np.ascontiguousarray(encoded[k][:BLOCK].numpy().T) for k in ("values", "codes")
    )
    rng, f, q, out = np.random.default_rng(0), 0, 0, {}
    for column, part in zip(codec.schema.columns, codec.columns, strict=True):
        df = sum(block.kind == "continuous" for block in part.blocks)
        dq = len(part.blocks) - df
        seconds, _ = timed(
            lambda p=part, v=values[f : f + df], c=codes[q : q + dq]: p.decode(v, c, rng, 0), 30
        )
        out[f"{column.name} ({type(part).__name__})"] = round(seconds * 1e6, 1)
        f, q = f + df, q + dq
    return out


def measure(case: str, codec_name: str, rows: int) -> dict[str, Any]:
    """One case, in this process."""
    raw, schema = {"adult": adult, "mixed": lambda: mixed(rows), "text": lambda: wide_text(rows)}[
        case
    ]()
    before, small = resident(), raw.slice(0, 512)
    warm = TableCodec.fit(small, schema, seed=0, **options(codec_name))
    warm.decode(warm.encode(small, 0), rng=np.random.default_rng(0))
    fit, codec = timed(lambda: TableCodec.fit(raw, schema, seed=0, **options(codec_name)))
    encode, encoded = timed(lambda: codec.encode(raw, seed=0))
    decode, _ = timed(lambda: codec.decode(encoded, rng=np.random.default_rng(0)))
    top = peak()
    block = {name: tensor[:BLOCK] for name, tensor in encoded.items()}
    once, _ = timed(lambda: codec.decode(block, rng=np.random.default_rng(0)), 30)
    size = raw.nbytes / 2**20
    return {
        "case": case,
        "codec": codec_name,
        "rows": raw.num_rows,
        "columns": raw.num_columns,
        "raw_mib": round(size, 1),
        "fit_s": round(fit, 3),
        "encode_s": round(encode, 3),
        "decode_s": round(decode, 3),
        "peak_beyond_raw_over_raw": round((top - before) / size, 2),
        "state_kib": round(len(json.dumps(codec.state())) / 1024, 1),
        "decode_block_ms": round(once * 1e3, 3),
        "decode_block_rows": min(BLOCK, raw.num_rows),
        "decode_column_us": per_column(codec, encoded) if case != "text" else {},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the synthetic tables")
    parser.add_argument("--case", nargs=2, metavar=("CASE", "CODEC"), help="one case, as JSON")
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(measure(*arguments.case, arguments.rows)))
        return
    results = []
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    for case in ("adult", "mixed", "text"):
        if case == "adult" and "GENMODELS_DATA" not in os.environ:
            print("adult: skipped, GENMODELS_DATA is not set")
            continue
        for codec in CODECS if case != "text" else CODECS[:1]:
            command = [
                sys.executable,
                __file__,
                "--rows",
                str(arguments.rows),
                "--case",
                case,
                codec,
            ]
            done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
            results.append(json.loads(done.stdout))
            print(json.dumps(results[-1], indent=1))
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "threads": 1}
    when = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(RESULTS, {"measured": when, **machine, "results": results})


if __name__ == "__main__":
    main()
