"""Decisions on real tables; needs the environment variable GENMODELS_DATA."""

import os
from pathlib import Path

import pytest

from genmodels.data.infer import infer_schema
from genmodels.data.open import open_source
from genmodels.data.parse import apply_schema
from genmodels.data.schema_file import draft, parse_schema

DATA = os.environ.get("GENMODELS_DATA")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(DATA is None, reason="GENMODELS_DATA is not set"),
]

KINDS = {
    "adult_train": {"workclass": "categorical", "age": "integer", "education-num": "integer"},
    "air_quality_uci": {"Date": "datetime", "CO(GT)": "continuous"},
    "compas_two_years": {"id": "identifier", "c_jail_in": "datetime", "violent_recid": "constant"},
    "earthquakes": {"Date": "datetime", "Latitude": "continuous"},
    "king_house": {"date": "datetime", "zipcode": "categorical", "floors": "continuous"},
    "telco_churn": {"TotalCharges": "continuous", "customerID": "identifier", "Churn": "boolean"},
    "titanic": {"Name": "identifier", "Ticket": "categorical", "Age": "continuous"},
    "nyc_taxis": {"pickup": "datetime", "pickup_zone": "categorical"},
    "bike_hourly": {"instant": "identifier", "dteday": "datetime", "hr": "integer"},
    "hr_job_change": {"target": "boolean", "city": "categorical", "experience": "categorical"},
    "pbc2": {"ascites": "boolean", "platelets": "integer"},
    "covtype_20k": {"Soil_Type7": "constant", "Cover_Type": "categorical"},
    "ames_house": {"LotFrontage": "integer", "Alley": "categorical"},
    "stroke": {"bmi": "continuous", "id": "identifier"},
}


@pytest.mark.parametrize("name", KINDS)
def test_decisions_of_a_data_scientist(name):
    raw = open_source(Path(str(DATA)) / "tables" / f"{name}.csv.gz").load()
    schema = infer_schema(raw)
    assert {k: schema[k].kind for k in KINDS[name]} == KINDS[name]
    typed = apply_schema(raw, schema)
    assert apply_schema(typed, schema).equals(typed)
    assert parse_schema(draft(schema)) == schema
