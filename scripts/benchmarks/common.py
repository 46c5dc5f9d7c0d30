"""What the benchmarks share: places, the machine, commands and what they cost, the scorer."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
SCRATCH = HERE.parents[1] / "build" / "benchmarks"
GENMODELS = (sys.executable, "-m", "genmodels")


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
        "load": round(os.getloadavg()[0], 2),
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
    return call(*GENMODELS, *arguments)


@dataclass(frozen=True)
class Cost:
    """What a command cost.

    Args:
        wall_s, processor_s: seconds.
        peak_mb: the most memory that it held, in MB; never below what this process holds, which
            the kernel counts for it.
        code: its exit status, 0 when all went well.
    """

    wall_s: float
    processor_s: float
    peak_mb: int
    code: int


def measured(*command: str | Path, quiet: bool = False, may_fail: bool = False) -> Cost:
    """Run a command and measure it; leave with its exit status when it fails, unless it may."""
    print("$", *command, flush=True)
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(c) for c in command], stdout=subprocess.DEVNULL if quiet else None
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code and not may_fail:
        sys.exit(f"exit code {code}: {' '.join(map(str, command))}")
    busy = usage.ru_utime + usage.ru_stime
    return Cost(round(wall, 1), round(busy, 1), round(usage.ru_maxrss / 1024), code)


def sample(run: Path | str, rows: int, form: str, out: Path, *words: str) -> int:
    """Write a dataset from a run; the rows per second that `genmodels sample` reports."""
    asked = [f"run={run}", f"n={rows}", f"format={form}", f"out={out}", "overwrite=true"]
    text, _ = genmodels("sample", *asked, *words)
    found = re.search(r"\(([\d,]+) rows/s\)", text)
    assert found is not None, text
    return int(found[1].replace(",", ""))


def written(out: Path) -> Path:
    """The CSV file of a dataset."""
    return next((out / "data").glob("*.csv"))


def score(spec: Path, synthetic: Path, *options: str) -> dict[str, Any] | None:
    """What the scorer of GENMODELS_YARDSTICK says, called as `SCORER SPEC.json SYNTHETIC.csv`."""
    scorer = os.environ.get("GENMODELS_YARDSTICK")
    if not scorer:
        print("GENMODELS_YARDSTICK is not set: not scored")
        return None
    text, _ = call(sys.executable, scorer, spec, synthetic, *options)
    return json.loads(text.splitlines()[-1])


def environment(name: str, *packages: str) -> Path:
    """The Python of an environment of its own, made on first use; nothing of it is imported.

    uv finds versions that fit each other in a minute where pip took more than twenty.
    """
    folder = SCRATCH / name
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        call(python, "-m", "pip", "install", "--quiet", "uv")
        call(python, "-m", "uv", "pip", "install", "--quiet", "--python", python, *packages)
        (folder / "ready").touch()
    return python


def load(name: str) -> Any:
    """A result that was saved, or None."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def placed(result: dict[str, Any], entry: dict[str, Any]) -> None:
    """Say in an entry where and when it was measured.

    What others were measured on stays as it is. `result["machine"]` is that of entries without
    one of their own.
    """
    entry["machine"] = machine()
    result.setdefault("machine", entry["machine"])


def keep(name: str, result: Any, entry: Any, words: Sequence[str] = ()) -> None:
    """Save a result of which an entry is new; with further words only show the entry.

    The results are those of the defaults, and nothing in them may be of anything else.
    """
    if words:
        print(json.dumps(entry, indent=1))
        print(f"measured with {' '.join(words)}: not kept, {name}.json is of the defaults")
    else:
        save(name, result)


def save(name: str, result: Any) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
