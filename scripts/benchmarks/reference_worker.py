"""Train and sample one reference model; runs inside the reference environment only.

    python reference_worker.py ctgan|tvae TABLE_FOLDER EPOCHS ROWS OUT_FOLDER SEED

Writes synthetic.csv, synthetic.parquet and times.json into OUT_FOLDER. Uses the public interface
of the `ctgan` package; genmodels itself never imports it.
"""

import json
import sys
import time
from pathlib import Path

import ctgan
import numpy as np
import pandas as pd
import torch
from ctgan.data_transformer import DataTransformer


def clocked(owner: type, name: str, clock: dict[str, float]) -> None:
    """Add the wall time of each call of a method to `clock`."""
    method = getattr(owner, name)

    def call(*args: object, **kwargs: object) -> object:
        start = time.perf_counter()
        try:
            return method(*args, **kwargs)
        finally:
            clock["encoding_s"] += time.perf_counter() - start

    setattr(owner, name, call)


def main() -> None:
    name, table, epochs, rows, out, seed = sys.argv[1:7]
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    clock = {"encoding_s": 0.0}
    clocked(DataTransformer, "fit", clock)
    clocked(DataTransformer, "transform", clock)
    spec = json.loads((Path(table) / "spec.json").read_text())
    data = pd.read_csv(Path(table) / spec["train"], keep_default_na=False, na_values=[""])
    torch.manual_seed(int(seed))
    np.random.seed(int(seed))
    model = {"ctgan": ctgan.CTGAN, "tvae": ctgan.TVAE}[name](epochs=int(epochs))
    start = time.perf_counter()
    model.fit(data, spec["categorical"])
    fit = time.perf_counter() - start
    rates = []
    for _ in range(3):
        start = time.perf_counter()
        synthetic = model.sample(int(rows))
        synthetic.to_parquet(folder / "synthetic.parquet", index=False)
        rates.append(int(rows) / (time.perf_counter() - start))
    synthetic.iloc[: len(data)].to_csv(folder / "synthetic.csv", index=False)
    times = {
        "model": name,
        "package": f"ctgan {ctgan.__version__}",
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "epochs": int(epochs),
        "fit_s": round(fit, 1),
        "encoding_s": round(clock["encoding_s"], 1),
        "epoch_s": round((fit - clock["encoding_s"]) / int(epochs), 3),
        "rows_per_s_to_parquet": [round(rate) for rate in rates],
    }
    (folder / "times.json").write_text(json.dumps(times, indent=1))
    print(json.dumps(times))


main()
