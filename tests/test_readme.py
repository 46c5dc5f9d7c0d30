"""Every command of the README that starts with `genmodels` works, in the order in which it stands.

`make quickstart` is the same three verbs on the embedded flights (see the Makefile); `make test`
is what runs this file.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from genmodels.tasks.choices import VERBS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
LINES = [line.split("  #")[0].strip() for block in BLOCKS for line in block.splitlines()]
COMMANDS = [line for line in LINES if line.startswith("genmodels ")]
INLINE = re.findall(r"`(genmodels [a-z]+ [^`]*=[^`]*)`", README)


def adult_like(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(17, 90, rows)
    rich = rng.random(rows) < (age - 10) / 120
    return pd.DataFrame(
        {
            "age": age,
            "education": rng.choice(["HS-grad", "Bachelors", "Masters"], rows, p=[0.5, 0.3, 0.2]),
            "sex": rng.choice(["female", "male"], rows),
            "hours-per-week": rng.integers(10, 80, rows),
            "income": np.where(rich, ">50K", "<=50K"),
        }
    )


def faces(folder: Path, count: int = 60) -> None:
    """Pictures with a list of what is known of them."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    names = [f"{i}.png" for i in range(count)]
    for name in names:
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / name)
    known = {"glasses": rng.random(count) < 0.5, "age": rng.integers(18, 80, count)}
    pd.DataFrame({"file_name": names, **known}).to_csv(folder / "metadata.csv", index=False)


def short(command: str) -> list[str]:
    words = shlex.split(command)
    extra = {
        "train": ["debug=fast", "overwrite=true"],
        "sample": ["n=200", "overwrite=true"],
        "benchmark": ["trainer.max_epochs=1", "repeats=3", "learners=[logistic]"],
        "selftest": ["of=[table]", "worlds.table.rows=60", "worlds.table.count=1"],
    }
    if any(word.startswith("per_class=") for word in words):
        extra["sample"] = ["overwrite=true"]
    return [word for word in words[1:] if not word.startswith("n=")] + extra.get(words[1], [])


def call(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "genmodels", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_commands_work_in_the_order_of_the_readme(tmp_path):
    for seed, name in enumerate(("adult", "train", "test", "made")):
        adult_like(400, seed).to_csv(tmp_path / f"{name}.csv", index=False)
    faces(tmp_path / "faces")
    assert {c.split()[1] for c in [*COMMANDS, *INLINE]} == set(VERBS)
    for command in [*COMMANDS, *INLINE]:
        done = call(short(command), tmp_path)
        # 60 rows are too few for the self-test to see everything: it must say so.
        expected = 3 if " selftest " in command else 0
        assert done.returncode == expected, (command, done.stdout, done.stderr)
    assert (tmp_path / "synthetic-report" / "report.html").exists()


def test_the_python_of_the_readme_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert "seed=0)" in block
    frame = adult_like(400)
    names = {
        "frame": frame,
        "rows": frame.head(20),
        "partial": frame[["age", "sex"]].head(20),
        "unseen": adult_like(200, 1),
    }
    exec(block.replace("seed=0)", "seed=0, overrides=['debug=fast'])"), names)
    assert (names["synthetic"]["age"] > 60).all()
    assert names["completed"]["age"].equals(frame["age"].head(20))
    assert names["chances"].sum(axis=1).to_numpy() == pytest.approx(np.ones(20))
    assert np.isfinite(names["nats"]).all()
    assert (tmp_path / "report" / "report.html").exists()


@pytest.mark.parametrize("path", re.findall(r"\]\(((?!http)[^)]+)\)", README))
def test_what_the_readme_links_to_is_there(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("group", ["model", "data"])
def test_the_readme_names_every_choice(group):
    names = {p.stem for p in (ROOT / "configs" / group).glob("[!_]*.yaml")}
    assert names
    assert [n for n in sorted(names) if f"`{n}`" not in README] == []


def test_the_readme_is_short():
    assert README.count("\n") < 200
