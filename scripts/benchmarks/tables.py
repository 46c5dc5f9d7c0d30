"""The tables of the benchmarks: training rows, test rows and what the scorer must know of them.

`TABLES` are the five of the targets; their rows with missing values are left out, as in the figures
that the targets were made of. On none of `UNTOUCHED` was anything chosen. `OTHERS` are for other
questions than the leaderboard's.

Where rows with missing values are kept, the generators read them as they are. The scorer reads
copies: a missing category is a level of its own there, a missing number stays empty (the scorer
leaves it out of shapes and takes the mean where it learns), a date is a number of seconds.
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

__all__ = [
    "EVERY",
    "GROUPS",
    "TABLES",
    "UNTOUCHED",
    "Table",
    "prepare",
    "read",
    "scorable",
    "whole",
]


@dataclass(frozen=True)
class Table:
    """One table.

    Args:
        target: what is predicted; the scorer knows numbers and two classes.
        task: classification or regression.
        categorical: columns that are categories whatever they look like; text always is one.
        dropped: left out: numbers of rows, constants, what gives the target away.
        dates: columns that hold dates.
        numbers: columns of numbers among which is text.
        complete: whether rows with missing values are left out.
        sentinel: a number that stands for a missing one.
    """

    target: str
    task: str
    categorical: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    complete: bool = True
    sentinel: float | None = None


def _table(target: str, task: str, **more: str | float) -> Table:
    """A table whose rows with missing values are kept; names separated by blanks."""
    sentinel = more.pop("sentinel", None)
    names = {key: tuple(str(text).split()) for key, text in more.items()}
    return Table(target, task, complete=False, sentinel=sentinel, **names)  # type: ignore[arg-type]


C, R = "classification", "regression"
ADULT = "workclass education marital-status occupation relationship race sex native-country income"
BANK = "job marital education default housing loan contact month poutcome deposit"
KING = "waterfront view condition zipcode floors grade"
TABLES = {
    "adult": Table("income", C, tuple(ADULT.split())),
    "magic": Table("Class", C, ("Class",)),
    "bank_full": Table("deposit", C, tuple(BANK.split())),
    "california_housing": Table("median_house_value", R, ("ocean_proximity",)),
    "king_house": Table("price", R, tuple(KING.split()), ("id", "date")),
}
COVTYPE = " ".join(
    [f"Wilderness_Area{i}" for i in range(1, 5)]
    + [f"Soil_Type{i}" for i in range(1, 41) if i not in (7, 15)]
)
COMPAS_AFTER = (
    "is_recid r_charge_degree r_days_from_arrest r_offense_date r_charge_desc r_jail_in r_jail_out "
    "is_violent_recid vr_charge_degree vr_offense_date vr_charge_desc start end event"
)
COMPAS_NUMBERS = (
    "id c_case_number r_case_number vr_case_number violent_recid type_of_assessment "
    "v_type_of_assessment"
)
COMPAS_DATES = (
    "compas_screening_date c_jail_in c_jail_out c_offense_date c_arrest_date screening_date "
    "v_screening_date in_custody out_custody"
)
DUTCH = (
    "household_position household_size prev_residence_place citizenship country_birth edu_level "
    "economic_status cur_eco_activity marital_status occupation"
)
FRAMINGHAM = (
    "SEX CURSMOKE DIABETES BPMEDS educ PREVCHD PREVAP PREVMI PREVSTRK PREVHYP PERIOD DEATH ANGINA "
    "HOSPMI MI_FCHD ANYCHD STROKE CVD HYPERTEN"
)
UNTOUCHED = {
    "covtype_20k": _table(
        "Elevation", R, categorical=f"{COVTYPE} Cover_Type", dropped="Soil_Type7 Soil_Type15"
    ),
    "compas_two_years": _table(
        "two_year_recid",
        C,
        categorical="two_year_recid",
        dropped=f"{COMPAS_NUMBERS} {COMPAS_AFTER}",
        dates=COMPAS_DATES,
    ),
    "creditcard_fraud_sample": _table("Class", C, categorical="Class"),
    "dutch_census": _table("occupation", C, categorical=DUTCH),
    "framingham": _table("DIABETES", C, categorical=FRAMINGHAM, dropped="RANDID"),
    "nyc_taxis": _table("total", R, dates="pickup dropoff"),
    "pbc2": _table("status2", C, categorical="status2 histologic", dropped="sno. id status"),
    "stroke": _table("stroke", C, categorical="hypertension heart_disease stroke", dropped="id"),
    "telco_churn": _table(
        "Churn", C, categorical="SeniorCitizen", dropped="customerID", numbers="TotalCharges"
    ),
    "ames_house": _table("SalePrice", R, categorical="MSSubClass", dropped="Id"),
}
OTHERS = {
    "air_quality_uci": _table("C6H6(GT)", R, dates="Date", sentinel=-200),
    "credit_scoring_es": _table("Status", C),
    "hr_job_change": _table("target", C, categorical="target", dropped="enrollee_id"),
}
EVERY = TABLES | UNTOUCHED | OTHERS
GROUPS = {"five": tuple(TABLES), "untouched": tuple(UNTOUCHED)}
GAP = "(missing)"


def prepare(name: str) -> Path:
    """Write `train.csv`, `test.csv` and the scorer's `spec.json`; returns their folder."""
    table, folder = EVERY[name], SCRATCH / "tables" / name
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "spec.json").exists():
        return folder
    parts = dict(zip(("train", "test"), _split(name, table), strict=True))
    train = parts["train"]
    for part, frame in parts.items():
        frame.to_csv(folder / f"{part}.csv", index=False)
        if not table.complete:
            _for_scorer(frame, table).to_csv(folder / f"{part}-scored.csv", index=False)
    suffix = "" if table.complete else "-scored"
    categories = _categories(train, table)
    spec = {
        "train": f"train{suffix}.csv",
        "test": f"test{suffix}.csv",
        "target": table.target,
        "task": table.task,
        "numerical": [c for c in train.columns if c not in categories],
        "categorical": categories,
    }
    (folder / "spec.json").write_text(json.dumps(spec, indent=1))
    return folder


def scorable(name: str, synthetic: Path) -> Path:
    """A synthetic table as the scorer is to read it: the file itself, or a copy beside it."""
    table = EVERY[name]
    if table.complete:
        return synthetic
    train = read(prepare(name) / "train.csv")
    copy = synthetic.with_name(f"{synthetic.stem}-scored.csv")
    _for_scorer(read(synthetic), table, _categories(train, table)).to_csv(copy, index=False)
    return copy


def read(path: Path) -> pd.DataFrame:
    """A file that `prepare` or a generator wrote: only what is empty is missing."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)


def whole(name: str) -> pd.DataFrame:
    """All rows of a table but Adult, without what is dropped."""
    table = EVERY[name]
    frame = _read(name).drop(columns=list(table.dropped))
    if table.sentinel is not None:
        frame = frame.replace(table.sentinel, np.nan)
    frame = frame.dropna() if table.complete else frame.dropna(subset=[table.target])
    return frame.reset_index(drop=True)


def _split(name: str, table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The official split of Adult; a random tenth as test rows elsewhere."""
    if name == "adult":
        train, test = (_read(f"adult_{part}", keep_default_na=False) for part in ("train", "test"))
        return train, test
    frame = whole(name)
    order = np.random.default_rng(0).permutation(len(frame))
    cut = int(len(frame) * 0.9)
    return frame.iloc[order[:cut]], frame.iloc[order[cut:]]


def _categories(frame: pd.DataFrame, table: Table) -> list[str]:
    text = [c for c in frame if not pd.api.types.is_numeric_dtype(frame[c])]
    named = [*table.categorical, *(c for c in text if c not in (*table.dates, *table.numbers))]
    return list(dict.fromkeys(named))


def _for_scorer(
    frame: pd.DataFrame, table: Table, categories: list[str] | None = None
) -> pd.DataFrame:
    """Numbers as such, dates as seconds; categories as text, a missing one as a level."""
    changed = {c: _text(frame[c]) for c in categories or _categories(frame, table)}
    for c in table.dates:
        when = pd.to_datetime(frame[c], errors="coerce", format="mixed")
        changed[c] = (when - pd.Timestamp("1970-01-01")).dt.total_seconds()
    changed |= {c: pd.to_numeric(frame[c], errors="coerce") for c in table.numbers}
    return frame.assign(**changed)


def _text(values: pd.Series) -> pd.Series:
    """Levels as text, whole numbers without a point."""
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return values.astype(object).where(values.notna(), GAP).astype(str)


def _read(name: str, **options: bool) -> pd.DataFrame:
    source = data_folder() / "tables" / f"{name}.csv.gz"
    return pd.read_csv(io.BytesIO(gzip.decompress(source.read_bytes())), **options)
