"""The tables of the leaderboard: training rows, test rows and what the scorer must know of them.

The five of the targets, and others on which nothing was chosen. Rows with missing values are
left out of the five, as in the figures that the targets were made of.
"""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from common import SCRATCH, data_folder

__all__ = ["TABLES", "Table", "prepare"]


@dataclass(frozen=True)
class Table:
    """One table: its file, its target, which columns are categories and which are left out."""

    file: str
    target: str
    task: str
    categorical: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    complete: bool = True


ADULT = "workclass education marital-status occupation relationship race sex native-country income"
BANK = "job marital education default housing loan contact month poutcome deposit"
TABLES = {
    "adult": Table("adult", "income", "classification", tuple(ADULT.split())),
    "magic": Table("magic", "Class", "classification", ("Class",)),
    "bank_full": Table("bank_full", "deposit", "classification", tuple(BANK.split())),
    "california_housing": Table(
        "california_housing", "median_house_value", "regression", ("ocean_proximity",)
    ),
    "king_house": Table(
        "king_house",
        "price",
        "regression",
        ("waterfront", "view", "condition", "zipcode", "floors", "grade"),
        ("id", "date"),
    ),
}


def prepare(name: str) -> Path:
    """Write `train.csv`, `test.csv` and `spec.json` of a table; returns their folder."""
    table, folder = TABLES[name], SCRATCH / "tables" / name
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "spec.json").exists():
        return folder
    train, test = _split(name, table)
    train.to_csv(folder / "train.csv", index=False)
    test.to_csv(folder / "test.csv", index=False)
    spec = {
        "train": "train.csv",
        "test": "test.csv",
        "target": table.target,
        "task": table.task,
        "numerical": [c for c in train.columns if c not in table.categorical],
        "categorical": list(table.categorical),
    }
    (folder / "spec.json").write_text(json.dumps(spec, indent=1))
    return folder


def _split(name: str, table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The official split of Adult; a random tenth as test rows elsewhere."""
    if name == "adult":
        whole = [_read(f"adult_{part}", keep_default_na=False) for part in ("train", "test")]
        return whole[0], whole[1]
    frame = _read(table.file).drop(columns=list(table.dropped))
    frame = (frame.dropna() if table.complete else frame).reset_index(drop=True)
    order = np.random.default_rng(0).permutation(len(frame))
    cut = int(len(frame) * 0.9)
    return frame.iloc[order[:cut]], frame.iloc[order[cut:]]


def _read(name: str, **options: bool) -> pd.DataFrame:
    source = data_folder() / "tables" / f"{name}.csv.gz"
    return pd.read_csv(io.BytesIO(gzip.decompress(source.read_bytes())), **options)
