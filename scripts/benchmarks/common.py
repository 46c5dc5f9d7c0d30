"""What the benchmarks share: where data, results and scratch space are, and what the machine is."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
SCRATCH = HERE.parents[1] / "build" / "benchmarks"


def data_folder() -> Path:
    """The folder of real data, from GENMODELS_DATA."""
    folder = os.environ.get("GENMODELS_DATA")
    if not folder:
        sys.exit("set GENMODELS_DATA to the folder that holds tables/ and images/")
    return Path(folder)


def machine() -> dict[str, Any]:
    import torch

    name = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "cpu": name,
        "cores": os.cpu_count(),
        "gpu": gpu,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
    }


def matmul_gflops(size: int = 768, dtype: str = "float32", repeats: int = 20) -> float:
    """The machine's measured matrix-product rate, the ceiling of every arithmetic limit here."""
    import torch

    a, b = (torch.randn(size, size).to(getattr(torch, dtype)) for _ in range(2))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - start)
    return round(2 * size**3 / sorted(times)[repeats // 2] / 1e9, 1)


def call(*command: str | Path, env: dict[str, str] | None = None) -> tuple[str, float]:
    """Run a command, show its errors, return its output and wall time in seconds."""
    start = time.perf_counter()
    print("$", *command, flush=True)
    done = subprocess.run(
        [str(c) for c in command],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )
    return done.stdout, time.perf_counter() - start


def genmodels(*arguments: str) -> tuple[str, float]:
    return call(sys.executable, "-m", "genmodels", *arguments)


def save(name: str, result: Any) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
