"""A table with numbers, categories, gaps, dates and keys, on disk, for what makes rows of it."""

import numpy as np
import pandas as pd

CITIES = ("oslo", "rome", "bonn")


def people(rows=400, seed=0, gaps=True):
    rng = np.random.default_rng(seed)
    city = rng.choice(3, rows, p=[0.6, 0.3, 0.1])
    income = np.round(rng.normal(1000, 200, rows), 2)
    days = rng.integers(0, 900, rows)
    frame = pd.DataFrame(
        {
            "id": np.arange(100, 100 + rows),
            "age": rng.integers(18, 90, rows),
            "city": np.array(CITIES)[city],
            "income": income,
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D"),
            "ill": np.where(rng.random(rows) < 0.15, "yes", "no"),
        }
    )
    if gaps:
        frame.loc[rng.random(rows) < 0.1, "income"] = np.nan
    return frame


def write(path, **told):
    people(**told).to_csv(path, index=False)
    return path
