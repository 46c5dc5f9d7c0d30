"""Train and sample TabularARGN; runs inside its own environment only.

    python leaderboard_peer.py TABLE_FOLDER OUT_FOLDER SEED

Uses the public interface of mostlyai-engine with its defaults; genmodels itself never imports it.
Writes synthetic.csv and times.json into OUT_FOLDER.
"""

import json
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import torch
from mostlyai.engine import TabularARGN, set_random_state


def main() -> None:
    folder, out, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    spec = json.loads((folder / "spec.json").read_text())
    data = pd.read_csv(folder / "train.csv", keep_default_na=False, na_values=[""])
    for name in spec["categorical"]:
        data[name] = data[name].astype(str).where(data[name].notna())
    set_random_state(seed)
    model = TabularARGN(random_state=seed, verbose=0)
    start = time.perf_counter()
    model.fit(data)
    fit = time.perf_counter() - start
    start = time.perf_counter()
    synthetic = model.sample(n_samples=len(data))
    seconds = time.perf_counter() - start
    synthetic[data.columns].to_csv(out / "synthetic.csv", index=False)
    times = {
        "package": f"mostlyai-engine {version('mostlyai-engine')}",
        "seed": seed,
        "threads": torch.get_num_threads(),
        "train_s": round(fit, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "rows_per_s_to_parquet": [round(len(data) / seconds)],
    }
    (out / "times.json").write_text(json.dumps(times))


if __name__ == "__main__":
    main()
